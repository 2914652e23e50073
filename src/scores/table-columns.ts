import type { TableColumn } from '../store/table.js';
import { contrast } from './contrast.js';
import { deadUnits } from './dead-units.js';
import type { PolicySelections } from './select-by-policies.js';
import { languagesOf, type Selection } from './selection.js';
import { topLanguage } from './top-language.js';
import type { UnitScores } from './unit-scores.js';

/** What is written about one type of unit. */
export interface ScoredUnits {
  readonly scores: UnitScores;
  /** [language]: chance level of average precision; null if it was not computed. */
  readonly chance: Float64Array | null;
  /** null if LAPE was not computed. */
  readonly policies: PolicySelections | null;
}

type Value = number | string | boolean | null;

/** A column of a table of scores. */
export interface ColumnSpec {
  readonly name: string;
  readonly type: TableColumn['type'];
  /** Stored in the table itself. */
  readonly about: string;
  /** The value of a unit (and of a language, by index) in the table of its type. */
  readonly of: (table: ScoredUnits, tags: readonly string[]) => (unit: number, language: number) => Value;
}

/** Columns that every table begins with. */
const KEY_COLUMNS: readonly ColumnSpec[] = [
  {
    name: 'type',
    type: 'string',
    about: 'neuron (one MLP unit) or head',
    of:
      ({ scores }) =>
      () =>
        scores.type,
  },
  {
    name: 'layer',
    type: 'int32',
    about: 'from 0',
    of:
      ({ scores }) =>
      (unit) =>
        Math.floor(unit / scores.width),
  },
  {
    name: 'index',
    type: 'int32',
    about: 'within the layer, from 0',
    of:
      ({ scores }) =>
      (unit) =>
        unit % scores.width,
  },
];

/** A column that copies an array [unit]. */
function unitColumn(name: string, array: UnitArray, about: string): ColumnSpec {
  return {
    name,
    type: 'float64',
    about,
    of:
      ({ scores }) =>
      (unit) =>
        scores[array][unit]!,
  };
}
type UnitArray =
  | 'lape'
  | 'lapeSe'
  | 'lapeLow'
  | 'lapeHigh'
  | 'eta2Language'
  | 'eta2Item'
  | 'omega2Language'
  | 'omega2Item'
  | 'vectorShareLanguage'
  | 'vectorShareItem';

function selectionColumn(policy: keyof PolicySelections): ColumnSpec {
  return {
    name: `selected_${policy}`,
    type: 'string',
    about: `languages it belongs to under policy ${policy}, comma-separated; empty if not selected`,
    of:
      ({ policies }, tags) =>
      (unit) =>
        policies && tagsOf(policies[policy].selection, unit, tags),
  };
}

/** Columns of `units.parquet`. */
export const UNIT_COLUMNS: readonly ColumnSpec[] = [
  ...KEY_COLUMNS,
  {
    name: 'dead',
    type: 'boolean',
    about: 'never fires (neuron) or contributes nothing (head) in any language',
    of: ({ scores }) => {
      const dead = deadUnits(scores.rate, scores.languages);
      return (unit) => dead[unit] === 1;
    },
  },
  unitColumn('lape', 'lape', 'entropy over languages of the rate, nats, 0 … ln K (Tang et al. 2024)'),
  unitColumn('lape_se', 'lapeSe', 'delete-one-fold jackknife standard error of lape'),
  unitColumn('lape_low', 'lapeLow', 'lower end of the 95 % interval of lape, clipped to 0'),
  unitColumn('lape_high', 'lapeHigh', 'upper end of the 95 % interval of lape, clipped to ln K'),
  {
    name: 'top_language',
    type: 'string',
    about: 'language of the highest rate',
    of: ({ scores }, tags) => {
      const top = topLanguage(scores.rate, scores.languages);
      return (unit) => tags[top[unit]!] ?? null;
    },
  },
  selectionColumn('tang2024'),
  selectionColumn('polyfact2026'),
  unitColumn('eta2_language', 'eta2Language', 'SS_language / SS_total of pooled values on complete items'),
  unitColumn('eta2_item', 'eta2Item', 'SS_item / SS_total'),
  unitColumn('omega2_language', 'omega2Language', 'eta2_language corrected for bias'),
  unitColumn('omega2_item', 'omega2Item', 'eta2_item corrected for bias'),
  {
    name: 'ap_best',
    type: 'float64',
    about: 'highest average precision over languages',
    of: ({ scores }) => {
      const best = topLanguage(scores.ap, scores.languages);
      return (unit) => (best[unit] === -1 ? Number.NaN : scores.ap[best[unit]! * scores.units + unit]!);
    },
  },
  {
    name: 'ap_best_language',
    type: 'string',
    about: 'its language',
    of: ({ scores }, tags) => {
      const best = topLanguage(scores.ap, scores.languages);
      return (unit) => tags[best[unit]!] ?? null;
    },
  },
  unitColumn(
    'vector_share_language',
    'vectorShareLanguage',
    'heads: tr(S_language) / tr(S_total) of pooled hook_z on complete items',
  ),
  unitColumn('vector_share_item', 'vectorShareItem', 'heads: tr(S_item) / tr(S_total)'),
];

/** Columns of `unit_languages.parquet`. */
export const UNIT_LANGUAGE_COLUMNS: readonly ColumnSpec[] = [
  ...KEY_COLUMNS,
  {
    name: 'language',
    type: 'string',
    about: 'BCP 47 tag',
    of: (_, tags) => (_unit, k) => tags[k]!,
  },
  {
    name: 'rate',
    type: 'float64',
    about: 'share of counted tokens with hook_pre > 0 (neuron), or mean ‖z_h W_O,h‖ (head)',
    of:
      ({ scores }) =>
      (unit, k) =>
        scores.rate[k * scores.units + unit]!,
  },
  {
    name: 'share',
    type: 'float64',
    about: 'rate / sum of the rates of all languages',
    of: ({ scores: { rate, languages, units } }) => {
      const sum = new Float64Array(units);
      for (let at = 0; at < languages * units; at++) sum[at % units]! += rate[at]!;
      return (unit, k) => (sum[unit]! > 0 ? rate[k * units + unit]! / sum[unit]! : Number.NaN);
    },
  },
  {
    name: 'mean',
    type: 'float64',
    about: 'mean over counted tokens of hook_post (neuron) or ‖z_h W_O,h‖ (head)',
    of:
      ({ scores }) =>
      (unit, k) =>
        scores.mean[k * scores.units + unit]!,
  },
  {
    name: 'contrast',
    type: 'float64',
    about: "mean minus the average of the other languages' means",
    of: ({ scores }) => {
      const difference = contrast(scores.mean, scores.languages);
      return (unit, k) => difference[k * scores.units + unit]!;
    },
  },
  {
    name: 'ap',
    type: 'float64',
    about: 'average precision of pooled values for this language against the rest',
    of:
      ({ scores }) =>
      (unit, k) =>
        scores.ap[k * scores.units + unit]!,
  },
  {
    name: 'ap_chance',
    type: 'float64',
    about: 'share of prompts in this language: the average precision of chance',
    of:
      ({ chance }) =>
      (_, k) =>
        chance?.[k] ?? Number.NaN,
  },
];

/** One column over all tables: unit by unit, and within a unit language by language. */
export function tableColumn(
  { name, type, of }: ColumnSpec,
  tables: readonly ScoredUnits[],
  tags: readonly string[],
  languages: number,
): TableColumn {
  const values: Value[] = [];
  for (const table of tables) {
    const value = of(table, tags);
    for (let unit = 0; unit < table.scores.units; unit++) {
      for (let k = 0; k < languages; k++) values.push(value(unit, k));
    }
  }
  // The specification's type is that of its values.
  return { name, type, values } as TableColumn;
}

function tagsOf(selection: Selection, unit: number, tags: readonly string[]): string {
  return languagesOf(selection, unit)
    .map((k) => tags[k]!)
    .join(',');
}
