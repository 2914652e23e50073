import { CheckpointError } from '../../errors.js';
import type { Checkpoint, WeightTensor } from '../types.js';

/**
 * The named weight, if it is stored with the shape the configuration implies and in a type graphs can read.
 *
 * @throws CheckpointError naming the tensor: missing (with the nearest names there are), stacked with those of other
 * experts, of another shape, or of an unsupported type.
 */
export function requireTensor(checkpoint: Checkpoint, name: string, shape: readonly number[]): WeightTensor {
  const tensor = checkpoint.tensors.get(name);
  if (tensor === undefined) {
    const unreadable = checkpoint.unreadable.get(name);
    if (unreadable !== undefined) {
      throw new CheckpointError({
        what: `weight ${JSON.stringify(name)} is stored in a type that is not supported`,
        where: `${checkpoint.folder}, ${unreadable.location}`,
        expected: 'F64, F32, F16 or BF16',
        found: unreadable.dtype,
        remedy: 'give the unquantised checkpoint, or convert the weights to bfloat16 with transformers',
      });
    }
    throw missing(checkpoint, name, shape);
  }
  if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis])) {
    throw new CheckpointError({
      what: `weight ${JSON.stringify(name)} has another shape than config.json implies`,
      where: `${checkpoint.folder}, ${tensor.location}`,
      expected: `[${shape.join(', ')}]`,
      found: `[${tensor.shape.join(', ')}]`,
      remedy: 'config.json and weights are of different models: download both again',
    });
  }
  return tensor;
}

function missing(checkpoint: Checkpoint, name: string, shape: readonly number[]): CheckpointError {
  const names = [...checkpoint.tensors.keys(), ...checkpoint.unreadable.keys()];
  const stacked = stackedExperts(name, names);
  if (stacked !== undefined) {
    return new CheckpointError({
      what: 'the experts are stacked in one tensor, in a layout that is not read for this architecture',
      where: checkpoint.folder,
      expected: `a tensor an expert, such as ${name} [${shape.join(', ')}]`,
      found: stacked,
      remedy:
        'load the model with transformers 5 and save it with save_pretrained(folder), without save_original_format=False',
    });
  }
  const near = nearest(name, names, 3);
  return new CheckpointError({
    what: `weight ${JSON.stringify(name)} is missing`,
    where: checkpoint.folder,
    expected: `${name} [${shape.join(', ')}]`,
    found: names.length === 0 ? 'no weights at all' : `${names.length} tensors; nearest: ${near.join(', ')}`,
    remedy:
      names.length === 0
        ? 'download the weights into the folder'
        : 'check that config.json belongs to these weights and that all shards are there',
  });
}

/** A tensor of all experts of a layer where one of a single expert was looked for. */
function stackedExperts(name: string, names: readonly string[]): string | undefined {
  const [, experts] = /^(.*\.experts\.)\d+\./.exec(name) ?? [];
  if (experts === undefined) return undefined;
  return names.find(
    (candidate) => candidate.startsWith(experts) && !/^\d/.test(candidate.slice(experts.length)),
  );
}

function nearest(name: string, names: readonly string[], count: number): string[] {
  return names
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** Levenshtein distance (1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
