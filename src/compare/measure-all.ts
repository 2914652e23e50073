import { mannKendall } from '../stats/index.js';
import type {
  Change,
  Comparison,
  Contrast,
  Estimate,
  Level,
  QuantityKey,
  SeedFloor,
  Trend,
} from './comparison.js';
import { estimate, type Judged, judge, notMeasured, seedFloor } from './floors.js';
import { finiteOrNull } from './numbers.js';
import { comparedPairs, type Design, type Quantity } from './quantities/quantity.js';
import { testChange } from './verdict.js';

/** Level of a trend's test. */
const TREND_LEVEL = 0.05;
/** The subset that holds all folds. */
const FULL = 0;

/** [arrangement] of two runs' labels: a quantity, by its index, between the pseudo-runs; null where none were made. */
export type Exchanged = (from: number, to: number, quantity: number) => readonly number[] | null;

/** Everything that a comparison says of some quantities, with intervals, floors, tests and verdicts. */
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

/** The quantity of one run with its jackknife interval; null where no run has it by itself. */
function levelOf(quantity: Quantity, { labels, subsets }: Design, run: number): Level | null {
  const { value, impossible, valueRange } = quantity;
  if (value === null || impossible !== null) return null;
  const replicates = subsets.leaveOneOut.map((subset) => value({ run, subset }));
  return {
    ...keyOf(quantity),
    label: labels[run]!,
    value: estimate(value({ run, subset: FULL }), replicates, valueRange),
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

function judgeOver(
  {
    direction,
    changeRange,
    needs,
    impossible,
  }: Pick<Quantity, 'direction' | 'changeRange' | 'needs' | 'impossible'>,
  { halves, leaveOneOut }: Design['subsets'],
  { at, withinFrom, withinTo, across }: OverSubsets,
): Judged {
  if (impossible !== null) return notMeasured(impossible);
  const replicates = {
    value: at(FULL),
    leaveOneOut: leaveOneOut.map(at),
    withinFrom: halves.map(({ first, second }) => withinFrom(first, second)),
    withinTo: halves.map(({ first, second }) => withinTo(first, second)),
    across: halves.flatMap(({ first, second }) => [across(first, second), across(second, first)]),
  };
  return judge(replicates, direction, changeRange, needs);
}

/**
 * The change between two runs with the paired jackknife interval (the same fold left out in both), the sampling floor at
 * half size, and the floor of training seeds.
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
  const halves = (side: 'first' | 'second') => subsets.halves.map((half) => across(half[side], half[side]));
  const valueFrom = own(from);
  const test = testChange(quantity, {
    value: across(FULL, FULL),
    leaveOneOut: subsets.leaveOneOut.map((subset) => across(subset, subset)),
    // Sets over the same half of both runs are not counted, and a distance has no difference of halves.
    halves: value === null ? null : { first: halves('first'), second: halves('second') },
    exchanged,
    folds: subsets.folds[FULL]!.length,
    margin: margin === null || valueFrom === null ? Number.NaN : margin * Math.abs(valueFrom),
  });
  return {
    ...keyOf(quantity),
    from: labels[from]!,
    to: labels[to]!,
    valueFrom,
    valueTo: own(to),
    change: judged.estimate,
    test,
    ...judged.floor,
    seeds: floorOfSeeds(quantity, regimes[from]!, regimes[to]!, (a, b) => over(a, b)(FULL, FULL)),
  };
}

/** The seed floor of a number between two runs, over the training seeds of two regimes. */
function floorOfSeeds(
  { direction, needs, impossible }: Pick<Quantity, 'direction' | 'needs' | 'impossible'>,
  from: readonly number[],
  to: readonly number[],
  between: (a: number, b: number) => number,
): SeedFloor {
  const over = (a: number, b: number) => (impossible === null ? between(a, b) : Number.NaN);
  const within = (seeds: readonly number[]) =>
    seeds.flatMap((a, i) => seeds.slice(i + 1).map((b) => over(a, b)));
  const across = from.flatMap((a) => to.map((b) => over(a, b)));
  return seedFloor(within(from), within(to), across, direction, impossible ?? needs);
}

/**
 * T(to) − T(from), where T(X) is the change against the reference (of a quantity that exists only between runs, the
 * quantity itself), averaged over the training seeds of X. Its jackknife leaves the same fold out of all runs.
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
    regime.map((run) => (impossible === null ? finiteOrNull(change(run)) : null));
  return {
    ...keyOf(quantity),
    reference: labels[0]!,
    from: labels[from]!,
    to: labels[to]!,
    changesFrom: ofSeeds(ofFrom),
    changesTo: ofSeeds(ofTo),
    difference: judged.estimate,
    ...judged.floor,
    seeds: floorOfSeeds(difference, ofFrom, ofTo, (a, b) => change(b) - change(a)),
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
  const verdict = p < TREND_LEVEL ? 'changed' : 'not distinguishable from no trend';
  return {
    ...keyOf(quantity),
    points,
    s: finiteOrNull(s),
    tau: finiteOrNull(tau),
    p: finiteOrNull(p),
    verdict: note === '' ? verdict : 'not measured',
    note,
  };
}
