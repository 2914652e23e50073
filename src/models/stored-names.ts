import type { Checkpoint, UnreadableTensor, WeightTensor } from '../checkpoint/index.js';
import { CheckpointError, listed } from '../errors.js';
import type { Architecture, Family } from './family.js';

/** A checkpoint's tensors under the names that graphs ask for, and the names they are stored under. */
export interface NamedTensors extends Pick<Checkpoint, 'tensors' | 'unreadable'> {
  /** By the name that graphs ask for. */
  readonly stored: ReadonlyMap<string, string>;
  /** Whether the weights hold an unembedding, of their own or tied to the embedding. */
  readonly hasHead: boolean;
}

/** What training programs put into names for a module that wraps another, wherever it stands. */
const WRAPPERS =
  /(^|\.)(?:(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module)\.)+/g;

/**
 * Gives the tensors the names that `save_pretrained` gives those of a causal language model, whatever program, class or
 * version of transformers stored them: without prefixes of wrapping modules, with or without the name of the base model, the
 * text model inside a model of images too, experts that are stacked in one tensor one by one.
 *
 * @throws CheckpointError where two tensors would bear one name, or where the weights hold two models
 */
export function nameTensors(
  checkpoint: Checkpoint,
  { names, tied }: Pick<Architecture, 'names' | 'tied'>,
  family: Family,
): NamedTensors {
  // From the name without wrappers to the stored one.
  const all = new Map<string, string>();
  for (const name of [...checkpoint.tensors.keys(), ...checkpoint.unreadable.keys()]) {
    const unwrapped = name.replace(WRAPPERS, '$1');
    if (all.has(unwrapped)) throw twice(checkpoint, unwrapped, [all.get(unwrapped)!, name]);
    all.set(unwrapped, name);
  }
  const [base, ...ownTable] = names.table.split('.') as [string, ...string[]];
  const own = (module: string): string => module.slice(base.length + 1);
  const prefix = findPrefix(
    checkpoint,
    [...all.keys()],
    `${ownTable.join('.')}.weight`,
    own(names.layers),
    base,
  );
  const head = `${names.head}.weight`;
  const headStored = tied ? undefined : findHead([...all.keys()], head, prefix, base);
  const rename = family.rename ?? ((name: string): string => name);

  const tensors = new Map<string, WeightTensor>();
  const unreadable = new Map<string, UnreadableTensor>();
  const stored = new Map<string, string>();
  for (const [name, from] of all) {
    const key = keyOf(name, { prefix, base, head, headStored });
    stored.set(rename(key), from);
    const tensor = checkpoint.tensors.get(from);
    if (tensor === undefined) {
      unreadable.set(rename(key), checkpoint.unreadable.get(from)!);
      continue;
    }
    tensors.set(rename(key), tensor);
    for (const [part, row] of expertRows(key, tensor)) {
      stored.set(rename(part), from);
      tensors.set(rename(part), row);
    }
  }
  const table = tensors.get(`${names.table}.weight`);
  const tiesElsewhere = headStored === undefined && !tied && saysTied(checkpoint.config);
  if (tiesElsewhere && table !== undefined) tensors.set(head, table);
  return { tensors, unreadable, stored, hasHead: tied || headStored !== undefined || tiesElsewhere };
}

interface Place {
  /** Before the names of the base model's weights, where they are stored. */
  readonly prefix: string;
  readonly base: string;
  readonly head: string;
  readonly headStored: string | undefined;
}

function keyOf(name: string, { prefix, base, head, headStored }: Place): string {
  if (headStored !== undefined && name.startsWith(headStored.replace(/\.weight$/, '.'))) {
    return head.replace(/weight$/, '') + name.slice(headStored.length - 'weight'.length);
  }
  return name.startsWith(prefix) ? `${base}.${name.slice(prefix.length)}` : name;
}

/** The prefix under which an embedding and layers stand. @throws CheckpointError for two of them, neither the usual one */
function findPrefix(
  { folder }: Checkpoint,
  names: readonly string[],
  table: string,
  layers: string,
  base: string,
): string {
  const usual = `${base}.`;
  const found = names
    .filter((name) => name === table || name.endsWith(`.${table}`))
    .map((name) => name.slice(0, -table.length))
    .filter((prefix) => names.some((name) => name.startsWith(`${prefix}${layers}.0.`)));
  if (found.length === 0 || found.includes(usual)) return usual;
  const [only, ...others] = found;
  if (others.length === 0) return only!;
  throw new CheckpointError({
    what: 'the weights hold more than one model',
    where: folder,
    expected: `one embedding, ${usual}${table}`,
    found: listed(
      found.map((prefix) => `${prefix}${table}`),
      5,
    ),
    remedy: 'save the model that is meant with save_pretrained(), alone',
  });
}

/** The unembedding as it is stored: beside the base model, or the only one of that name. */
function findHead(names: readonly string[], head: string, prefix: string, base: string): string | undefined {
  const outer = prefix.endsWith(`${base}.`) ? prefix.slice(0, -base.length - 1) : prefix;
  const likely = [`${outer}${head}`, head, `${prefix}${head}`].find((name) => names.includes(name));
  if (likely !== undefined) return likely;
  const found = names.filter((name) => name.endsWith(`.${head}`));
  return found.length === 1 ? found[0] : undefined;
}

const TEXT_PARTS = ['text_config', 'llm_config', 'language_config'] as const;

/** Versions 4 and 5 of transformers write the flag of a model with a text part at different places. */
function saysTied(config: Checkpoint['config']): boolean {
  const parts = [config, ...TEXT_PARTS.map((field) => config[field])];
  return parts.some(
    (part) => (part as Record<string, unknown> | null | undefined)?.tie_word_embeddings === true,
  );
}

const STACKED = /^(.*\.experts)\.(gate_up_proj|down_proj)$/;

/**
 * The matrices [out, in] of single experts in a tensor that transformers 5 stacks them in: `gate_up_proj` [experts, 2 × neurons,
 * in], gates before ups, and `down_proj` [experts, out, neurons]. Nothing is copied: they are stretches of the file.
 */
function expertRows(name: string, tensor: WeightTensor): [string, WeightTensor][] {
  const [, experts, part] = STACKED.exec(name) ?? [];
  const [count = 0, rows = 0, width = 0] = tensor.shape;
  if (experts === undefined || tensor.shape.length !== 3 || count === 0) return [];
  const parts = part === 'down_proj' ? ['down_proj'] : ['gate_proj', 'up_proj'];
  const byteLength = tensor.byteLength / count / parts.length;
  return Array.from({ length: count }, (_, expert) =>
    parts.map((projection, at): [string, WeightTensor] => [
      `${experts}.${expert}.${projection}.weight`,
      {
        ...tensor,
        name: `${tensor.name}[${expert}].${projection}`,
        shape: [rows / parts.length, width],
        offset: tensor.offset + (expert * parts.length + at) * byteLength,
        byteLength,
      },
    ]),
  ).flat();
}

function twice({ folder }: Checkpoint, name: string, stored: readonly string[]): CheckpointError {
  return new CheckpointError({
    what: `two tensors are the weight ${JSON.stringify(name)}`,
    where: folder,
    found: stored.join(', '),
    remedy: 'save the model alone with save_pretrained()',
  });
}
