import { lape, RateSummary, type ReferenceCut, tang2024Units } from '../../scores/index.js';
import type { Numbers, UnitType } from '../../store/index.js';
import { unitQuantities } from '../quantities/index.js';
import type { Quantity } from '../quantities/quantity.js';
import type { FoldSubsets } from './fold-subsets.js';
import { ratesOf, type Scope, scoreSubset, type UnitLayer } from './layer-scores.js';
import { RunPairs } from './run-pairs.js';
import type { LayerUnits, RunSource } from './run-source.js';
import { LanguageCounts, RunTally } from './tally.js';
import { TopHeads } from './top-heads.js';

/** Bytes that the rates of pseudo-runs may take while their cuts are found; more arrangements are read again. */
const CUT_BYTES = 2 ** 29;

export interface ExchangeOptions {
  /** Folds in which something was counted. */
  readonly live: readonly number[];
  readonly scopes: readonly Scope[];
  /** [arrangement]: uint8 [live fold], 1 where the two runs are swapped; the first swaps none. Empty: nothing is exchanged. */
  readonly masks: readonly Uint8Array[];
  /** The reference's, for pairs without it. A pair with the reference takes the cuts of its pseudo-runs. */
  readonly cut: ReferenceCut;
  readonly fraction: number | undefined;
  /** Called after each layer of each pair. */
  readonly onLayer: () => Promise<void>;
}

/**
 * Quantities of units between the pseudo-runs of every arrangement of two runs' labels over folds, for some pairs of the
 * compared runs. Scores of pooled values are left out: their means have the jackknife.
 *
 * @param compared The first is the reference.
 * @returns by pair and index in `unitQuantities`: [arrangement]; null where nothing was exchanged.
 */
export async function exchangedQuantities(
  type: UnitType,
  compared: readonly RunSource[],
  pairs: readonly { readonly from: number; readonly to: number }[],
  options: ExchangeOptions,
): Promise<(from: number, to: number, quantity: number) => readonly number[] | null> {
  const { masks } = options;
  const exchanged = new Map<string, readonly Quantity[]>();
  for (const { from, to } of masks.length === 0 ? [] : pairs) {
    const own = await exchangeUnits(type, compared[from]!, compared[to]!, from === 0, options);
    exchanged.set(`${from} ${to}`, own);
  }
  return (from, to, index) => {
    const quantity = exchanged.get(`${from} ${to}`)?.[index];
    if (quantity === undefined || quantity.isSmooth) return null;
    const between = (cut: number) =>
      quantity.between({ run: 0, subset: 2 * cut }, { run: 0, subset: 2 * cut + 1 });
    if (from !== 0) return masks.map((_, n) => between(n));
    return masks.map((_, n) => (between(2 * n) + between(2 * n + 1)) / 2);
  };
}

/**
 * The two runs' fold sums are stacked into one run of twice the folds, of which each pseudo-run is a subset: nothing else need
 * know that it is none of the two. Walks the layers once for the cuts of pseudo-runs, and once for the quantities.
 *
 * Of a pair with the reference each arrangement is looked at twice, under the cut of either pseudo-run: their mean leans to
 * neither side, for with all labels swapped it is the same but for the sign.
 */
async function exchangeUnits(
  type: UnitType,
  first: RunSource,
  second: RunSource,
  isReference: boolean,
  { live, scopes, masks, cut, fraction, onLayer }: ExchangeOptions,
): Promise<readonly Quantity[]> {
  const { layers, languages } = first;
  const looked = isReference ? masks.flatMap((mask) => [mask, mask]) : masks;
  const subsets = pseudoRuns(live, looked, first.manifest.plan.folds);
  const blocks = Array.from({ length: layers }, (_, layer) => first.blocks(type, layer)).flat();
  const read = async (range: LayerUnits) =>
    stack(await first.readSums(type, range), await second.readSums(type, range));
  const cuts = isReference
    ? await cutsOf(type, first, subsets, blocks, read, fraction)
    : looked.map(() => cut);

  const tallies = scopes.map(() => new RunTally(subsets.folds.length, layers));
  const counts = new LanguageCounts(subsets.folds.length, languages);
  const pairs = new RunPairs(1, 1, subsets, scopes.length);
  const heads = first.manifest.shape.heads ?? 0;
  const topHeads = type === 'head' ? [new TopHeads(subsets.folds.length, languages, layers, heads)] : [];
  for (const range of blocks) {
    const block = await read(range);
    const assignments: Int16Array[][] = scopes.map(() => []);
    for (const [subset, folds] of subsets.folds.entries()) {
      const scores = scoreSubset(block, folds, cuts[subset >> 1]!, scopes);
      for (const [scope, ofScope] of scores.scopes.entries()) {
        tallies[scope]!.add(subset, range.layer, ofScope);
        assignments[scope]!.push(ofScope.assignment);
      }
      counts.add(subset, scores.selection.member);
      topHeads[0]?.add(subset, block, scores.rates);
    }
    pairs.add([assignments]);
    if (range.unitEnd === first.layout(type).widths[range.layer]) await onLayer();
  }
  return unitQuantities({
    type,
    layers,
    tags: first.manifest.plan.languages,
    scopes,
    runs: [tallies],
    counts: [counts],
    topHeads,
    pairs,
    unselected: null,
  });
}

/** Subsets 2n and 2n + 1 are the two pseudo-runs of mask n; the second run's folds lie behind the first's. */
function pseudoRuns(live: readonly number[], masks: readonly Uint8Array[], folds: number): FoldSubsets {
  const subset = (swapped: Uint8Array, side: 0 | 1) =>
    live.map((fold, n) => (swapped[n] === side ? fold : fold + folds)).sort((a, b) => a - b);
  return {
    folds: masks.flatMap((swapped) => [subset(swapped, 0), subset(swapped, 1)]),
    full: 0,
    leaveOneOut: [],
    halves: masks.map((_, n) => ({ first: 2 * n, second: 2 * n + 1 })),
  };
}

function stack(first: UnitLayer, second: UnitLayer): UnitLayer {
  const [a, b] = [first.tokens, second.tokens];
  return {
    ...first,
    shape: { ...first.shape, folds: 2 * first.shape.folds },
    sums: join(first.sums, second.sums),
    tokens:
      'groupOf' in a && 'groupOf' in b
        ? { ...a, counts: join(a.counts, b.counts) }
        : join(a as Numbers, b as Numbers),
    twoWay: [],
    vectors: null,
  };
}

function join(first: Numbers, second: Numbers): Float64Array {
  const both = new Float64Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** [mask]: bar and cut of `tang2024` on the first pseudo-run of every even mask, on the second of every odd one. */
async function cutsOf(
  type: UnitType,
  run: RunSource,
  subsets: FoldSubsets,
  blocks: readonly LayerUnits[],
  read: (range: LayerUnits) => Promise<UnitLayer>,
  fraction: number | undefined,
): Promise<ReferenceCut[]> {
  const { languages } = run;
  const { starts, units } = run.layout(type);
  // Entropy and highest rate of a unit, and the highest tenth of all rates.
  const bytes = (16 + 0.8 * languages) * units;
  const together = Math.max(1, Math.floor(CUT_BYTES / bytes));
  const arrangements = subsets.halves;
  const cuts: ReferenceCut[] = [];
  for (let start = 0; start < arrangements.length; start += together) {
    const own = arrangements.slice(start, start + together);
    const summaries = own.map(() => new RateSummary(languages, units));
    for (const range of blocks) {
      const block = await read(range);
      for (const [n, { first, second }] of own.entries()) {
        const rates = ratesOf(block, subsets.folds[(start + n) % 2 === 0 ? first : second]!);
        summaries[n]!.add(starts[range.layer]! + range.unitStart, rates, lape(rates, languages));
      }
    }
    cuts.push(
      ...summaries.map((summary) => tang2024Units(summary, fraction === undefined ? {} : { fraction })),
    );
  }
  return cuts;
}
