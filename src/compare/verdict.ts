import {
  type Alternative,
  benjaminiHochberg,
  equivalence,
  exchangePValue,
  type Finding,
  findingOf,
  holm,
  minimumDetectable,
  studentTest,
} from '../stats/index.js';
import type { Change, ChangeTest, Contrast, Trend } from './comparison.js';
import type { Uncertainty } from './estimates.js';
import { finiteOrNull } from './numbers.js';
import type { Quantity } from './quantities/quantity.js';

/** Level of every test of a comparison. */
export const TEST_LEVEL = 0.05;
/** Fewer folds say too little of what other items would do. */
export const LEAST_FOLDS = 10;
/** Chance with which the minimum detectable change is called. */
const POWER = 0.8;

/** What a change is tested with. */
export interface Evidence extends Uncertainty {
  readonly value: number;
  /** [arrangement] of labels, the observed first; null where labels were not swapped. */
  readonly exchanged: readonly number[] | null;
  readonly folds: number;
  /** Changes up to it do not matter; NaN: none was set. */
  readonly margin: number;
}

/**
 * Tests a change between two runs. A mean has the t test of its error. Whether a count, a set or a rank changed is asked of the
 * exchange of labels, which supposes nothing of its distribution; how large it may be is told by its error.
 * docs/verification.md shows level, power and coverage of both.
 *
 * @returns `adjusted` is p until `adjustFamilies` has seen the family.
 */
export function testChange(
  quantity: Quantity,
  { value, se, df, exchanged, folds, margin }: Evidence,
): ChangeTest {
  const { isSmooth, direction, value: ofOneRun } = quantity;
  const isSigned = ofOneRun !== null;
  const p = isSmooth
    ? studentTest(value, se, df).p
    : pOfExchange(exchanged, alternativeOf(direction, isSigned));
  // What exists only between two runs is no change that could be small.
  const error = isSigned ? { se, df } : { se: Number.NaN, df };
  return testOf(quantity, isSmooth ? 'jackknife' : 'exchange', p, { value, ...error, folds, margin });
}

/** Tests a difference in differences against 0 by t of its error, the jackknife's of a mean and that of halves of others. */
export function testContrast(
  quantity: Quantity,
  { value, se, df, folds }: Omit<Evidence, 'exchanged' | 'margin'>,
): ChangeTest {
  // A number that jumps and did so in no half has no error to judge by, unless there is no difference either.
  const isJudged = quantity.isSmooth || se > 0 || value === 0;
  const p = isJudged ? studentTest(value, se, df).p : Number.NaN;
  const by = quantity.isSmooth ? 'jackknife' : 'half-samples';
  return testOf(quantity, by, p, { value, se, df, folds, margin: Number.NaN });
}

function testOf(
  { impossible, needs }: Quantity,
  by: ChangeTest['by'],
  p: number,
  { value, se, df, folds, margin }: Omit<Evidence, 'exchanged'>,
): ChangeTest {
  const none = (note: string): ChangeTest => {
    const nothing = { p: null, adjusted: null, margin: null, leastMargin: null, detectable: null };
    return { by, ...nothing, finding: 'not measured', note };
  };
  if (impossible !== null) return none(impossible);
  if (Number.isNaN(value)) return none(needs);
  if (folds < LEAST_FOLDS)
    return none(`${folds} ${folds === 1 ? 'fold' : 'folds'}; a test needs ${LEAST_FOLDS}`);
  if (!Number.isFinite(p)) return none(se === 0 ? 'it is the same in all halves of the folds' : needs);
  const within = equivalence({ value, se, df }, margin, TEST_LEVEL);
  // A number that never varied has no error to plan by.
  const detectable = se > 0 ? minimumDetectable(se, df, { power: POWER, level: TEST_LEVEL }) : Number.NaN;
  return {
    by,
    p,
    adjusted: p,
    finding: findingOf(p, within.p, TEST_LEVEL),
    margin: finiteOrNull(margin),
    leastMargin: finiteOrNull(equivalence({ value, se, df }, 1, TEST_LEVEL).leastMargin),
    detectable: finiteOrNull(detectable),
    note: '',
  };
}

function pOfExchange(exchanged: Evidence['exchanged'], alternative: Alternative): number {
  return exchanged === null ? Number.NaN : exchangePValue(exchanged, alternative, 'negates');
}

/** A similarity falls and a distance grows where runs differ; only a signed difference has two sides. */
function alternativeOf(direction: Quantity['direction'], isSigned: boolean): Alternative {
  if (direction === 'similarity') return 'less';
  return isSigned ? 'two-sided' : 'greater';
}

/** Tests that are corrected for their number together. */
export const FAMILIES = {
  headlines: {
    method: 'holm',
    about:
      'the changes between two runs over all languages and all layers, and so the contrasts of two: any false call at most at the level',
  },
  parts: {
    method: 'benjamini-hochberg',
    about: 'those of single layers, languages and groups: false ones at most that share of all calls',
  },
  trends: {
    method: 'benjamini-hochberg',
    about: 'the trends of a trajectory: false ones at most that share of all calls',
  },
} as const;
type Family = keyof typeof FAMILIES;

const ADJUST = { holm, 'benjamini-hochberg': benjaminiHochberg };

/** Changes or contrasts with p-values adjusted, family by family of every two runs, and what the adjusted ones find. */
export function adjustTests<Row extends Change | Contrast>(rows: readonly Row[]): Row[] {
  const of = (row: Row): [string, Family] => [`${row.from} ${row.to}`, familyOf(row)];
  const tests = adjustFamilies(rows, of, ({ test }) => test);
  const seeds = adjustFamilies(rows, of, (row) => row.seeds.test);
  return rows.map((row, n) => ({ ...row, test: tests[n]!, seeds: { ...row.seeds, test: seeds[n]! } }));
}

export function adjustTrends(trends: readonly Trend[]): Trend[] {
  return adjustFamilies(
    trends,
    () => ['', 'trends'],
    (trend) => trend,
  );
}

/** [row]: its test, with the p that stands in `adjusted` corrected in its family, which `of` names second, and apart for every first. */
export function adjustFamilies<
  Row,
  Test extends { readonly adjusted: number | null; readonly finding: Finding },
>(rows: readonly Row[], of: (row: Row) => [string, Family], testOfRow: (row: Row) => Test): Test[] {
  const adjusted = rows.map(testOfRow);
  const families = new Map<string, number[]>();
  for (const [n, row] of rows.entries()) {
    const key = JSON.stringify(of(row));
    families.set(key, [...(families.get(key) ?? []), n]);
  }
  for (const family of families.values()) {
    const { method } = FAMILIES[of(rows[family[0]!]!)[1]];
    const p = ADJUST[method](family.map((n) => adjusted[n]!.adjusted ?? Number.NaN));
    for (const [at, n] of family.entries()) {
      const test = adjusted[n]!;
      if (test.adjusted === null) continue;
      // Whether a change is within the margin is no claim that the family is corrected for.
      const finding = test.finding === 'unchanged' ? 'unchanged' : findingOf(p[at]!, Number.NaN, TEST_LEVEL);
      adjusted[n] = { ...test, adjusted: p[at]!, finding };
    }
  }
  return adjusted;
}

/** The family that a change is corrected in. */
export function familyOf({
  group,
  layer,
  language,
}: Pick<Quantity, 'group' | 'layer' | 'language'>): 'headlines' | 'parts' {
  return group === null && layer === null && language === null ? 'headlines' : 'parts';
}
