import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { CheckpointError } from '../errors.js';
import { parseHubPath } from './hub/cache-folder.js';
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from './lora/lora-config.js';
import { sha256OfFiles } from './sha256-of-files.js';
import { isScale, isStoredTable } from './stored-tables.js';
import { findTokenizerFiles, hashTokenizerFiles } from './tokenizer-files.js';
import type { Adapter, AdapterIdentity, Checkpoint, ModelIdentity } from './types.js';

/**
 * Name, revision, size and SHA-256 fingerprints of a checkpoint. Reads every byte of config, weights and tokenizer.
 *
 * @throws CheckpointError if there are no weights or a file cannot be read.
 */
export async function identifyCheckpoint(checkpoint: Checkpoint): Promise<ModelIdentity> {
  const { folder, tensors, tokenizerJson } = checkpoint;
  if (tensors.size === 0) {
    throw new CheckpointError({
      what: 'there are no weights to identify the checkpoint by',
      where: folder,
      remedy: 'download the weights into the folder',
    });
  }
  const hub = parseHubPath(folder);
  return {
    name: hub?.name ?? (basename(folder) || dirname(folder)),
    revision: hub?.revision ?? null,
    ref: checkpoint.ref,
    ...namesOf(checkpoint),
    ...countParameters(checkpoint),
    configSha256: await sha256OfFiles([join(folder, 'config.json')]),
    weightsSha256: await sha256OfFiles(weightFiles(checkpoint).map(({ path }) => path)),
    tokenizerSha256: tokenizerJson === null ? null : await sha256OfFiles([tokenizerJson]),
    tokenizerFiles: await hashTokenizerFiles(tokenizerFilesOf(checkpoint)),
    adapter: checkpoint.adapter === null ? null : await identifyAdapter(checkpoint.adapter),
  };
}

const unnamed = z.string().min(1).nullish().catch(null);
const namesSchema = z.object({
  architectures: z.array(z.string()).nullish().catch(null),
  model_type: unnamed,
});

/** What config.json calls the model; whoever reads the weights knows its architecture where the file does not. */
function namesOf({ config }: Checkpoint): Pick<ModelIdentity, 'architecture' | 'modelType'> {
  const { architectures, model_type: modelType } = namesSchema.parse(config);
  const architecture = architectures?.[0];
  return {
    architecture: architecture ?? modelType ?? 'unknown',
    modelType: modelType ?? architecture ?? 'unknown',
  };
}

/** A weight file and the bytes that its header says it has. */
export interface WeightFile {
  readonly path: string;
  readonly bytes: number;
}

/** The checkpoint's weight files, an adapter's not among them, in order of location. */
function weightFiles({ tensors, unreadable, weightsRoot }: Checkpoint): WeightFile[] {
  const ends = new Map<string, number>();
  for (const { location, offset, byteLength } of [...tensors.values(), ...unreadable.values()]) {
    ends.set(location, Math.max(ends.get(location) ?? 0, offset + byteLength));
  }
  return [...ends]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([location, bytes]) => ({ path: join(weightsRoot, location), bytes }));
}

/** The files that decide what a model computes: weights, an adapter's among them, and all others. */
export function filesOf(checkpoint: Checkpoint): {
  readonly weights: readonly WeightFile[];
  readonly others: readonly string[];
} {
  const { folder, adapter } = checkpoint;
  const ofAdapter =
    adapter === null ? [] : weightFiles({ ...checkpoint, tensors: adapter.tensors, unreadable: new Map() });
  return {
    weights: [...weightFiles(checkpoint), ...ofAdapter],
    others: [
      join(folder, 'config.json'),
      ...tokenizerFilesOf(checkpoint),
      ...(adapter === null ? [] : [join(adapter.folder, ADAPTER_CONFIG)]),
    ],
  };
}

function tokenizerFilesOf({ folder }: Checkpoint): string[] {
  return findTokenizerFiles((name) => (existsSync(join(folder, name)) ? join(folder, name) : null));
}

async function identifyAdapter({ folder, ref }: Adapter): Promise<AdapterIdentity> {
  const hub = parseHubPath(folder);
  return {
    name: hub?.name ?? basename(folder),
    revision: hub?.revision ?? null,
    ref,
    configSha256: await sha256OfFiles([join(folder, ADAPTER_CONFIG)]),
    weightsSha256: await sha256OfFiles([join(folder, ADAPTER_WEIGHTS)]),
  };
}

type StoredDtype = Exclude<ModelIdentity['dtype'], 'I8' | 'I4' | null>;

/** Elements over the stored weights, tied ones once, and the type most of them have. Scales are no parameters. */
function countParameters({
  config,
  tensors,
  unreadable,
}: Checkpoint): Pick<ModelIdentity, 'parameters' | 'dtype'> {
  const elements: Record<StoredDtype, number> = { F64: 0, F32: 0, F16: 0, BF16: 0, F8_E4M3: 0, MXFP4: 0 };
  for (const { name, dtype, shape } of [...tensors.values(), ...unreadable.values()]) {
    // A copy that is ignored on loading.
    if (name === 'lm_head.weight' && config.tie_word_embeddings === true) continue;
    if (isStoredTable(name) || isScale(name)) continue;
    const count = shape.reduce((product, size) => product * size, 1);
    if (dtype === 'U8' && name.endsWith('_blocks')) elements.MXFP4 += 2 * count;
    else if (Object.hasOwn(elements, dtype)) elements[dtype as StoredDtype] += count;
  }
  const dtypes: StoredDtype[] = ['BF16', 'F16', 'F32', 'F64', 'F8_E4M3', 'MXFP4'];
  const dtype = dtypes.reduce((most, next) => (elements[next] > elements[most] ? next : most));
  return { parameters: dtypes.reduce((sum, type) => sum + elements[type], 0), dtype };
}

/** Hexadecimal digits that stand for a commit, as git shortens it. */
const SHORT_COMMIT = 7;

/**
 * The name that a reader gives the model: its name, and for one of the hub the revision too (`org/name@step1000`, or the
 * shortened commit where no branch or tag was asked for), so that training checkpoints are told apart; behind a plus the
 * adapter that is applied to it.
 */
export function modelLabel(model: Named & { readonly adapter: Named | null }): string {
  const { adapter } = model;
  return adapter === null ? withRevision(model) : `${withRevision(model)} + ${withRevision(adapter)}`;
}

type Named = Pick<ModelIdentity, 'name' | 'ref' | 'revision'>;

function withRevision({ name, ref, revision }: Named): string {
  const asked = ref === null || ref === revision ? (revision?.slice(0, SHORT_COMMIT) ?? null) : ref;
  return asked === null ? name : `${name}@${asked}`;
}
