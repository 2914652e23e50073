import { lape, RateSummary, type ReferenceCut, tang2024Units } from '../scores/index.js';
import { tokensOf, type UnitType } from '../store/index.js';
import type { Comparison, UnitDescription } from './comparison.js';
import { ratesOf, scoreSubset } from './inputs/layer-scores.js';
import { type Regime, runsOf } from './inputs/regimes.js';
import { RunPairs } from './inputs/run-pairs.js';
import type { LayerUnits, RunSource } from './inputs/run-source.js';
import { LanguageCounts, RunTally } from './inputs/tally.js';
import { TopHeads } from './inputs/top-heads.js';
import { finiteOrNull } from './numbers.js';
import { entropyEdges, ReallocationBuilder } from './profile.js';
import { unitQuantities } from './quantities/index.js';
import { comparedPairs, type Design, notWithout, type Quantity } from './quantities/quantity.js';
import { RunDescription } from './run-description.js';

export type ComparedUnits = Pick<Comparison, 'headMaps' | 'expertMaps' | 'headOverlaps' | 'reliability'> & {
  readonly description: UnitDescription;
  /** Held fixed in every run. */
  readonly cut: ReferenceCut;
  readonly quantities: readonly Quantity[];
};

/**
 * Compares one unit type over runs, the first being the reference. Walks the layers twice: once the reference's fold
 * sums, for the cut; then every layer of every run, some units at a time, whose scores over all subsets of folds are tallied
 * and dropped. Of such a block the selected units of all runs are in memory at a time, and the scores of two.
 *
 * @param fraction Share of units that the reference run selects; default 0.01 (Tang et al., ACL 2024).
 * @param onLayer Called after each layer of each run.
 */
export async function compareUnits(
  type: UnitType,
  regimes: readonly Regime[],
  { subsets, scopes }: Pick<Design, 'subsets' | 'scopes'>,
  fraction: number | undefined,
  onLayer: () => Promise<void>,
): Promise<ComparedUnits> {
  const compared = regimes.map(({ run }) => run);
  const reference = compared[0]!;
  const { runs } = runsOf(regimes);
  const { layers, languages } = reference;
  const layout = reference.layout(type);
  const cut = await fixedCut(type, reference, subsets.folds[subsets.full]!, fraction);

  const tallies = runs.map(() => scopes.map(() => new RunTally(subsets.folds.length, layers)));
  const counts = runs.map(() => new LanguageCounts(subsets.folds.length, languages));
  const pairs = new RunPairs(runs.length, compared.length, subsets, scopes.length);
  const described = compared.map((run) => new RunDescription(run, type, subsets));
  const topHeads = (type === 'head' ? runs : []).map(
    ({ manifest }) => new TopHeads(subsets.folds.length, languages, layers, manifest.shape.heads ?? 0),
  );
  const moves = comparedPairs(compared.length).map((pair) => ({
    ...pair,
    reallocation: new ReallocationBuilder(languages),
  }));

  for (const range of blocksOf(reference, type)) {
    /** [run][scope][subset]. */
    const assignments: Int16Array[][][] = [];
    for (const [r, run] of runs.entries()) {
      const block = await run.readUnits(type, range, scopes, { vectors: r < compared.length });
      const own: Int16Array[][] = scopes.map(() => []);
      for (const [subset, folds] of subsets.folds.entries()) {
        const scores = scoreSubset(block, folds, cut, scopes);
        for (const [scope, ofScope] of scores.scopes.entries()) {
          tallies[r]![scope]!.add(subset, range.layer, ofScope);
          own[scope]!.push(ofScope.assignment);
        }
        counts[r]!.add(subset, scores.selection.member);
        described[r]?.add(subset, block, scores);
        topHeads[r]?.add(subset, block, scores.rates);
        if (subset === subsets.full) described[r]?.addFull(block, scores);
      }
      assignments.push(own);
      if (range.unitEnd === layout.widths[range.layer]) await onLayer();
    }
    pairs.add(assignments);
    for (const { from, to, reallocation } of moves) {
      reallocation.add(assignments[from]![0]![0]!, assignments[to]![0]![0]!);
    }
  }

  const quantities = unitQuantities({
    type,
    layers,
    tags: reference.manifest.plan.languages,
    scopes,
    runs: tallies,
    counts,
    topHeads,
    pairs,
    unselected: Number.isNaN(cut.entropyCut)
      ? `the reference selects none: ${whyNone(type, layout.units, cut)}`
      : null,
  });
  const shape = { folds: reference.manifest.plan.folds, languages };
  const lacks = subsets.folds.map((folds) => tokensOf(reference.tokens, shape, folds).some((n) => n === 0));
  return {
    cut,
    quantities: notWithout(quantities, lacks),
    description: {
      type,
      rate: reference.rateOf(type),
      policy: {
        entropyCut: finiteOrNull(cut.entropyCut),
        bar: finiteOrNull(cut.bar),
        fraction: cut.fraction,
      },
      entropyEdges: entropyEdges(languages),
      profiles: described.map((description, r) => description.profile(tallies[r]![0]!)),
      reallocations: moves.map(({ from, to, reallocation }) =>
        reallocation.finish(compared[from]!.label, compared[to]!.label),
      ),
    },
    headMaps: described.flatMap((description) => description.headMap() ?? []),
    expertMaps: described.flatMap((description) => description.expertMap() ?? []),
    headOverlaps: compared.flatMap(({ label }, r) => topHeads[r]?.finish(label) ?? []),
    reliability: described.flatMap((description) => description.reliability()),
  };
}

function whyNone(type: UnitType, all: number, { fraction, bar, reachesEven }: ReferenceCut): string {
  if (reachesEven)
    return `${100 * fraction} % of the ${type}s would reach an entropy of ln K, that of units that fire alike in all languages`;
  if (fraction * all <= 0.5)
    return `${100 * fraction} % of ${all} ${type}s is ${(fraction * all).toFixed(2)}`;
  return `no ${type} with an entropy has a rate above the bar, the 95th percentile of all (${Number(bar.toPrecision(3))})`;
}

/** The `reference` policy's numbers, from all folds and layers of the reference run. */
async function fixedCut(
  type: UnitType,
  reference: RunSource,
  folds: readonly number[],
  fraction: number | undefined,
): Promise<ReferenceCut> {
  const { languages } = reference;
  const { starts, units } = reference.layout(type);
  const summary = new RateSummary(languages, units);
  for (const range of blocksOf(reference, type)) {
    const rates = ratesOf(await reference.readSums(type, range), folds);
    summary.add(starts[range.layer]! + range.unitStart, rates, lape(rates, languages));
  }
  return tang2024Units(summary, fraction === undefined ? {} : { fraction });
}

/** All units of a run, layer by layer. */
function blocksOf(run: RunSource, type: UnitType): LayerUnits[] {
  return Array.from({ length: run.layers }, (_, layer) => run.blocks(type, layer)).flat();
}
