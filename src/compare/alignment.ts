import { openDotProducts } from '../runtime/index.js';
import { languagePairs, type PairAlignment } from '../scores/index.js';
import type { Comparison } from './comparison.js';
import { AlignmentTally } from './inputs/alignment-tally.js';
import { type Regime, runsOf } from './inputs/regimes.js';
import type { RunSource } from './inputs/run-source.js';
import { alignmentQuantities } from './quantities/alignment.js';
import type { Design, Quantity } from './quantities/quantity.js';

/** Whether runs hold what their alignment is computed from. */
export function canAlign(runs: readonly RunSource[]): boolean {
  return runs.every(
    ({ keepsResidual, languages, manifest }) =>
      keepsResidual && languages > 1 && manifest.probe.parallel !== false,
  );
}

/** Reads the alignment of languages of every run and training seed, layer by layer, and gives its quantities. */
export async function compareAlignment(
  regimes: readonly Regime[],
  { subsets, scopes, contrasts }: Pick<Design, 'subsets' | 'scopes' | 'contrasts'>,
  onLayer: () => Promise<void>,
): Promise<{ readonly quantities: Quantity[]; readonly described: NonNullable<Comparison['alignment']> }> {
  const { runs } = runsOf(regimes);
  const { layers, languages, manifest } = runs[0]!;
  // Of seeds only contrasts ask for more than all folds.
  const foldsOf = (run: number) =>
    run < regimes.length || contrasts.length > 0 ? subsets.folds : subsets.folds.slice(0, 1);
  const tallies = runs.map((_, run) => new AlignmentTally(scopes, foldsOf(run), layers));
  const items = new Set<number>();
  let measured = 0;
  const products = await openDotProducts(manifest.shape.dModel ?? 0);
  try {
    for (let l = 0; l < layers; l++) {
      const ofRuns: PairAlignment[][] = [];
      for (const run of runs) {
        ofRuns.push(await run.readAlignment(l, products));
        await onLayer();
      }
      // A pair counts where every run has it, so that runs are means over the same pairs.
      const usable = ofRuns[0]!.map((_, p) => ofRuns.every((pairs) => pairs[p]!.sums.foldOf.length > 1));
      for (const [r, pairs] of ofRuns.entries()) {
        const own = pairs.filter((_, p) => usable[p]);
        tallies[r]!.add(l, own);
        for (const { sums } of own) items.add(sums.foldOf.length);
      }
      measured = usable.filter((of) => of).length;
    }
  } finally {
    await products.release();
  }
  return {
    quantities: alignmentQuantities(tallies, scopes, layers),
    described: {
      pooling: manifest.plan.pooling,
      pairs: { measured, all: languagePairs(languages).length },
      items: items.size === 0 ? [0, 0] : [Math.min(...items), Math.max(...items)],
    },
  };
}
