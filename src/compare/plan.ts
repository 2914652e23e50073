import { minimumDetectable, sampleSize, studentTQuantile } from '../stats/index.js';
import { compareRuns } from './compare-runs.js';
import type { Change, Comparison, Estimate, Measure, QuantityKey } from './comparison.js';
import { finiteOrNull } from './numbers.js';
import { LEAST_CLUSTERS } from './populations.js';
import { rowsOf } from './select.js';
import { familyOf, LEAST_FOLDS, TEST_LEVEL } from './verdict.js';

export interface PlanOptions {
  /** Another run over the same items: the error is then that of the change between the two, which share what items do. */
  readonly against?: string | undefined;
  /** The change to be found, as a share of the level in the pilot; above 0. */
  readonly detect: number;
  /** Chance to find it, 0 … 1. Default 0.8. */
  readonly power?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The items that one measure needs. null: not measured in the pilot. */
export interface PlannedMeasure extends Pick<QuantityKey, 'type'> {
  readonly measure: Measure;
  /** In the pilot, as are the following. */
  readonly level: number | null;
  /** Change to be found, in the unit of the level. */
  readonly detect: number | null;
  /** Standard error of a change. */
  readonly se: number | null;
  /** The smallest change that the pilot itself would find with that power. */
  readonly detectable: number | null;
  readonly items: number | null;
  /** Clusters, so that the finding is about other clusters; null too where the probe set names none. */
  readonly clusters: number | null;
}

export interface ItemPlan {
  readonly detect: number;
  readonly power: number;
  /** Of the two-sided test, uncorrected. */
  readonly level: number;
  /** What the pilot had. */
  readonly items: number;
  readonly folds: number;
  readonly clusters: { readonly by: string; readonly count: number } | null;
  /** Whether the error is that of a change between two runs; else √2 times that of a level, as if the runs shared nothing. */
  readonly paired: boolean;
  readonly measures: readonly PlannedMeasure[];
}

/**
 * How many items, and clusters of them, a run needs to find a change of a given size with a given chance, from a pilot's own
 * variance: the error falls with the root of their number, and the power is that of the t test over at most as many folds as the
 * pilot has (`sampleSize`).
 *
 * @param folder A captured run.
 * @throws RunError, UsageError as `compareRuns` does; InterruptedError when `signal` aborts.
 */
export async function planItems(
  folder: string,
  { against, detect, power = 0.8, signal }: PlanOptions,
): Promise<ItemPlan> {
  // A run beside itself has the intervals of its levels, which one alone has not.
  const runs = [
    { folder, label: 'pilot' },
    { folder: against ?? folder, label: 'against' },
  ];
  const comparison = await compareRuns(runs, { signal });
  const headlines = ofChanges(comparison);
  const pilot = { items: comparison.items, folds: comparison.folds };
  const clusters = comparison.population?.clusters ?? null;
  const of = (key: QuantityKey, level: number | null, se: number, ofClusters: number): PlannedMeasure => {
    const change = detect * Math.abs(level ?? Number.NaN);
    // A pilot that never varied says nothing of the next run.
    const error = se > 0 ? se : Number.NaN;
    // With fewer a comparison has no finding, however small its error.
    const size = (own: number, count: number, groups: number, least: number) => {
      const needed = sampleSize({ se: own, pilot: count, detect: change, groups, power, level: TEST_LEVEL });
      return finiteOrNull(Math.max(least, needed));
    };
    return {
      type: key.type,
      measure: key.measure,
      level,
      detect: finiteOrNull(change),
      se: finiteOrNull(error),
      detectable: finiteOrNull(minimumDetectable(error, pilot.folds - 1, { power, level: TEST_LEVEL })),
      items: size(error, pilot.items, pilot.folds, LEAST_FOLDS),
      clusters:
        clusters === null ? null : size(ofClusters, clusters.count, Number.MAX_SAFE_INTEGER, LEAST_CLUSTERS),
    };
  };
  return {
    detect,
    power,
    level: TEST_LEVEL,
    ...pilot,
    clusters: clusters && { by: clusters.by, count: clusters.count },
    paired: against !== undefined,
    measures: headlines.map((change) => {
      const df = dfOf(change, comparison);
      if (against !== undefined)
        return of(change, change.valueFrom, pairedError(change, df), clusterError(change));
      const [level] = rowsOf(comparison.levels, { ...keyOf(change), label: 'pilot' });
      if (level === undefined) return of(change, null, Number.NaN, Number.NaN);
      return of(change, level.value.value, Math.SQRT2 * errorOf(level.value, df), Number.NaN);
    }),
  };
}

function keyOf({ measure, type, group, layer, language }: QuantityKey): QuantityKey {
  return { measure, type, group, layer, language };
}

/** Freedom of the error that a change's test had: the jackknife's, or that of halves of the folds. */
function dfOf({ test: { by } }: Change, { folds, splits }: Comparison): number {
  return by === 'jackknife' ? folds - 1 : 1 / (1 / (folds - 1) + 1 / splits);
}

function ofChanges({ changes }: Comparison): readonly Change[] {
  return changes.filter((change) => familyOf(change) === 'headlines' && change.valueFrom !== null);
}

/** From an interval that may be clipped on one side. */
function errorOf({ value, low, high }: Estimate, df: number): number {
  if (value === null || low === null || high === null) return Number.NaN;
  return Math.max(value - low, high - value) / studentTQuantile(0.975, df);
}

/** The error that the test had: of a mean the jackknife's, of a count that of half-samples. */
function pairedError({ test: { detectable } }: Change, df: number): number {
  if (detectable === null) return Number.NaN;
  return detectable / minimumDetectable(1, df, { power: 0.8, level: TEST_LEVEL });
}

function clusterError({ change: { value }, clusters }: Change): number {
  if (value === null || clusters === undefined || clusters.high === null) return Number.NaN;
  return (clusters.high - value) / studentTQuantile(0.975, clusters.groups - 1);
}
