import { mannKendall } from '../stats/index.js';
import type { Change, Comparison, Contrast, Estimate, Level, SeedFloor, Trend } from './comparison.js';
import { estimate, type Judged, judge, notMeasured, type Replicates } from './floors/sampling-floor.js';
import { seedFloor } from './floors/seed-floor.js';
import { finiteOrNull } from './numbers.js';
import {
  comparedPairs,
  type Design,
  type Quantity,
  type QuantityKey,
  type Side,
} from './quantities/quantity.js';

/** Level of a trend's test. */
const TREND_LEVEL = 0.05;
/** The subset that holds all folds. */
const FULL = 0;

/** Everything that a comparison says of some quantities, with intervals, floors and verdicts. */
export function measureAll(
  quantities: readonly Quantity[],
  design: Design,
): Pick<Comparison, 'levels' | 'changes' | 'contrasts' | 'trends'> {
  const headlines = quantities.filter(({ isDetail }) => !isDetail);
  const levels = design.labels.flatMap((_, run) =>
    headlines.flatMap((quantity) => levelOf(quantity, design, run) ?? []),
  );
  const changes = comparedPairs(design.labels.length).flatMap(({ from, to }) =>
    quantities.map((quantity) => changeOf(quantity, design, from, to)),
  );
  return {
    levels,
    changes,
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

/**
 * The change between two runs with the paired jackknife interval (the same fold left out in both), the sampling floor at
 * half size, and the floor of training seeds.
 */
function changeOf(quantity: Quantity, design: Design, from: number, to: number): Change {
  const { labels, regimes, subsets } = design;
  const { between, value, direction, changeRange, needs, impossible } = quantity;
  const own = (run: number) => (value === null ? null : finiteOrNull(value({ run, subset: FULL })));
  const over = (a: Side, b: Side) => between(a, b);
  const within = (run: number) =>
    subsets.halves.map(({ first, second }) => over({ run, subset: first }, { run, subset: second }));
  const replicates = (): Replicates => ({
    value: over({ run: from, subset: FULL }, { run: to, subset: FULL }),
    leaveOneOut: subsets.leaveOneOut.map((subset) => over({ run: from, subset }, { run: to, subset })),
    withinFrom: within(from),
    withinTo: within(to),
    across: subsets.halves.flatMap(({ first, second }) => [
      over({ run: from, subset: first }, { run: to, subset: second }),
      over({ run: from, subset: second }, { run: to, subset: first }),
    ]),
  });
  const judged =
    impossible === null ? judge(replicates(), direction, changeRange, needs) : notMeasured(impossible);
  const seeds = floorOfSeeds(quantity, regimes[from]!, regimes[to]!, (a, b) =>
    over({ run: a, subset: FULL }, { run: b, subset: FULL }),
  );
  return {
    ...keyOf(quantity),
    from: labels[from]!,
    to: labels[to]!,
    valueFrom: own(from),
    valueTo: own(to),
    change: judged.estimate,
    ...judged.floor,
    seeds,
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
function contrastOf(quantity: Quantity, design: Design, from: number, to: number): Contrast {
  const { labels, regimes } = design;
  const [ofFrom, ofTo] = [regimes[from]!, regimes[to]!];
  /** T(run), over a subset of the reference's folds and one of the run's. */
  const change = (run: number, ofReference = FULL, subset = FULL) =>
    quantity.between({ run: 0, subset: ofReference }, { run, subset });
  const judged =
    quantity.impossible === null
      ? judgeRegimes(quantity, design, ofFrom, ofTo, change)
      : notMeasured(quantity.impossible);
  const ofSeeds = (regime: readonly number[]) =>
    regime.map((run) => finiteOrNull(quantity.impossible === null ? change(run) : Number.NaN));
  return {
    ...keyOf(quantity),
    reference: labels[0]!,
    from: labels[from]!,
    to: labels[to]!,
    changesFrom: ofSeeds(ofFrom),
    changesTo: ofSeeds(ofTo),
    difference: judged.estimate,
    ...judged.floor,
    seeds: floorOfSeeds(
      { ...quantity, direction: 'difference' },
      ofFrom,
      ofTo,
      (a, b) => change(b) - change(a),
    ),
  };
}

function judgeRegimes(
  { changeRange: [low, high], needs }: Quantity,
  { subsets }: Design,
  from: readonly number[],
  to: readonly number[],
  change: (run: number, ofReference: number, subset: number) => number,
): Judged {
  const mean = (regime: readonly number[], ofReference: number, subset: number) =>
    regime.reduce((sum, run) => sum + change(run, ofReference, subset), 0) / regime.length;
  const difference = (subset: number) => mean(to, subset, subset) - mean(from, subset, subset);
  const within = (regime: readonly number[]) =>
    subsets.halves.map(({ first, second }) => mean(regime, FULL, first) - mean(regime, FULL, second));
  return judge(
    {
      value: difference(FULL),
      leaveOneOut: subsets.leaveOneOut.map(difference),
      withinFrom: within(from),
      withinTo: within(to),
      across: subsets.halves.flatMap(({ first, second }) => [
        mean(to, FULL, first) - mean(from, FULL, second),
        mean(to, FULL, second) - mean(from, FULL, first),
      ]),
    },
    'difference',
    [low - high, high - low],
    needs,
  );
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
  const tested = {
    ...keyOf(quantity),
    points,
    s: finiteOrNull(s),
    tau: finiteOrNull(tau),
    p: finiteOrNull(p),
  };
  if (tested.p === null)
    return { ...tested, verdict: 'not measured', note: 'a trend needs three values that differ' };
  if (leastP >= TREND_LEVEL) {
    const note = `no order of ${points.length} values has a p below ${TREND_LEVEL}`;
    return { ...tested, verdict: 'not measured', note };
  }
  return { ...tested, verdict: p < TREND_LEVEL ? 'changed' : 'not distinguishable from no trend', note: '' };
}
