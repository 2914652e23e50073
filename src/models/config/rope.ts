import type { Rope } from '../../checkpoint/index.js';
import { CheckpointError } from '../../errors.js';
import type { Rotation } from '../layers/rope.js';

/** Sizes that the rotation of heads depends on besides the rope's own parameters. */
export interface RotatedHeads {
  readonly headDim: number;
  /** `max_position_embeddings` of config.json. */
  readonly maxPositions: number;
  /** Names the file in errors. */
  readonly where: string;
}

/**
 * How heads are rotated. Numbers are rounded to float32 where transformers rounds, so that far positions have the same
 * angles. Where transformers makes the rotation depend on the length of the whole batch, padding included (dynamic,
 * longrope), here it depends on the length of each prompt: what transformers gives the prompt by itself.
 *
 * @throws CheckpointError for parameters that do not fit the heads.
 */
export function rotationOf(rope: Rope, { headDim, maxPositions, where }: RotatedHeads): Rotation {
  const rotated = Math.floor(headDim * rope.partialRotaryFactor);
  if (rotated < 2 || rotated % 2 !== 0) {
    throw new CheckpointError({
      what: 'rotary embedding needs an even number of dimensions of a head',
      where,
      found: `${rotated} of head size ${headDim} (partial_rotary_factor ${rope.partialRotaryFactor})`,
      remedy: 'download config.json again, or give head_dim in it',
    });
  }
  // θ^(2i/d): the wavelength of pair i, over 2π.
  const lengths = Float32Array.from(
    { length: rotated / 2 },
    (_, i) => rope.theta ** Math.fround((2 * i) / rotated),
  );
  const plain: Rotation = {
    inverseFrequencies: lengths.map((length) => 1 / length),
    interleaved: false,
    factor: 1,
    longer: null,
  };
  switch (rope.type) {
    case 'default':
      return plain;
    case 'linear':
      return { ...plain, inverseFrequencies: plain.inverseFrequencies.map((f) => f / rope.factor) };
    case 'dynamic': {
      const exponents = Float32Array.from(lengths, (_, i) => (-2 * i) / (rotated - 2));
      return { ...plain, longer: { than: maxPositions, growth: rope.factor, exponents } };
    }
    case 'llama3':
      return { ...plain, inverseFrequencies: plain.inverseFrequencies.map((f) => llama3(f, rope)) };
    case 'yarn':
      return {
        ...plain,
        inverseFrequencies: yarn(lengths, rope, rope.originalMaxPositions ?? maxPositions),
        factor: rope.attentionFactor ?? yarnAttention(rope),
      };
    case 'longrope':
      return { ...plain, ...longrope(lengths, rope, maxPositions, where) };
  }
}

type OfType<Type extends Rope['type']> = Extract<Rope, { type: Type }>;

/**
 * Llama 3.1's scaling (Meta 2024): long wavelengths are stretched by `factor`, short ones kept, those between
 * interpolated.
 */
function llama3(frequency: number, rope: OfType<'llama3'>): number {
  const turns = rope.originalMaxPositions / ((2 * Math.PI) / frequency);
  if (turns < rope.lowFreqFactor) return frequency / rope.factor;
  if (turns > rope.highFreqFactor) return frequency;
  const smooth = (turns - rope.lowFreqFactor) / (rope.highFreqFactor - rope.lowFreqFactor);
  return ((1 - smooth) * frequency) / rope.factor + smooth * frequency;
}

/**
 * YaRN (Peng et al. 2023): pairs that turn more than `betaFast` times within the original context are kept, those that
 * turn less than `betaSlow` times are stretched by `factor`, with a linear ramp between.
 */
function yarn(lengths: Float32Array, rope: OfType<'yarn'>, originalMaxPositions: number): Float32Array {
  const dimensions = 2 * lengths.length;
  const pairThatTurns = (turns: number): number =>
    (dimensions * Math.log(originalMaxPositions / (turns * 2 * Math.PI))) / (2 * Math.log(rope.theta));
  const round = rope.truncate ? { down: Math.floor, up: Math.ceil } : { down: Number, up: Number };
  const low = Math.max(round.down(pairThatTurns(rope.betaFast)), 0);
  const end = Math.min(round.up(pairThatTurns(rope.betaSlow)), dimensions - 1);
  const high = low === end ? end + 0.001 : end;
  return lengths.map((length, i) => {
    const stretched = Math.min(1, Math.max(0, (i - low) / (high - low)));
    return stretched / Math.fround(rope.factor * length) + (1 - stretched) / length;
  });
}

/** By how much YaRN sharpens attention, as config.json's mscale and factor have it. */
function yarnAttention({ factor, mscale, mscaleAllDim }: OfType<'yarn'>): number {
  const sharpening = (scale: number): number => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  return mscale !== null && mscaleAllDim !== null
    ? sharpening(mscale) / sharpening(mscaleAllDim)
    : sharpening(1);
}

/** LongRoPE (Ding et al. 2024): a factor a pair, one list for prompts within the original context, one beyond. */
function longrope(
  lengths: Float32Array,
  rope: OfType<'longrope'>,
  maxPositions: number,
  where: string,
): Pick<Rotation, 'inverseFrequencies' | 'factor' | 'longer'> {
  const stretch = (factors: readonly number[], field: string): Float32Array => {
    if (factors.length === lengths.length)
      return lengths.map((length, i) => 1 / (Math.fround(factors[i]!) * length));
    throw new CheckpointError({
      what: `field "${field}" has another length than there are rotated pairs in a head`,
      where,
      expected: `${lengths.length} factors`,
      found: String(factors.length),
      remedy: 'download config.json again',
    });
  };
  const original = rope.originalMaxPositions ?? maxPositions;
  const factor = rope.originalMaxPositions === null ? (rope.factor ?? 1) : maxPositions / original;
  const sharpening = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
  return {
    inverseFrequencies: stretch(rope.shortFactor, 'short_factor'),
    longer: { than: original, inverseFrequencies: stretch(rope.longFactor, 'long_factor') },
    factor: rope.attentionFactor ?? sharpening,
  };
}
