import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RunError } from '../../errors.js';
import { readJsonObject } from '../../read-json.js';
import { writeJson } from '../files/text-files.js';
import { RUN_SCHEMA_VERSION, type RunManifest, runManifestSchema } from './manifest.js';

export function manifestPath(folder: string): string {
  return join(folder, 'manifest.json');
}

/** `parts/00-of-20.safetensors` */
export function partPath(folder: string, part: number, parts: number): string {
  const width = Math.max(2, String(parts - 1).length);
  const padded = (n: number) => String(n).padStart(width, '0');
  return join(folder, 'parts', `${padded(part)}-of-${padded(parts)}.safetensors`);
}

/** `layers/07.safetensors` */
export function layerPath(folder: string, layer: number): string {
  return join(folder, 'layers', `${String(layer).padStart(2, '0')}.safetensors`);
}

/** Writes `manifest.json`; equal manifests give equal bytes. @throws OutputError */
export async function writeManifest(folder: string, manifest: RunManifest): Promise<void> {
  // Parsing puts the keys into the order of the schema.
  await writeJson(manifestPath(folder), runManifestSchema.parse(manifest));
}

/**
 * Reads a run's `manifest.json`.
 *
 * @throws RunError if it is missing, malformed, inconsistent or of a newer schema than this version knows.
 */
export async function readManifest(folder: string): Promise<RunManifest> {
  const path = manifestPath(folder);
  if (!existsSync(path)) {
    throw new RunError({
      what: 'there is no manifest to read',
      where: path,
      found: foundInstead(folder),
      remedy: 'give the folder of a run, as `babelscope capture --out <folder>` writes it',
    });
  }
  const value = await readJsonObject(path, 'capture the run again', RunError);
  const version = value.schemaVersion;
  if (typeof version === 'number' && version > RUN_SCHEMA_VERSION) {
    throw new RunError({
      what: 'the run was written by a newer version of babelscope',
      where: path,
      expected: `schemaVersion up to ${RUN_SCHEMA_VERSION}`,
      found: String(version),
      remedy: 'update babelscope, or capture the run again with this version',
    });
  }
  const parsed = runManifestSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new RunError({
      what: `field "${issue.path.join('.')}" of the manifest is unusable`,
      where: path,
      expected: issue.message,
      remedy: 'give the folder of a run that capture wrote, or capture it again',
    });
  }
  checkConsistency(parsed.data, path);
  return parsed.data;
}

/** Checks what the schema cannot say: indices and lists must fit each other. */
function checkConsistency({ plan, languages }: RunManifest, path: string): void {
  const tags = languages.map(({ tag }) => tag);
  const complaint =
    tags.join() !== plan.languages.join()
      ? 'languages and plan.languages differ'
      : plan.items.some(({ fold }) => fold < 0 || fold >= plan.folds)
        ? 'an item lies in a fold that does not exist'
        : plan.chunks.some((chunk) => chunk.some((item) => item < 0 || item >= plan.items.length))
          ? 'a chunk names an item that does not exist'
          : null;
  if (complaint === null) return;
  throw new RunError({
    what: `the manifest contradicts itself: ${complaint}`,
    where: path,
    remedy: 'capture the run again',
  });
}

/** Names what lies in a folder without a manifest. */
function foundInstead(folder: string): string {
  if (!existsSync(folder)) return 'no such folder';
  if (existsSync(join(folder, 'comparison.json'))) return 'a comparison, which `babelscope report` draws';
  return 'a folder without a manifest';
}
