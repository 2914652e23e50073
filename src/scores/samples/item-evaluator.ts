import { fromFloat16, type PooledGrid } from '../../store/index.js';
import { aurocOf } from '../definitions/auroc.js';
import { averagePrecisionOf } from '../definitions/average-precision.js';
import { DistributionOverlap } from '../definitions/distribution-overlap.js';
import { MutualInformation } from '../definitions/mutual-information.js';
import { selectivityOf } from '../definitions/selectivity.js';
import type { ItemParts, ItemValues } from './item-values.js';
import { PromptMoments } from './prompt-moments.js';
import { type PromptSample, RankWalk } from './rank-walk.js';

/** Scores one unit after another from pooled values, on as many samples of prompts as there are. */
export class ItemEvaluator {
  readonly #walk: RankWalk;
  readonly #moments: PromptMoments;
  readonly #overlap: DistributionOverlap;
  readonly #information: MutualInformation;
  /** [prompt]: float16 values widened. */
  readonly #wide: Float32Array;

  constructor(grid: PooledGrid) {
    const prompts = grid.item.length;
    this.#walk = new RankWalk(prompts, grid.languages);
    this.#moments = new PromptMoments(grid);
    this.#overlap = new DistributionOverlap(prompts, grid.languages);
    this.#information = new MutualInformation(prompts);
    this.#wide = new Float32Array(prompts);
  }

  /**
   * Takes a unit's values [prompt]; false if one is not finite, and then the unit has no scores. Uint16Array: bits of
   * float16.
   */
  load(
    values: Uint16Array | Float32Array | Float64Array,
    { ranks, mi, selectivity, overlap }: ItemParts,
  ): boolean {
    const halves = values instanceof Uint16Array;
    if (!(halves ? allFiniteHalves(values) : allFinite(values))) return false;
    if (ranks || mi) this.#walk.rank(values);
    if (!(selectivity || overlap)) return true;
    const wide = halves ? fromFloat16(values, this.#wide) : values;
    if (selectivity) this.#moments.load(wide);
    if (overlap) this.#overlap.load(wide);
    return true;
  }

  /** @param parts At most those it was loaded with. */
  evaluate(sample: PromptSample, { ranks, mi, selectivity, overlap }: ItemParts, out: ItemValues): void {
    if (ranks || mi) {
      this.#walk.walk(sample, mi);
      averagePrecisionOf(this.#walk, out.ap);
      aurocOf(this.#walk, out.auroc);
      if (mi) {
        out.mi = this.#information.of(this.#walk.bins, this.#walk.languages);
        out.miCorrection = this.#information.correction;
      }
    }
    if (selectivity) {
      const moments = this.#moments;
      moments.gather(sample);
      selectivityOf(moments.counts, moments.sums, moments.square, out.selectivity);
      out.languageSquares = moments.completeSumSquares;
    }
    if (overlap) {
      this.#overlap.count(sample);
      out.overlapMean = this.#overlap.means(out.overlap);
    }
  }

  /** Mutual information and overlap of half the items; the latter in half as many bins. */
  evaluateHalf(half: PromptSample, { mi, overlap }: ItemParts, out: ItemValues): void {
    if (mi) {
      this.#walk.walk(half, true);
      out.mi = this.#information.of(this.#walk.bins, this.#walk.languages);
    }
    if (overlap) {
      this.#overlap.count(half, 1);
      out.overlapMean = this.#overlap.means(out.overlap);
    }
  }
}

function allFinite(values: Float32Array | Float64Array): boolean {
  let sum = 0;
  for (let n = 0; n < values.length; n++) sum += values[n]! * 0;
  return sum === 0;
}

/** Infinities and NaN have all five bits of the exponent set. */
function allFiniteHalves(bits: Uint16Array): boolean {
  let carry = 0;
  for (let n = 0; n < bits.length; n++) carry |= (bits[n]! & 0x7c00) + 0x0400;
  return (carry & 0x8000) === 0;
}
