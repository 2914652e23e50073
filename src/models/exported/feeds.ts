import { CheckpointError } from '../../errors.js';
import { TensorProto_DataType, type TypeProto_Tensor, type ValueInfoProto } from '../../graph/index.js';
import type { Additions } from './additions.js';
import type { ForeignGraph } from './foreign-graph.js';

/** Sizes of attention, as a cache input tells them. */
export interface CacheSizes {
  readonly kvHeads: number | null;
  readonly headDim: number | null;
}

const CACHE = /^past(_key_values?)?[._]|^past_\d+$|^past_key_values?$/;

/**
 * Computes from the token ids what else a graph asks to be fed, for prompts that begin here and are not padded: a mask of ones,
 * positions from 0, and an empty cache.
 *
 * @param ids int64 [batch, seq]
 * @throws CheckpointError for an input of a meaning that is not known
 */
export function feedInputs(
  graph: ForeignGraph,
  needed: ReadonlySet<string>,
  ids: string,
  add: Additions,
): void {
  for (const input of graph.inputs) {
    const { name } = input;
    if (!needed.has(name)) continue;
    const tensor = tensorType(input);
    const { elemType } = tensor;
    const rank = tensor.shape?.dim.length;
    if (name === graph.ids) add.node('Cast', [ids], { to: elemType }, name);
    else if (CACHE.test(name)) feedCache(graph, input, ids, add);
    else if (name === 'attention_mask' && rank === 2) add.filled(add.sizes(ids, [0, 1]), 1, elemType, name);
    else if (name === 'token_type_ids' && rank === 2) add.filled(add.sizes(ids, [0, 1]), 0, elemType, name);
    else if ((name === 'position_ids' && rank === 2) || (name === 'cache_position' && rank === 1))
      feedPositions(name, elemType, rank, ids, add);
    else if (ZEROS.has(name) && tensor.shape?.dim.every(({ value }) => value.case === 'dimValue')) {
      const dims = tensor.shape.dim.map(({ value }) => Number(value.value));
      add.filled(add.int64(dims), 0, elemType, name);
    } else throw unknownInput(graph, name, rank);
  }
}

/** Inputs whose 0 means what we want: not from the cache; logits of all positions; nothing before. */
const ZEROS = new Set(['use_cache_branch', 'num_logits_to_keep', 'logits_to_keep', 'past_sequence_length']);

function feedPositions(name: string, elemType: number, rank: number, ids: string, add: Additions): void {
  const seq = add.node('Reshape', [add.sizes(ids, [1]), add.int64([])]);
  const positions = add.node('Range', [add.int64(0), seq, add.int64(1)]);
  const expanded = rank === 1 ? positions : add.node('Expand', [positions, add.sizes(ids, [0, 1])]);
  add.node('Cast', [expanded], { to: elemType }, name);
}

/** A cache without positions: sizes that are written into the graph are kept, the batch is ours, any other is 0. */
function feedCache(graph: ForeignGraph, input: ValueInfoProto, ids: string, add: Additions): void {
  const { elemType, shape } = tensorType(input);
  const batch = shape === undefined ? -1 : batchAxis(input);
  if (shape === undefined || batch === -1) throw unknownInput(graph, input.name, shape?.dim.length);
  const sizes = shape.dim.map(({ value }, axis) => {
    if (axis === batch) return add.sizes(ids, [0]);
    return add.int64([value.case === 'dimValue' ? Number(value.value) : 0]);
  });
  add.filled(add.node('Concat', sizes, { axis: 0 }), 0, elemType, input.name);
}

/** [batch, heads, past, size], or keys and values in one: [2, batch, heads, past, size], [batch, past, 2·size]. */
function batchAxis(input: ValueInfoProto): number {
  const dims = tensorType(input).shape!.dim;
  const named = dims.findIndex(
    ({ value }) => value.case === 'dimParam' && /^batch(_size)?$/.test(value.value),
  );
  if (named !== -1) return named;
  return dims.length === 4 && dims[0]!.value.case !== 'dimValue' ? 0 : -1;
}

/** Heads and their size, as the inputs of the cache have them written into their shapes. */
export function cacheSizes(graph: ForeignGraph): CacheSizes {
  const caches = graph.inputs.filter(({ name }) => CACHE.test(name));
  // Values may have another size than keys.
  const cache = caches.find(({ name }) => /value/.test(name) && !/key$/.test(name)) ?? caches[0];
  const dims = cache === undefined ? [] : (tensorType(cache).shape?.dim ?? []);
  const fixed = (axis: number): number | null => {
    const value = dims.at(axis)?.value;
    return value?.case === 'dimValue' ? Number(value.value) : null;
  };
  return dims.length < 4 ? { kvHeads: null, headDim: null } : { kvHeads: fixed(-3), headDim: fixed(-1) };
}

const NO_TENSOR = { elemType: TensorProto_DataType.UNDEFINED, shape: undefined };

function tensorType({ type }: ValueInfoProto): Pick<TypeProto_Tensor, 'elemType' | 'shape'> {
  return type?.value.case === 'tensorType' ? type.value.value : NO_TENSOR;
}

function unknownInput(graph: ForeignGraph, name: string, rank: number | undefined): CheckpointError {
  const encoder = /encoder|pixel|audio|image|embeds/.test(name);
  return new CheckpointError({
    what: `it is not known what to feed the input ${name}${rank === undefined ? '' : ` of rank ${rank}`}`,
    where: graph.file.path,
    expected: 'input_ids, attention_mask, position_ids, token_type_ids, cache_position, past_key_values.…',
    found: graph.inputs
      .slice(0, 8)
      .map((input) => input.name)
      .join(', '),
    remedy: encoder
      ? 'models with an encoder are not supported: give a decoder that reads token ids alone'
      : 'export the model as plain text generation, with or without a cache',
  });
}
