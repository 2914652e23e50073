import { readFileSync } from 'node:fs';

/** What test/reference/make_inference.py computed with SciPy and statsmodels. */
export interface InferenceFixture {
  readonly holm: readonly { readonly p: number[]; readonly adjusted: number[] }[];
  readonly welch: readonly {
    readonly first: number[];
    readonly second: number[];
    readonly df: number;
    readonly p: number;
    readonly low: number;
    readonly high: number;
    readonly permutation?: number | null;
    readonly allWays?: number;
  }[];
  readonly fixedFirst: {
    readonly first: number;
    readonly second: number[];
    readonly p: number;
    readonly df: number;
  };
  readonly equivalence: readonly {
    readonly value: number;
    readonly se: number;
    readonly df: number;
    readonly margin: number;
    readonly p: number;
  }[];
  readonly noncentralF: readonly {
    readonly f: number;
    readonly df1: number;
    readonly df2: number;
    readonly lambda: number;
    readonly upper: number;
  }[];
  readonly power: readonly { readonly df: number; readonly shift: number; readonly power: number }[];
  readonly sampleSize: readonly { readonly effect: number; readonly power: number; readonly n: number }[];
  readonly clusters: readonly {
    readonly values: number[];
    readonly cluster: number[];
    readonly mean: number;
    readonly se: number;
    readonly df: number;
    readonly wild: number;
  }[];
  readonly minimumEffect: readonly {
    readonly items: number;
    readonly languages: number;
    readonly total: number;
    readonly language: number;
    readonly item: number;
    readonly smallest: number;
    readonly p: number;
  }[];
  readonly softCount: {
    readonly values: number[];
    readonly se: number[];
    readonly cut: number;
    readonly count: number;
  };
}

export const inference: InferenceFixture = JSON.parse(
  readFileSync(new URL('../fixtures/stats/inference.json', import.meta.url), 'utf8'),
);
