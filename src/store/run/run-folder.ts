import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RunError } from '../../errors.js';
import type { Checksums } from '../integrity/checksum.js';
import { otherVersion, type RecordMeta, readRecord, writeRecord } from '../integrity/record.js';
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
  return join(folder, ...layerName(layer).split('/'));
}

/** `layers/07.safetensors`, as a manifest lists it. */
export function layerName(layer: number): string {
  return `layers/${String(layer).padStart(2, '0')}.safetensors`;
}

/**
 * Writes `manifest.json`; equal manifests give equal bytes.
 *
 * @param layers checksums of the run's layers; null: there are none yet, the run is unfinished
 * @param command what makes the run anew, with `<folder>` for its folder
 * @throws OutputError
 */
export async function writeManifest(
  folder: string,
  manifest: RunManifest,
  layers: Checksums | null,
  command: string,
): Promise<void> {
  // Parsing puts the keys into the order of the schema.
  await writeRecord(manifestPath(folder), runManifestSchema.parse(manifest), { files: layers, command });
}

/** A manifest, and what it says of the run's files. */
export interface ListedManifest extends RecordMeta {
  readonly manifest: RunManifest;
}

/** Reads a run's `manifest.json`. @throws RunError as `readListedManifest` does. */
export async function readManifest(folder: string): Promise<RunManifest> {
  return (await readListedManifest(folder)).manifest;
}

/**
 * Reads a run's `manifest.json` with the list of its files.
 *
 * @throws DamagedError if its bytes are not those that were written; RunError if it is missing, inconsistent or of another
 *   schema than this version's.
 */
export async function readListedManifest(folder: string): Promise<ListedManifest> {
  const path = manifestPath(folder);
  if (!existsSync(path)) {
    throw new RunError({
      what: 'there is no manifest to read',
      where: path,
      found: foundInstead(folder),
      remedy: 'give the folder of a run, as `babelscope capture --out <folder>` writes it',
    });
  }
  const record = await readRecord(path, RUN_SCHEMA_VERSION);
  const { value } = record;
  if (record.files === undefined && value.schema === 'babelscope/run')
    throw otherVersion(path, value.schemaVersion, RUN_SCHEMA_VERSION);
  const parsed = runManifestSchema.safeParse(value);
  if (!parsed.success || record.files === undefined) {
    const issue = parsed.error?.issues[0] ?? { path: ['schemaVersion'], message: String(RUN_SCHEMA_VERSION) };
    throw new RunError({
      what: `field "${issue.path.join('.')}" of the manifest is unusable`,
      where: path,
      expected: issue.message,
      remedy: 'give the folder of a run that capture wrote, or capture it again',
    });
  }
  checkConsistency(parsed.data, path);
  return { manifest: parsed.data, files: record.files, command: record.command };
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
          : (plan.clusters ?? []).some(
                ({ names, of }) =>
                  of.length !== plan.items.length ||
                  of.some((cluster) => cluster !== null && cluster >= names.length),
              )
            ? 'an item lies in a cluster that does not exist'
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
