import {
  type Alternative,
  benjaminiHochberg,
  equivalence,
  exchangePValue,
  findingOf,
  halfSampleVariance,
  holm,
  jackknife,
  minimumDetectable,
  studentTest,
} from '../stats/index.js';
import type { Change, ChangeTest } from './comparison.js';
import { finiteOrNull } from './numbers.js';
import type { Quantity } from './quantities/quantity.js';

/** Level of every test of a comparison. */
export const TEST_LEVEL = 0.05;
/** Fewer folds say too little of what other items would do. */
export const LEAST_FOLDS = 10;
/** Chance with which the minimum detectable change is called. */
const POWER = 0.8;

/** What a change is tested with. */
export interface Evidence {
  readonly value: number;
  /** With each fold left out of both runs. */
  readonly leaveOneOut: readonly number[];
  /** Of signed differences: over the halves of the folds, the same half of both runs. */
  readonly halves: { readonly first: readonly number[]; readonly second: readonly number[] } | null;
  /** [arrangement] of labels, the observed first; null where labels were not swapped. */
  readonly exchanged: readonly number[] | null;
  readonly folds: number;
  /** Changes up to it do not matter; NaN: none was set. */
  readonly margin: number;
}

/**
 * Tests a change between two runs. A mean is smooth: the paired jackknife over folds is calibrated for it. A count under a
 * cut, a set or a rank is not, and its jackknife errs by a factor of two; whether it changed is asked of the exchange of labels, and
 * how large its error is of half-samples of the folds. docs/verification.md shows level, power and coverage of both.
 *
 * @returns `adjusted` is p until `adjustTests` has seen the family.
 */
export function testChange(quantity: Quantity, evidence: Evidence): ChangeTest {
  const { isSmooth, direction, value: ofOneRun, needs, impossible } = quantity;
  const { value, leaveOneOut, halves, exchanged, folds, margin } = evidence;
  const by = isSmooth ? 'jackknife' : 'exchange';
  const nothing = {
    by,
    p: null,
    adjusted: null,
    finding: 'not measured',
    margin: null,
    leastMargin: null,
    detectable: null,
  } as const;
  if (impossible !== null) return { ...nothing, note: impossible };
  if (Number.isNaN(value)) return { ...nothing, note: needs };
  if (folds < LEAST_FOLDS)
    return { ...nothing, note: `${folds} ${folds === 1 ? 'fold' : 'folds'}; a test needs ${LEAST_FOLDS}` };
  const { se, p } = isSmooth
    ? studentTest(value, jackknife(value, leaveOneOut).se, folds - 1)
    : { se: errorOf(halves), p: pOfExchange(exchanged, alternativeOf(direction, ofOneRun !== null)) };
  if (!Number.isFinite(p)) return { ...nothing, note: needs };
  const within = equivalence({ value, se, df: folds - 1 }, margin, TEST_LEVEL);
  // A number that never varied has no error to plan by.
  const detectable =
    se > 0 ? minimumDetectable(se, folds - 1, { power: POWER, level: TEST_LEVEL }) : Number.NaN;
  return {
    by,
    p,
    adjusted: p,
    finding: findingOf(p, within.p, TEST_LEVEL),
    margin: finiteOrNull(margin),
    leastMargin: finiteOrNull(equivalence({ value, se, df: folds - 1 }, 1, TEST_LEVEL).leastMargin),
    detectable: finiteOrNull(detectable),
    note: '',
  };
}

function errorOf(halves: Evidence['halves']): number {
  return halves === null ? Number.NaN : Math.sqrt(halfSampleVariance(halves.first, halves.second));
}

function pOfExchange(exchanged: Evidence['exchanged'], alternative: Alternative): number {
  return exchanged === null ? Number.NaN : exchangePValue(exchanged, alternative);
}

/** A similarity falls and a distance grows where runs differ; only a signed difference has two sides. */
function alternativeOf(direction: Quantity['direction'], isSigned: boolean): Alternative {
  if (direction === 'similarity') return 'less';
  return isSigned ? 'two-sided' : 'greater';
}

/** A finding with the margin it holds within, or the change that would have been found. */
export function findingInWords({ finding, margin, detectable }: ChangeTest): string {
  const number = (value: number) => Number(value.toPrecision(2)).toString();
  if (finding === 'unchanged' && margin !== null) return `unchanged within ±${number(margin)}`;
  if (finding === 'undecided' && detectable !== null) return `undecided (finds ±${number(detectable)})`;
  return finding;
}

/** Tests that are corrected for their number together. */
export const FAMILIES = {
  headlines: {
    method: 'holm',
    about:
      'the changes between two runs over all languages and all layers: any false call at most at the level',
  },
  parts: {
    method: 'benjamini-hochberg',
    about: 'those of single layers, languages and groups: false ones at most that share of all calls',
  },
} as const;

const ADJUST = { holm, 'benjamini-hochberg': benjaminiHochberg };

/** Adjusts the p-values of changes, family by family of every two runs, and says what the adjusted ones find. */
export function adjustTests(changes: readonly Change[]): Change[] {
  const adjusted = changes.map((change) => ({ ...change }));
  const families = new Map<string, typeof adjusted>();
  for (const change of adjusted) {
    const key = JSON.stringify([change.from, change.to, familyOf(change)]);
    families.set(key, [...(families.get(key) ?? []), change]);
  }
  for (const family of families.values()) {
    const { method } = FAMILIES[familyOf(family[0]!)];
    const p = ADJUST[method](family.map(({ test }) => test.p ?? Number.NaN));
    for (const [n, change] of family.entries()) {
      const { test } = change;
      if (test.p === null) continue;
      // Whether a change is within the margin is no claim that the family is corrected for.
      const finding = test.finding === 'unchanged' ? 'unchanged' : findingOf(p[n]!, Number.NaN, TEST_LEVEL);
      change.test = { ...test, adjusted: p[n]!, finding };
    }
  }
  return adjusted;
}

/** The family that a change is corrected in. */
export function familyOf({
  group,
  layer,
  language,
}: Pick<Quantity, 'group' | 'layer' | 'language'>): keyof typeof FAMILIES {
  return group === null && layer === null && language === null ? 'headlines' : 'parts';
}
