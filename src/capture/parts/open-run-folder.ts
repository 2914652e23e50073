import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RunError } from '../../errors.js';
import {
  checkLayer,
  DamagedError,
  type ListedManifest,
  makeFolder,
  manifestPath,
  partPath,
  type RunManifest,
  readListedManifest,
  toOutputError,
  writeManifest,
} from '../../store/index.js';
import { hashPlan } from '../plan/plan-run.js';

/** A run folder to go on in. */
export interface OpenedRunFolder extends ListedManifest {
  /** Files that were found damaged, and are made anew. */
  readonly damaged: readonly DamagedError[];
}

/**
 * Makes the folder of a run, or finds one of the same plan to go on with. How a found run was cut into chunks is kept: it
 * follows from the memory it was started with and changes nothing else. A finished run with a damaged layer, or a run with
 * a damaged manifest, is begun anew with the parts that there are.
 *
 * @param command what makes the run anew
 * @throws RunError if the folder holds something else; OutputError if it cannot be written
 */
export async function openRunFolder(
  folder: string,
  planned: RunManifest,
  command: string,
  signal?: AbortSignal,
): Promise<OpenedRunFolder> {
  await makeFolder(folder);
  const begin = async (manifest: RunManifest, damaged: readonly DamagedError[]): Promise<OpenedRunFolder> => {
    await writeManifest(folder, manifest, null, command);
    await makeFolder(join(folder, 'parts'));
    return { manifest, files: null, command, damaged };
  };
  if (!existsSync(manifestPath(folder))) {
    await refuseForeignFolder(folder);
    return begin(planned, []);
  }
  const found = await readListedManifest(folder).catch(async (error: unknown) => {
    if (error instanceof DamagedError && (await isOurs(folder))) return error;
    throw error;
  });
  if (found instanceof DamagedError) return begin(planned, [found]);
  const expected = { ...planned, plan: { ...planned.plan, chunks: found.manifest.plan.chunks } };
  if (found.manifest.planSha256 !== hashPlan(expected)) throw differentPlan(folder, found.manifest, expected);
  const damaged = found.files === null ? [] : await damagedLayers(folder, found, signal);
  if (damaged.length > 0) return begin(found.manifest, damaged);
  if (found.files === null) await makeFolder(join(folder, 'parts'));
  return { ...found, damaged };
}

/** Beside a damaged manifest lie the parts or layers of a run: it was a run's, not a file of another program. */
async function isOurs(folder: string): Promise<boolean> {
  const names = await readdir(folder);
  return names.includes('parts') || names.includes('layers');
}

/** Layers of a finished run that are missing, damaged or another's. */
export async function damagedLayers(
  folder: string,
  listed: ListedManifest,
  signal?: AbortSignal,
): Promise<DamagedError[]> {
  const damaged: DamagedError[] = [];
  for (let layer = 0; layer < listed.manifest.shape.layers; layer++) {
    await checkLayer(folder, listed, layer, { signal }).catch((error: unknown) => {
      if (!(error instanceof DamagedError)) throw error;
      damaged.push(error);
    });
  }
  return damaged;
}

/** Chunks that have no part yet. */
export function missingParts(folder: string, { plan }: RunManifest): number[] {
  const count = plan.chunks.length;
  return plan.chunks.map((_, chunk) => chunk).filter((chunk) => !existsSync(partPath(folder, chunk, count)));
}

/** Files of ours begin with a dot while they are written; anything else is not ours to write beside. */
async function refuseForeignFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw toOutputError(cause, folder);
  });
  const foreign = names.filter((name) => !name.startsWith('.'));
  if (foreign.length === 0) return;
  throw new RunError({
    what: 'the folder holds something that is not a run',
    where: folder,
    expected: 'a new or empty folder, or a run to go on with',
    found: foreign.slice(0, 5).join(', '),
    remedy: 'choose another folder with --out',
  });
}

function differentPlan(folder: string, found: RunManifest, expected: RunManifest): RunError {
  const differences = planDifferences(found, expected);
  return new RunError({
    what: `the folder holds a run with a different plan: ${differences.map(({ name }) => name).join(', ')}`,
    where: folder,
    expected: differences.map(({ name, expected }) => `${name} ${expected}`).join('; '),
    found: differences.map(({ name, found }) => `${name} ${found}`).join('; '),
    remedy: 'repeat the options of that run to go on with it, or choose another folder with --out',
  });
}

interface Difference {
  readonly name: string;
  readonly expected: string;
  readonly found: string;
}

/** Lists the differences of two plans, named as the user would change them. */
function planDifferences(found: RunManifest, expected: RunManifest): Difference[] {
  const describe: Readonly<Record<string, (manifest: RunManifest) => unknown>> = {
    'babelscope version': ({ babelscope }) => babelscope,
    'onnxruntime and device': ({ onnxruntime }) => onnxruntime,
    model: ({ model }) => model.name,
    commit: ({ model }) => model.revision ?? 'none',
    weights: ({ model }) => model.weightsSha256?.slice(0, 12) ?? 'unknown',
    config: ({ model }) => model.configSha256?.slice(0, 12) ?? 'unknown',
    adapter: ({ model: { adapter } }) =>
      adapter === null ? 'none' : `${adapter.name} ${adapter.weightsSha256.slice(0, 12)}`,
    ...Object.fromEntries(
      [...new Set([found, expected].flatMap(({ model }) => Object.keys(model.tokenizerFiles ?? {})))].map(
        (name) => [name, ({ model }: RunManifest) => model.tokenizerFiles?.[name]?.slice(0, 12) ?? 'none'],
      ),
    ),
    probes: ({ probe }) => `${probe.name} ${probe.version} (${probe.sha256.slice(0, 12)})`,
    languages: ({ plan }) => plan.languages.join(' '),
    'number of items': ({ plan }) => plan.items.length,
    seed: ({ plan }) => plan.seed,
    positions: ({ plan }) => plan.positions,
    countFirst: ({ plan }) => plan.countFirst,
    bos: ({ plan }) => plan.bos,
    'sequence length': ({ plan }) => plan.sequenceLength ?? 'none',
    'tokens per language': ({ plan }) => plan.tokensPerLanguage ?? 'all',
    keep: ({ plan }) => plan.keep,
    pooling: ({ plan }) => plan.pooling,
    hooks: ({ plan }) => plan.hooks.join(' '),
  };
  const differences = Object.entries(describe)
    .map(([name, of]) => ({ name, expected: String(of(expected)), found: String(of(found)) }))
    .filter((difference) => difference.expected !== difference.found);
  if (differences.length > 0) return differences;
  return [{ name: 'items or their folds', expected: expected.planSha256, found: found.planSha256 }];
}
