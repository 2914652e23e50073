import { InterruptedError } from '../../errors.js';
import { openDotProducts } from '../../runtime/index.js';
import { type FoldHalves, jackknife } from '../../stats/index.js';
import type { Run } from '../../store/index.js';
import { type Alignment, alignmentOver } from '../definitions/alignment.js';
import { HalfScores, leavingEachOut } from '../samples/half-scores.js';
import { languagePairs, layerAlignment } from '../samples/layer-alignment.js';
import type { AlignmentRow } from '../tables/alignment-columns.js';
import type { ReliabilityRow } from '../tables/summary.js';

export interface AlignmentScoring {
  /** Folds in which tokens were counted. */
  readonly folds: readonly number[];
  readonly halves: readonly FoldHalves[];
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each layer. */
  readonly onLayer: () => void;
}

/**
 * Alignment of every two languages in every layer, with delete-one-fold jackknife intervals. A left-out fold is no
 * candidate either. The bootstrap would not do for MEXA: an item drawn twice ties with itself and is never retrieved.
 * The jackknife's variance is, if anything, too large (Efron & Stein, 1981).
 *
 * @returns rows layer by layer, and the reliability of margin and MEXA over them.
 */
export async function scoreAlignment(
  run: Run,
  { folds, halves, threads, signal, onLayer }: AlignmentScoring,
): Promise<{ readonly rows: readonly AlignmentRow[]; readonly reliability: readonly ReliabilityRow[] }> {
  const { plan, shape } = run.manifest;
  const tags = plan.languages;
  const pairs = languagePairs(tags.length).length;
  const sample = Uint32Array.from({ length: shape.layers * pairs }, (_, row) => row);
  const halved = { margin: new HalfScores(halves, sample), mexa: new HalfScores(halves, sample) };
  const rows: AlignmentRow[] = [];
  const products = await openDotProducts(shape.dModel ?? 0, threads);
  try {
    for (let l = 0; l < shape.layers; l++) {
      if (signal?.aborted) throw new InterruptedError({ what: 'scoring was stopped; nothing was written' });
      const layer = await run.layer(l);
      const aligned = await layerAlignment(layer, run.manifest, products).finally(() => layer.close());
      for (const { a, b, sums, leftOut } of aligned) {
        const value = alignmentOver(sums);
        // A fold without an item of the pair is none of its groups.
        const own = folds.filter((fold) => sums.foldOf.includes(fold));
        const replicates = leavingEachOut(own).map((chosen) => alignmentOver(sums, chosen));
        const interval = (of: (alignment: Alignment) => number, min: number, max: number) =>
          jackknife(of(value), replicates.map(of), { min, max });
        halved.margin.eachHalf((chosen, split, side) => {
          const { margin, mexa } = alignmentOver(sums, chosen);
          halved.margin.set(split, side, 0, rows.length, margin);
          halved.mexa.set(split, side, 0, rows.length, mexa);
        });
        rows.push({
          ...value,
          layer: l,
          languageA: tags[a]!,
          languageB: tags[b]!,
          leftOut,
          margin: interval(({ margin }) => margin, -2, 2),
          mexa: interval(({ mexa }) => mexa, 0, 1),
        });
      }
      onLayer();
    }
  } finally {
    await products.release();
  }
  return {
    rows,
    reliability:
      halves.length === 0
        ? []
        : [
            { type: 'residual', score: 'margin', ...halved.margin.reliability() },
            { type: 'residual', score: 'mexa', ...halved.mexa.reliability() },
          ],
  };
}
