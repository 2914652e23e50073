import { findingOf, mannKendall } from '../stats/index.js';
import type {
  Change,
  Comparison,
  Contrast,
  Estimate,
  Level,
  QuantityKey,
  SamplingFloor,
  SeedFloor,
  Trend,
} from './comparison.js';
import { estimateOf, type OverFolds, type Uncertainty, uncertaintyOf } from './estimates.js';
import { floorOf, noFloor, seedFloor } from './floors.js';
import { finiteOrNull } from './numbers.js';
import { comparedPairs, type Design, type Quantity } from './quantities/quantity.js';
import { testSeeds } from './seeds.js';
import { testChange, testContrast } from './verdict.js';

/** Level of a trend's test. */
const TREND_LEVEL = 0.05;
/** The subset that holds all folds. */
const FULL = 0;

/** [arrangement] of two runs' labels: a quantity, by its index, between the pseudo-runs; null where none were made. */
export type Exchanged = (from: number, to: number, quantity: number) => readonly number[] | null;

/** Everything that a comparison says of some quantities, with intervals, floors and tests. */
export function measureAll(
  quantities: readonly Quantity[],
  design: Design,
  exchanged: Exchanged = () => null,
): Pick<Comparison, 'levels' | 'changes' | 'contrasts' | 'trends'> {
  const headlines = quantities.filter(({ isDetail }) => !isDetail);
  const levels = design.labels.flatMap((_, run) =>
    headlines.flatMap((quantity) => levelOf(quantity, design, run) ?? []),
  );
  return {
    levels,
    changes: comparedPairs(design.labels.length).flatMap(({ from, to }) =>
      quantities.map((quantity, index) => changeOf(quantity, design, from, to, exchanged(from, to, index))),
    ),
    contrasts: design.contrasts.flatMap(({ from, to }) =>
      headlines.map((quantity) => contrastOf(quantity, design, from, to)),
    ),
    trends: design.steps.size === 0 ? [] : headlines.map((quantity) => trendOf(quantity, design)),
  };
}

function keyOf({ measure, type, group, layer, language }: Quantity): QuantityKey {
  return { measure, type, group, layer, language };
}

/** The quantity of one run with its interval; null where no run has it by itself. */
function levelOf(quantity: Quantity, { labels, subsets }: Design, run: number): Level | null {
  const { value, impossible, valueRange } = quantity;
  if (value === null || impossible !== null) return null;
  const own = overFolds(subsets, (subset) => value({ run, subset }));
  return {
    ...keyOf(quantity),
    label: labels[run]!,
    value: estimateOf(own.value, uncertaintyOf(quantity, own), valueRange),
  };
}

function overFolds(subsets: Design['subsets'], at: (subset: number) => number): OverFolds {
  return {
    value: at(FULL),
    leaveOneOut: subsets.leaveOneOut.map(at),
    halves: {
      first: subsets.halves.map(({ first }) => at(first)),
      second: subsets.halves.map(({ second }) => at(second)),
    },
    folds: subsets.folds[FULL]!.length,
  };
}

/** A number between two runs or regimes over subsets of folds: how its interval and its sampling floor come about. */
interface OverSubsets {
  /** Over the same folds of both. */
  readonly at: (subset: number) => number;
  /** Between two halves of one. */
  readonly withinFrom: (first: number, second: number) => number;
  readonly withinTo: (first: number, second: number) => number;
  /** Between a half of one and the other half of the other. */
  readonly across: (from: number, to: number) => number;
}

/** What is said of a number between two runs or regimes, whatever it is tested with. */
interface Judged {
  readonly estimate: Estimate;
  readonly value: number;
  readonly uncertainty: Uncertainty;
  readonly floor: SamplingFloor;
}

function judgeOver(
  quantity: Quantity,
  subsets: Design['subsets'],
  { at, withinFrom, withinTo, across }: OverSubsets,
): Judged {
  const { direction, changeRange, impossible, needs } = quantity;
  const own = impossible === null ? overFolds(subsets, at) : null;
  if (own === null || !Number.isFinite(own.value)) {
    return {
      estimate: { value: null, low: null, high: null },
      value: Number.NaN,
      uncertainty: { se: Number.NaN, df: Number.NaN },
      floor: noFloor(impossible ?? needs),
    };
  }
  const { halves } = subsets;
  const uncertainty = uncertaintyOf(quantity, own);
  const replicates = {
    withinFrom: halves.map(({ first, second }) => withinFrom(first, second)),
    withinTo: halves.map(({ first, second }) => withinTo(first, second)),
    across: halves.flatMap(({ first, second }) => [across(first, second), across(second, first)]),
  };
  return {
    estimate: estimateOf(own.value, uncertainty, changeRange),
    value: own.value,
    uncertainty,
    floor: floorOf(replicates, direction),
  };
}

/**
 * The change between two runs with its interval (from the same folds of both) and its test, the sampling floor at half size, and
 * what training seeds do.
 */
function changeOf(
  quantity: Quantity,
  { labels, regimes, subsets, margin }: Design,
  from: number,
  to: number,
  exchanged: readonly number[] | null = null,
): Change {
  const { between, value } = quantity;
  const own = (run: number) => (value === null ? null : finiteOrNull(value({ run, subset: FULL })));
  const over = (a: number, b: number) => (first: number, second: number) =>
    between({ run: a, subset: first }, { run: b, subset: second });
  const across = over(from, to);
  const judged = judgeOver(quantity, subsets, {
    at: (subset) => across(subset, subset),
    withinFrom: over(from, from),
    withinTo: over(to, to),
    across,
  });
  const valueFrom = own(from);
  const folds = subsets.folds[FULL]!.length;
  const test = testChange(quantity, {
    value: judged.value,
    ...judged.uncertainty,
    exchanged,
    folds,
    margin: margin === null || valueFrom === null ? Number.NaN : margin * Math.abs(valueFrom),
  });
  const [ofFrom, ofTo] = [regimes[from]!, regimes[to]!];
  const ofSeeds = (regime: readonly number[]) =>
    regime.map((run) => (value === null ? Number.NaN : value({ run, subset: FULL })));
  return {
    ...keyOf(quantity),
    from: labels[from]!,
    to: labels[to]!,
    valueFrom,
    valueTo: own(to),
    change: judged.estimate,
    test,
    ...judged.floor,
    seeds: {
      ...floorOfSeeds(quantity, ofFrom, ofTo, (a, b) => over(a, b)(FULL, FULL)),
      test: testSeeds(ofSeeds(ofFrom), ofSeeds(ofTo), judged.uncertainty, {
        isFixed: from === 0,
        note: quantity.impossible ?? (value === null ? BETWEEN_ONLY : null),
      }),
    },
  };
}

/** Training seeds have values of their own of what one run has by itself. */
const BETWEEN_ONLY = 'it exists only between two runs';

/** The seed floor of a number between two runs, over the training seeds of two regimes. */
function floorOfSeeds(
  { direction, needs, impossible }: Pick<Quantity, 'direction' | 'needs' | 'impossible'>,
  from: readonly number[],
  to: readonly number[],
  between: (a: number, b: number) => number,
): Omit<SeedFloor, 'test'> {
  const over = (a: number, b: number) => (impossible === null ? between(a, b) : Number.NaN);
  const within = (seeds: readonly number[]) =>
    seeds.flatMap((a, i) => seeds.slice(i + 1).map((b) => over(a, b)));
  const across = from.flatMap((a) => to.map((b) => over(a, b)));
  return seedFloor(within(from), within(to), across, direction, impossible ?? needs);
}

/**
 * T(to) − T(from), where T(X) is the change against the reference (of a quantity that exists only between runs, the
 * quantity itself), averaged over the training seeds of X. Its error comes from the same folds of all runs.
 *
 * Sampling floor: within a regime T₁(X) − T₂(X), where T_h has half h of X's folds and all of the reference's; across
 * T₁(to) − T₂(from) and T₂(to) − T₁(from). With the same half of both, sampling would cancel in T itself, and a copy that
 * differs by rounding alone would stand out. Seed floor, at full size: T(s) − T(s') for seeds s, s' of one regime; across
 * T(t) − T(s) for all seeds of both.
 */
function contrastOf(
  quantity: Quantity,
  { labels, regimes, subsets }: Design,
  from: number,
  to: number,
): Contrast {
  const [ofFrom, ofTo] = [regimes[from]!, regimes[to]!];
  const { impossible, changeRange } = quantity;
  const [low, high] = changeRange;
  const difference = { ...quantity, direction: 'difference', changeRange: [low - high, high - low] } as const;
  /** T(run), over a subset of the reference's folds and one of the run's. */
  const change = (run: number, ofReference = FULL, subset = FULL) =>
    quantity.between({ run: 0, subset: ofReference }, { run, subset });
  const mean = (regime: readonly number[], ofReference: number, subset: number) =>
    regime.reduce((sum, run) => sum + change(run, ofReference, subset), 0) / regime.length;
  const within = (regime: readonly number[]) => (first: number, second: number) =>
    mean(regime, FULL, first) - mean(regime, FULL, second);
  const judged = judgeOver(difference, subsets, {
    at: (subset) => mean(ofTo, subset, subset) - mean(ofFrom, subset, subset),
    withinFrom: within(ofFrom),
    withinTo: within(ofTo),
    across: (a, b) => mean(ofTo, FULL, b) - mean(ofFrom, FULL, a),
  });
  const ofSeeds = (regime: readonly number[]) =>
    regime.map((run) => (impossible === null ? change(run) : Number.NaN));
  const [changesFrom, changesTo] = [ofSeeds(ofFrom), ofSeeds(ofTo)];
  return {
    ...keyOf(quantity),
    reference: labels[0]!,
    from: labels[from]!,
    to: labels[to]!,
    changesFrom: changesFrom.map(finiteOrNull),
    changesTo: changesTo.map(finiteOrNull),
    difference: judged.estimate,
    test: testContrast(quantity, {
      value: judged.value,
      ...judged.uncertainty,
      folds: subsets.folds[FULL]!.length,
    }),
    ...judged.floor,
    seeds: {
      ...floorOfSeeds(difference, ofFrom, ofTo, (a, b) => change(b) - change(a)),
      test: testSeeds(changesFrom, changesTo, judged.uncertainty, { isFixed: false, note: impossible }),
    },
  };
}

/**
 * A quantity by training step and the Mann–Kendall test of a monotone trend. A quantity that exists only between runs is
 * taken between the reference and every other run.
 */
function trendOf(quantity: Quantity, design: Design): Trend {
  const { labels, steps } = design;
  const ofRun = (run: number): Estimate | null => {
    if (quantity.value !== null) return levelOf(quantity, design, run)?.value ?? null;
    return run === 0 ? null : changeOf(quantity, design, 0, run).change;
  };
  const points = labels
    .flatMap((label, run) => {
      const value = ofRun(run);
      return value === null ? [] : [{ step: steps.get(label)!, value }];
    })
    .sort((a, b) => a.step - b.step);
  const { s, tau, p, leastP } = mannKendall(points.map(({ value }) => value.value ?? Number.NaN));
  const note = !Number.isFinite(p)
    ? 'a trend needs three values that differ'
    : leastP >= TREND_LEVEL
      ? `no order of ${points.length} values has a p below ${TREND_LEVEL}`
      : '';
  return {
    ...keyOf(quantity),
    points,
    s: finiteOrNull(s),
    tau: finiteOrNull(tau),
    p: finiteOrNull(p),
    adjusted: note === '' ? finiteOrNull(p) : null,
    finding: note === '' ? findingOf(p, Number.NaN, TREND_LEVEL) : 'not measured',
    note,
  };
}
