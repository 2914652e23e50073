import { InterruptedError, UsageError } from '../errors.js';
import { exchangeMasks } from '../stats/index.js';
import { liveFolds } from '../store/index.js';
import { VERSION } from '../version.js';
import { canAlign, compareAlignment } from './alignment.js';
import {
  COMPARISON_SCHEMA_VERSION,
  type ComparedRun,
  type Comparison,
  type LanguageGroup,
} from './comparison.js';
import { exchangedQuantities } from './inputs/exchanged-units.js';
import { foldSubsets } from './inputs/fold-subsets.js';
import { checkGroups } from './inputs/language-groups.js';
import type { Scope } from './inputs/layer-scores.js';
import { assertMatch, sameWeights } from './inputs/match.js';
import { openRegimes, type Regime, type RunToCompare, runsOf } from './inputs/regimes.js';
import type { RunSource } from './inputs/run-source.js';
import { trajectorySteps } from './inputs/trajectory-steps.js';
import { measureAll } from './measure-all.js';
import { acrossClusters } from './populations.js';
import { comparedPairs, type Design, type Quantity } from './quantities/quantity.js';
import { reliabilityOf } from './reliability.js';
import { type RunWarning, warningLines } from './run-warnings.js';
import { rowsOf } from './select.js';
import { compareUnits } from './unit-comparison.js';
import { adjustTests, adjustTrends, FAMILIES, familyOf, LEAST_FOLDS, TEST_LEVEL } from './verdict.js';

export interface CompareOptions {
  /** Label of the run that the others are compared with, and that sets the cut. Default: the first. */
  readonly reference?: string | undefined;
  /** Languages that measures are also given for apart. Default: none. */
  readonly groups?: readonly LanguageGroup[] | undefined;
  /**
   * Labels [from, to] whose changes against the reference are set against each other: differences in differences,
   * to − from. Default: every pair of runs but the reference; of a trajectory none.
   */
  readonly contrasts?: readonly (readonly [string, string])[] | undefined;
  /** The runs are checkpoints of one training run. */
  readonly trajectory?: boolean | undefined;
  /** The seed of the random halves; default 0. */
  readonly seed?: number | undefined;
  /** Random halvings of the folds for the noise floor; default 50 (docs/comparing.md). */
  readonly splits?: number | undefined;
  /** Share of units that the reference run selects; default 0.01 (Tang et al., ACL 2024). */
  readonly fraction?: number | undefined;
  /** Share of the first run's level up to which a change does not matter, so that it may be found unchanged. Default: none. */
  readonly margin?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each layer of each run. */
  readonly onProgress?: ((progress: CompareProgress) => void) | undefined;
}

export interface CompareProgress {
  /** Layers done, over runs, unit types and alignment, and how many there will be. */
  readonly done: number;
  readonly total: number;
}

const SPLITS = 50;

/**
 * Describes runs and compares every two of them, under the cut of one, the reference: profiles under the `reference`
 * policy, reallocation, headline measures with paired intervals, tests and noise floors, over all languages and over
 * groups, differences in differences, head maps, overlaps of top heads, alignment of languages by layer, reliability. A single run is described alone,
 * without headlines.
 *
 * Everything comes from sums that add over folds, some units of a layer at a time: memory does not grow with the number of
 * layers, but for the unit table (some 36 bytes a unit and score, for each run but the reference) and the norms of heads.
 *
 * @returns the comparison; `writeChanges` writes how single units changed.
 * @throws RunError if a run is unreadable or does not match the reference (field, both values, remedy), or two training
 *   seeds of one regime are the same checkpoint; UsageError without runs, with a label twice, with an unknown label or
 *   language; InterruptedError when `signal` aborts.
 */
export async function compareRuns(
  runs: readonly RunToCompare[],
  options: CompareOptions = {},
): Promise<Comparison> {
  const { groups = [], seed = 0, splits = SPLITS, fraction, signal, onProgress } = options;
  const regimes = await openRegimes(runs, options.reference);
  const compared = regimes.map(({ run }) => run);
  const sources = regimes.flatMap(({ run, seeds }) => [run, ...seeds]);
  const reference = compared[0]!;
  const { manifest } = reference;
  const tags = manifest.plan.languages;
  const steps = options.trajectory === true ? stepsOf(regimes, runs) : new Map<string, number>();
  const others = sources.filter((source) => source !== reference);
  const warnings: RunWarning[] = [
    ...sameWeights(reference, others),
    ...sources.flatMap(({ label, manifest: { warnings: own } }) =>
      own.map((text) => ({ label, against: null, text })),
    ),
    ...assertMatch(reference, others),
  ];
  checkGroups(groups, manifest.languages);
  checkMargin(options.margin);
  const scopes = scopesOf(groups, tags);
  const contrasts = contrastsOf(compared, options.contrasts ?? (steps.size === 0 ? undefined : []));

  const live = liveFolds(reference.tokens, manifest.plan);
  const subsets = foldSubsets(live, compared.length > 1 ? splits : 0, seed);
  const types = reference.types.filter((type) => sources.every((source) => source.types.includes(type)));
  const aligns = canAlign(sources);
  const tests = live.length < LEAST_FOLDS ? 0 : testedPairs(compared.length, steps).length;
  const total =
    (types.length * (sources.length + tests) + (aligns ? sources.length : 0)) * manifest.shape.layers;
  let done = 0;
  const onLayer = async (): Promise<void> => {
    onProgress?.({ done: ++done, total });
    // Let signals and timers in: a layer is some tens of milliseconds to seconds of arithmetic.
    await new Promise((resolve) => setImmediate(resolve));
    assertNotAborted(signal);
  };
  assertNotAborted(signal);

  const design: Design = {
    labels: compared.map(({ label }) => label),
    regimes: runsOf(regimes).ofRegime,
    subsets,
    scopes,
    contrasts,
    steps,
    margin: options.margin ?? null,
  };
  const results = [];
  for (const type of types) results.push(await compareUnits(type, regimes, design, fraction, onLayer));
  // Of a single run too: its intervals cost little.
  const jackknifed = subsets.leaveOneOut.length > 0 || live.length < 2 ? subsets : foldSubsets(live, 1, seed);
  const aligned = aligns
    ? await compareAlignment(regimes, { subsets: jackknifed, scopes, contrasts }, onLayer)
    : null;

  const arrangements = exchangeMasks(live.length, {
    level: TEST_LEVEL,
    tests: headlinesOf([...results, ...(aligned === null ? [] : [aligned])]),
    // Every statistic treats both runs alike: with all labels swapped it is the same, or the same but for its sign.
    complement: 'negates',
    seed,
  });
  const masks = tests === 0 ? [] : arrangements.masks;
  const measured = [];
  for (const [t, { quantities, cut }] of results.entries()) {
    const options = { live, scopes, masks, cut, fraction, onLayer };
    const pairs = testedPairs(compared.length, steps);
    const exchanged = await exchangedQuantities(types[t]!, compared, pairs, options);
    measured.push(measureAll(quantities, design, exchanged));
  }
  if (aligned !== null) measured.push(measureAll(aligned.quantities, { ...design, subsets: jackknifed }));
  const changes = adjustTests(measured.flatMap((of) => of.changes));
  const populated = await acrossClusters(changes, regimes, types, { ...design, subsets: jackknifed }, signal);
  const reliability = [];
  for (const source of compared) {
    const computed = results.flatMap((result) => rowsOf(result.reliability, { label: source.label }));
    const scored = await reliabilityOf(source, computed);
    reliability.push(...scored.reliability);
    warnings.push(...scored.warnings);
  }

  return {
    schema: 'babelscope/comparison',
    schemaVersion: COMPARISON_SCHEMA_VERSION,
    babelscope: VERSION,
    probe: manifest.probe,
    shape: manifest.shape,
    languages: manifest.languages.map(({ tag, name, script, family }) => ({ tag, name, script, family })),
    groups,
    completeItems: completeItemsOf(reference),
    items: manifest.plan.items.length,
    folds: manifest.plan.folds,
    splits: subsets.halves.length,
    seed,
    positions: manifest.plan.positions,
    runs: regimes.map((regime) => comparedRun(regime, steps)),
    units: results.map(({ description }) => description),
    levels: measured.flatMap(({ levels }) => levels),
    tests: {
      level: TEST_LEVEL,
      margin: design.margin,
      arrangements: masks.length,
      exact: masks.length > 0 && arrangements.exact,
      families: Object.entries(FAMILIES).map(([name, family]) => ({
        name: name as keyof typeof FAMILIES,
        ...family,
      })),
    },
    changes: populated.changes,
    population: populated.population,
    contrasts: adjustTests(measured.flatMap((of) => of.contrasts)),
    trends: adjustTrends(measured.flatMap(({ trends }) => trends)),
    headMaps: results.flatMap(({ headMaps }) => headMaps),
    expertMaps: results.flatMap(({ expertMaps }) => expertMaps),
    headOverlaps: results.flatMap(({ headOverlaps }) => headOverlaps),
    alignment: aligned?.described ?? null,
    reliability,
    warnings: warningLines(warnings),
  };
}

function checkMargin(margin: number | undefined): void {
  if (margin === undefined || (margin > 0 && Number.isFinite(margin))) return;
  throw new UsageError({
    what: 'a margin must be above 0',
    where: '--margin',
    expected: 'a share of the level, for example 0.1',
    found: String(margin),
    remedy: 'leave it out if every change matters: nothing is then found unchanged',
  });
}

/** Pairs of runs whose labels are exchanged: every two; of a trajectory every run with the reference. */
function testedPairs(runs: number, steps: ReadonlyMap<string, number>) {
  return comparedPairs(runs).filter(({ from }) => steps.size === 0 || from === 0);
}

/** Changes of two runs that are corrected for their number together. */
function headlinesOf(measured: readonly { readonly quantities: readonly Quantity[] }[]): number {
  const isTested = (of: Quantity) => of.impossible === null && familyOf(of) === 'headlines';
  return measured.reduce((sum, { quantities }) => sum + quantities.filter(isTested).length, 0);
}

function stepsOf(regimes: readonly Regime[], runs: readonly RunToCompare[]): Map<string, number> {
  const given = new Map(runs.map(({ folder, step }) => [folder, step]));
  return trajectorySteps(regimes.map(({ run }) => ({ label: run.label, step: given.get(run.folder) })));
}

function scopesOf(groups: readonly LanguageGroup[], tags: readonly string[]): Scope[] {
  return [
    { group: null, languages: tags.map((_, k) => k) },
    ...groups.map(({ name, languages }) => ({
      group: name,
      languages: tags.flatMap((tag, k) => (languages.includes(tag) ? [k] : [])),
    })),
  ];
}

/** Indices of runs. */
function contrastsOf(compared: readonly RunSource[], wanted: CompareOptions['contrasts']) {
  if (wanted === undefined) return comparedPairs(compared.length).filter(({ from }) => from > 0);
  return wanted.map((pair) => {
    const [from, to] = pair.map((label) => compared.findIndex((run) => run.label === label));
    if (from === undefined || to === undefined || from < 1 || to < 1 || from === to) {
      throw new UsageError({
        what: 'a contrast needs two runs that are not the reference',
        where: '--contrast',
        expected: `two of ${
          compared
            .slice(1)
            .map(({ label }) => label)
            .join(', ') || 'at least three runs'
        }`,
        found: pair.join(', '),
        remedy: 'name two of the compared runs',
      });
    }
    return { from, to };
  });
}

/** Exact where items were kept; else what the prompts of each language guarantee. */
function completeItemsOf({ grid, manifest }: RunSource): number {
  if (grid !== null) return grid.complete.length;
  const items = manifest.plan.items.length;
  if (items === 0) return 0;
  const missing = manifest.languages.reduce((sum, { prompts }) => sum + items - (prompts ?? 0), 0);
  return Math.max(0, items - missing);
}

function comparedRun({ run, seeds }: Regime, steps: ReadonlyMap<string, number>): ComparedRun {
  const { label, manifest } = run;
  return {
    label,
    model: manifest.model,
    languages: manifest.languages.map(({ tag, prompts, tokens }) => ({ tag, prompts, tokens })),
    planSha256: manifest.planSha256,
    seeds: seeds.map((seed) => ({ model: seed.manifest.model, planSha256: seed.manifest.planSha256 })),
    step: steps.get(label) ?? null,
  };
}

function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new InterruptedError({ what: 'the comparison was interrupted; nothing was written' });
  }
}
