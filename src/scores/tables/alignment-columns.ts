import type { Interval } from '../../stats/index.js';
import type { ColumnType, TableValue } from '../../store/index.js';
import { JACKKNIFE } from '../definition.js';
import type { Alignment } from '../definitions/alignment.js';

/** A row of `alignment.parquet`: two languages in a layer. */
export interface AlignmentRow extends Omit<Alignment, 'margin' | 'mexa'> {
  readonly layer: number;
  readonly languageA: string;
  readonly languageB: string;
  /** Items that both languages have, left out because a vector is zero. */
  readonly leftOut: number;
  readonly margin: Interval;
  readonly mexa: Interval;
}

export interface AlignmentColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly about: string;
  readonly of: (row: AlignmentRow) => TableValue;
}

function interval(name: 'margin' | 'mexa'): AlignmentColumn[] {
  const number = (end: keyof Interval, about: string): AlignmentColumn => ({
    name: `${name}_${end}`,
    type: 'float64',
    about,
    of: (row) => row[name][end],
  });
  return [
    number('se', `standard error of ${name} (${JACKKNIFE}; a left-out item is no candidate either)`),
    number('low', 'lower end of its 95 % interval'),
    number('high', 'upper end of its 95 % interval'),
  ];
}

/** Columns of `alignment.parquet`. */
export const ALIGNMENT_COLUMNS: readonly AlignmentColumn[] = [
  { name: 'layer', type: 'int32', about: 'from 0', of: ({ layer }) => layer },
  { name: 'language_a', type: 'string', about: 'BCP 47 tag', of: ({ languageA }) => languageA },
  {
    name: 'language_b',
    type: 'string',
    about: 'BCP 47 tag; every two languages once, in the order of the run',
    of: ({ languageB }) => languageB,
  },
  {
    name: 'items',
    type: 'int32',
    about: 'items that both languages have; each is the candidate of every other',
    of: ({ items }) => items,
  },
  {
    name: 'left_out',
    type: 'int32',
    about: 'further items that both have, left out because a vector is zero and has no direction',
    of: ({ leftOut }) => leftOut,
  },
  {
    name: 'cosine_same',
    type: 'float64',
    about: 'mean cosine of the pooled hook_resid_post of an item in one language and in the other',
    of: ({ same }) => same,
  },
  {
    name: 'cosine_different',
    type: 'float64',
    about: 'mean cosine of an item in one language and the other items in the other',
    of: ({ different }) => different,
  },
  {
    name: 'margin',
    type: 'float64',
    about: 'cosine_same − cosine_different',
    of: ({ margin }) => margin.value,
  },
  ...interval('margin'),
  {
    name: 'mexa',
    type: 'float64',
    about:
      'share of items whose cosine between the languages strictly exceeds those with every other item, from either language; a tie is not retrieved (MEXA, Kargaran et al. 2025). It falls as items are added',
    of: ({ mexa }) => mexa.value,
  },
  ...interval('mexa'),
  {
    name: 'mexa_chance',
    type: 'float64',
    about: '1 / (2 items − 1): mexa where all cosines are exchangeable',
    of: ({ items }) => (items < 2 ? Number.NaN : 1 / (2 * items - 1)),
  },
];
