import { InterruptedError } from '../errors.js';
import { twoWay } from '../scores/index.js';
import {
  equivalence,
  findingOf,
  jackknife,
  studentTest,
  wildClusterPValue,
  wildWeights,
} from '../stats/index.js';
import type { UnitType } from '../store/index.js';
import { canAlign, compareAlignment } from './alignment.js';
import type { Change, ClusterTest, Population } from './comparison.js';
import { type ClusterGroups, clusterGroups } from './inputs/clusters.js';
import type { FoldSubsets } from './inputs/fold-subsets.js';
import type { Regime } from './inputs/regimes.js';
import type { RunSource } from './inputs/run-source.js';
import { NOT_SELECTED, RunTally } from './inputs/tally.js';
import { finiteOrNull } from './numbers.js';
import type { Design, Quantity } from './quantities/quantity.js';
import { omega2Quantities } from './quantities/scores.js';
import { adjustFamilies, familyOf, TEST_LEVEL } from './verdict.js';

/** Fewer clusters were not simulated (docs/verification.md). */
export const LEAST_CLUSTERS = 5;

/**
 * Asks of the changes of means of pooled values whether they would be there with other clusters of items, and says in words which
 * items all findings are about. A cluster is left out of both runs at a time; the error is that of the jackknife (CR3 of Bell and
 * McCaffrey, 2002), t has one degree of freedom fewer than there are groups. Counts of selected units come from sums over folds, in
 * which clusters are mixed, and cannot be asked.
 */
export async function acrossClusters(
  changes: readonly Change[],
  regimes: readonly Regime[],
  types: readonly UnitType[],
  design: Design,
  signal?: AbortSignal,
): Promise<{ readonly changes: readonly Change[]; readonly population: Population }> {
  const { plan } = regimes[0]!.run.manifest;
  const groups = clusterGroups(plan);
  const tested =
    groups === null || regimes.length < 2 || regimes[0]!.run.grid === null
      ? changes
      : await testClusters(changes, regimes, types, design, groups, signal);
  const population = { foldsBy: plan.foldsBy ?? null, clusters: null, words: [] };
  const described = groups === null ? null : { by: groups.by, count: groups.clusters, groups: groups.groups };
  return {
    changes: tested,
    population: {
      ...population,
      clusters: described,
      words: words(tested, groups, plan.foldsBy, plan.folds),
    },
  };
}

async function testClusters(
  changes: readonly Change[],
  regimes: readonly Regime[],
  types: readonly UnitType[],
  design: Design,
  groups: ClusterGroups,
  signal: AbortSignal | undefined,
): Promise<readonly Change[]> {
  const runs = regimes.map(({ run }) => run.regrouped(groups.groupOf, groups.groups));
  const subsets = leavingGroupsOut(groups.groups);
  const pause = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted)
      throw new InterruptedError({ what: 'the comparison was interrupted; nothing was written' });
  };
  const quantities: Quantity[] = [];
  for (const type of types) quantities.push(...(await pooledQuantities(type, runs, design, subsets, pause)));
  if (canAlign(runs)) {
    const alone = runs.map((run): Regime => ({ run, seeds: [] }));
    const { scopes } = design;
    quantities.push(...(await compareAlignment(alone, { subsets, scopes, contrasts: [] }, pause)).quantities);
  }
  const keyOf = ({ measure, type, group, layer }: Pick<Quantity, 'measure' | 'type' | 'group' | 'layer'>) =>
    JSON.stringify([measure, type, group, layer]);
  const byKey = new Map(quantities.map((quantity) => [keyOf(quantity), quantity]));
  const index = new Map(design.labels.map((label, run) => [label, run]));
  const tested = changes.map((change): Change => {
    const quantity = byKey.get(keyOf(change));
    if (quantity === undefined || change.change.value === null) return change;
    const [from, to] = [index.get(change.from)!, index.get(change.to)!];
    const at = (subset: number) => quantity.between({ run: from, subset }, { run: to, subset });
    const margin =
      design.margin === null ? Number.NaN : design.margin * Math.abs(change.valueFrom ?? Number.NaN);
    return {
      ...change,
      clusters: clusterTest(at(subsets.full), subsets.leaveOneOut.map(at), groups, margin),
    };
  });
  return adjusted(tested);
}

/** [all groups, and each left out]. */
function leavingGroupsOut(groups: number): FoldSubsets {
  const all = Array.from({ length: groups }, (_, g) => g);
  const folds = [all, ...all.map((out) => all.filter((g) => g !== out))];
  return { folds, full: 0, leaveOneOut: all.map((g) => g + 1), halves: [] };
}

async function pooledQuantities(
  type: UnitType,
  runs: readonly RunSource[],
  { scopes }: Design,
  subsets: FoldSubsets,
  onBlock: () => Promise<void>,
): Promise<Quantity[]> {
  const { layers } = runs[0]!;
  const tallies = runs.map(() => scopes.map(() => new RunTally(subsets.folds.length, layers)));
  for (let layer = 0; layer < layers; layer++) {
    for (const range of runs[0]!.blocks(type, layer)) {
      const units = range.unitEnd - range.unitStart;
      const nothing = {
        lape: new Float64Array(units).fill(Number.NaN),
        assignment: new Int16Array(units).fill(NOT_SELECTED),
      };
      for (const [r, run] of runs.entries()) {
        for (const [scope, sums] of (await run.readTwoWay(type, range, scopes)).entries()) {
          if (sums === null) continue;
          for (const [subset, chosen] of subsets.folds.entries()) {
            const omega2 = twoWay(sums, chosen).omega2Language;
            tallies[r]![scope]!.add(subset, layer, { ...nothing, omega2 });
          }
        }
        await onBlock();
      }
    }
  }
  return omega2Quantities({ type, scopes, runs: tallies, layers });
}

/** Seed of the wild bootstrap, the same for every change. */
const SEED = 0;

/**
 * @param leaveOneOut [group].
 * @param margin Changes up to it do not matter; NaN: none was set.
 */
export function clusterTest(
  value: number,
  leaveOneOut: readonly number[],
  { by, groups }: Pick<ClusterGroups, 'by' | 'groups'>,
  margin = Number.NaN,
): ClusterTest {
  const nothing = { by, groups, low: null, high: null, p: null, wild: null, adjusted: null } as const;
  const none = (note: string): ClusterTest => ({ ...nothing, finding: 'not measured', note });
  if (groups < LEAST_CLUSTERS) return none(`${groups} clusters; a test needs ${LEAST_CLUSTERS}`);
  const { se, low, high } = jackknife(value, leaveOneOut);
  if (!Number.isFinite(se)) return none('it cannot be computed without one of the clusters');
  if (se === 0) return none('it is the same whichever cluster is left out');
  const { p } = studentTest(value, se, groups - 1);
  // A cluster's pseudo-value is what it says of the mean; to the bootstrap each is a cluster of one.
  const pseudo = leaveOneOut.map((without) => groups * value - (groups - 1) * without);
  const sizes = new Array<number>(groups).fill(1);
  const wild = wildClusterPValue({ sizes, sums: pseudo }, 0, wildWeights(groups, { seed: SEED }));
  const within = equivalence({ value, se, df: groups - 1 }, margin, TEST_LEVEL).p;
  return {
    by,
    groups,
    low: finiteOrNull(low),
    high: finiteOrNull(high),
    p,
    wild: finiteOrNull(wild),
    adjusted: p,
    finding: findingOf(p, within, TEST_LEVEL),
    note: '',
  };
}

/** Corrects the tests of clusters for their number, in the same families as the others. */
function adjusted(changes: readonly Change[]): Change[] {
  const asked = changes.flatMap((change) => (change.clusters === undefined ? [] : [change]));
  const tests = adjustFamilies(
    asked,
    (change) => [`${change.from} ${change.to}`, familyOf(change)],
    ({ clusters }) => clusters!,
  );
  const own = new Map(asked.map((change, n) => [change, tests[n]!]));
  return changes.map((change) => {
    const clusters = own.get(change);
    return clusters === undefined ? change : { ...change, clusters };
  });
}

/** Changes over all layers and languages whose finding is another one for other clusters. */
export function differingFindings(changes: readonly Change[]): readonly Change[] {
  return changes.filter((change) => {
    const { clusters, test } = change;
    if (clusters === undefined || familyOf(change) !== 'headlines') return false;
    const isMeasured = clusters.finding !== 'not measured' && test.finding !== 'not measured';
    return isMeasured && clusters.finding !== test.finding;
  });
}

function words(
  changes: readonly Change[],
  groups: ClusterGroups | null,
  foldsBy: string | undefined,
  folds: number,
): string[] {
  if (foldsBy !== undefined)
    return [
      `Findings are about other items with another ${foldsBy}: the ${folds} folds are clusters by ${foldsBy}.`,
    ];
  if (groups === null)
    return [
      'Findings are about more items of the same kind; the probe set does not say which items are alike.',
    ];
  const { by, clusters } = groups;
  const kinds = `the same ${clusters} clusters by ${by}`;
  const asked = changes.filter((change) => change.clusters !== undefined && familyOf(change) === 'headlines');
  const differing = differingFindings(changes);
  const about = `Findings are about more items of ${kinds}.`;
  const first =
    differing.length === 0
      ? about
      : `${about} With another ${by} ${differing.length} of ${asked.length} findings would be another one: ${differing.map(inWords).join('; ')}.`;
  const rest = asked.length === 0 ? 'No change was' : 'Changes of counts, sets and mean entropy were not';
  return [
    first,
    `${rest} tested for another ${by}, since folds mix clusters: capture with --folds-by ${by}, which makes every finding one about other clusters.`,
  ];
}

function inWords({ type, measure, from, to, test, clusters }: Change): string {
  const what = `${type === null ? '' : `${type}s' `}${measure} from ${from} to ${to}`;
  return `${what} is ${clusters!.finding} instead of ${test.finding}`;
}
