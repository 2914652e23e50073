import { join } from 'node:path';
import { openCheckpoint } from '../checkpoint/index.js';
import { UsageError } from '../errors.js';
import { Draws } from '../stats/index.js';
import { streamSafetensors } from '../store/index.js';
import { copyCheckpoint, makeWholeFolder, writeConfig } from './new-checkpoint.js';
import { elementsOf, readWeight } from './stored-weight.js';

/** Largest relative error of rounding to bfloat16, whose significand has eight bits. */
export const BF16_ROUNDING = 2 ** -9;

/** Elements that are moved at once. */
const SLAB = 1 << 20;

export interface WeightNoiseOptions {
  /** Default 0. */
  readonly seed?: number | undefined;
  /** A weight w becomes w·(1 + e), e uniform in ± this. Default: what rounding to bfloat16 may do. */
  readonly relative?: number | undefined;
}

/**
 * Writes a copy of a checkpoint whose weights are all moved a little: by default by no more than rounding them to
 * bfloat16 would. Stored as float32, since bfloat16 would round most of the noise away again; in one file.
 *
 * A model and its copy are, to every purpose, the same: no comparison should find a change.
 *
 * @throws CheckpointError for an unusable checkpoint; UsageError if there is something at `out`; OutputError
 */
export async function addWeightNoise(
  checkpoint: string,
  out: string,
  { seed = 0, relative = BF16_ROUNDING }: WeightNoiseOptions = {},
): Promise<void> {
  if (!(relative >= 0 && relative < 1)) {
    throw new UsageError({
      what: 'unusable value',
      where: 'relative',
      expected: '0 ≤ noise < 1',
      found: `${relative}`,
    });
  }
  const source = await openCheckpoint(checkpoint);
  const tensors = [...source.tensors.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const random = new Draws(seed);
  async function* moved() {
    for (const tensor of tensors) {
      const elements = elementsOf(tensor);
      for (let first = 0; first < elements; first += SLAB) {
        const values = await readWeight(source, tensor, first, Math.min(SLAB, elements - first));
        for (let i = 0; i < values.length; i++) values[i]! *= 1 + relative * (2 * random.uniform() - 1);
        yield values;
      }
    }
  }
  await makeWholeFolder(out, async (folder) => {
    await copyCheckpoint(source, folder, { weights: false });
    const field = 'torch_dtype' in source.config ? 'torch_dtype' : 'dtype';
    await writeConfig(folder, { ...source.config, [field]: 'float32' });
    await streamSafetensors(
      join(folder, 'model.safetensors'),
      tensors.map(({ name, shape }) => ({ name, shape, dtype: 'F32' })),
      moved(),
      { format: 'pt' },
    );
  });
}
