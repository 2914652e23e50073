import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RunError } from '../../errors.js';
import {
  layerPath,
  makeFolder,
  manifestPath,
  partPath,
  type RunManifest,
  readManifest,
  toOutputError,
  writeManifest,
} from '../../store/index.js';
import { hashPlan } from '../plan/plan-run.js';

/**
 * Makes the folder of a run, or finds one of the same plan to go on with. How a found run was cut into chunks is kept: it
 * follows from the memory it was started with and changes nothing else.
 *
 * @returns the manifest to go on with
 * @throws RunError if the folder holds something else; OutputError if it cannot be written
 */
export async function openRunFolder(folder: string, planned: RunManifest): Promise<RunManifest> {
  await makeFolder(folder);
  if (!existsSync(manifestPath(folder))) {
    await refuseForeignFolder(folder);
    await writeManifest(folder, planned);
    await makeFolder(join(folder, 'parts'));
    return planned;
  }
  const found = await readManifest(folder);
  const expected = { ...planned, plan: { ...planned.plan, chunks: found.plan.chunks } };
  if (found.planSha256 !== hashPlan(expected)) throw differentPlan(folder, found, expected);
  if (!isMerged(folder, found)) await makeFolder(join(folder, 'parts'));
  return found;
}

/**
 * Whether every layer is merged and nothing is left to do. Layers appear before the parts go, so layers beside all
 * parts may be those of a merge that was cut short.
 */
export function isMerged(folder: string, manifest: RunManifest): boolean {
  const layers = Array.from({ length: manifest.shape.layers }, (_, l) => layerPath(folder, l));
  return layers.every((path) => existsSync(path)) && missingParts(folder, manifest).length > 0;
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
    tokenizer: ({ model }) => model.tokenizerSha256?.slice(0, 12) ?? 'none',
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
