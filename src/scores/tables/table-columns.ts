import type { ExpertSizes } from '../../hooks/index.js';
import { type ColumnType, expertOfUnit, type TableValue } from '../../store/index.js';
import { columnsOf, type ScoreDefinition, testColumns } from '../definition.js';
import { SCORE_DEFINITIONS } from '../definitions/index.js';
import type { UnitBlock } from '../engine/unit-scores.js';
import { deadUnits, topLanguage } from '../selection/of-rates.js';
import type { PolicySelections } from '../selection/policies.js';
import { languagesOf, type Selection } from '../selection/selection.js';

/** Some units of one type, with all that is written about them. */
export interface ScoredUnits {
  readonly scores: UnitBlock;
  /** Sizes of the model's experts. */
  readonly sizes: ExpertSizes;
  /** null if LAPE was not computed. */
  readonly policies: PolicySelections | null;
  /** [language]: prompts with pooled values; null if none are kept. */
  readonly prompts: Float64Array | null;
}

/** A column of a table of scores. */
export interface ColumnSpec {
  readonly name: string;
  readonly type: ColumnType;
  /** Stored in the table itself, and in docs/files.md. */
  readonly about: string;
  /**
   * The value of a unit of the block, counted from its start (and of a language, by index); NaN, never null, for a number
   * that cannot be computed. null: no unit of the type has one.
   */
  readonly of: (
    table: ScoredUnits,
    tags: readonly string[],
  ) => ((unit: number, language: number) => TableValue) | null;
}

/** A column that says where a unit is. */
function place(
  name: string,
  type: ColumnType,
  about: string,
  of: (table: ScoredUnits, layer: number, index: number) => TableValue,
): ColumnSpec {
  const cellOf = (table: ScoredUnits) => (unit: number) => {
    const { layout, start } = table.scores;
    const layer = layout.layerOf(start + unit);
    return of(table, layer, start + unit - layout.starts[layer]!);
  };
  return { name, type, about, of: cellOf };
}

/** Columns that every table begins with. */
const KEY_COLUMNS: readonly ColumnSpec[] = [
  place(
    'type',
    'string',
    'neuron (one MLP unit), head, expert, or residual (one dimension of the residual stream after the layer)',
    ({ scores }) => scores.type,
  ),
  place('layer', 'int32', 'from 0', (_, layer) => layer),
  place('index', 'int32', 'within the layer, from 0', (_table, _layer, index) => index),
  place(
    'expert',
    'int32',
    'the expert that a neuron is of, or that the row is about; null for neurons of dense layers and of shared experts, and for other units',
    ({ scores, sizes }, layer, index) => expertOfUnit(sizes, scores.type, layer, index),
  ),
];

function selectionColumn(policy: keyof PolicySelections): ColumnSpec {
  return {
    name: `selected_${policy}`,
    type: 'string',
    about: `languages it belongs to under policy ${policy}, comma-separated; empty if not selected`,
    of: ({ scores: { start }, policies }, tags) =>
      policies && ((unit) => tagsOf(policies[policy].selection, start + unit, tags)),
  };
}

/** The highest value over languages, or the second highest, and its language. */
function placeColumns(array: string, name: string, place: 0 | 1, about: string): ColumnSpec[] {
  const placed = ({ scores }: ScoredUnits) => {
    const values = scores.ofLanguages(array);
    return { values, at: values === null ? null : atPlace(values, scores.languages, place) };
  };
  return [
    {
      name,
      type: 'float64',
      about,
      of: (table) => {
        const { values, at } = placed(table);
        return at && ((unit) => (at[unit] === -1 ? Number.NaN : values![at[unit]! * at.length + unit]!));
      },
    },
    {
      name: `${name}_language`,
      type: 'string',
      about: 'its language',
      of: (table, tags) => {
        const { at } = placed(table);
        return at && ((unit) => tags[at[unit]!] ?? null);
      },
    },
  ];
}

function arrayColumn([name, about]: readonly [string, string], per: ScoreDefinition['per']): ColumnSpec {
  return {
    name,
    type: 'float64',
    about,
    of: ({ scores }) => {
      const values = per === 'unit' ? scores.ofUnits(name) : scores.ofLanguages(name);
      return values && ((unit, k) => values[per === 'unit' ? unit : k * scores.units + unit]!);
    },
  };
}

/** The columns of scores, of their intervals and of their tests. */
function scoreColumns(definitions: readonly ScoreDefinition[], per: ScoreDefinition['per']): ColumnSpec[] {
  return definitions.flatMap((definition) => {
    if (definition.from === 'pairs') return [];
    const own = definition.per === per ? columnsOf(definition) : [];
    // The test of the best over languages is a unit's.
    const ofBest = (definition.tests ?? []).filter(({ name }) => name !== definition.name);
    const further = per === 'unit' ? ofBest.flatMap(testColumns) : [];
    return [...own, ...further].map((column) => arrayColumn(column, per));
  });
}

const UNIT_FACTS: readonly ColumnSpec[] = [
  ...KEY_COLUMNS,
  {
    name: 'dead',
    type: 'boolean',
    about:
      'never fires (neuron), contributes nothing (head) or is never chosen (expert) in any language; null for residual dimensions and for neurons of experts that are never chosen',
    of: ({ scores }) => {
      const { languages, units } = scores;
      const rate = scores.ofLanguages('rate');
      if (rate === null) return null;
      const dead = deadUnits(rate as Float64Array, languages);
      const known = new Uint8Array(units);
      for (let at = 0; at < rate.length; at++) if (!Number.isNaN(rate[at]!)) known[at % units] = 1;
      return (unit) => (known[unit] === 1 ? dead[unit] === 1 : null);
    },
  },
  {
    name: 'top_language',
    type: 'string',
    about: 'language of the highest rate',
    of: ({ scores }, tags) => {
      const rate = scores.ofLanguages('rate');
      const top = rate && topLanguage(rate as Float64Array, scores.languages);
      return top && ((unit) => tags[top[unit]!] ?? null);
    },
  },
  selectionColumn('tang2024'),
  selectionColumn('polyfact2026'),
];

const UNIT_LANGUAGE_FACTS: readonly ColumnSpec[] = [
  ...KEY_COLUMNS,
  {
    name: 'language',
    type: 'string',
    about: 'BCP 47 tag',
    of: (_, tags) => (_unit, k) => tags[k]!,
  },
  {
    name: 'share',
    type: 'float64',
    about: 'rate / sum of the rates of all languages',
    of: ({ scores }) => {
      const { languages, units } = scores;
      const rate = scores.ofLanguages('rate');
      if (rate === null) return null;
      const sum = new Float64Array(units);
      for (let at = 0; at < languages * units; at++) sum[at % units]! += rate[at]!;
      return (unit, k) => (sum[unit]! > 0 ? rate[k * units + unit]! / sum[unit]! : Number.NaN);
    },
  },
];

/** Columns of `units.parquet`. */
export function unitColumns(definitions: readonly ScoreDefinition[]): readonly ColumnSpec[] {
  return [
    ...UNIT_FACTS,
    ...definitions.flatMap(({ name, best }) => [
      ...(best === undefined ? [] : placeColumns(name, `${name}_best`, 0, best.about)),
      ...(best?.second === undefined ? [] : placeColumns(name, `${name}_second`, 1, best.second)),
    ]),
    ...scoreColumns(definitions, 'unit'),
  ];
}

/** Columns of `unit_languages.parquet`. */
export function unitLanguageColumns(definitions: readonly ScoreDefinition[]): readonly ColumnSpec[] {
  return [
    ...UNIT_LANGUAGE_FACTS,
    ...definitions.flatMap(({ name, chance }) => (chance === undefined ? [] : [chanceColumn(name, chance)])),
    ...scoreColumns(definitions, 'language'),
  ];
}

export const UNIT_COLUMNS = unitColumns(SCORE_DEFINITIONS);
export const UNIT_LANGUAGE_COLUMNS = unitLanguageColumns(SCORE_DEFINITIONS);

function chanceColumn(
  score: string,
  { name, about }: { readonly name: string; readonly about: string },
): ColumnSpec {
  return {
    name,
    type: 'float64',
    about,
    of: ({ prompts, scores }) => {
      if (prompts === null || scores.ofLanguages(score) === null) return null;
      const total = prompts.reduce((sum, count) => sum + count, 0);
      return (_, k) => prompts[k]! / total;
    },
  };
}

/** [unit]: index of the language with the highest value, or the second highest; −1 if there is none. */
function atPlace(values: Float64Array | Float32Array, languages: number, place: 0 | 1): Int32Array {
  const units = values.length / languages;
  const at = new Int32Array(units).fill(-1);
  for (let u = 0; u < units; u++) {
    let first = -1;
    let second = -1;
    for (let k = 0; k < languages; k++) {
      const value = values[k * units + u]!;
      if (Number.isNaN(value)) continue;
      if (first === -1 || value > values[first * units + u]!) {
        second = first;
        first = k;
      } else if (second === -1 || value > values[second * units + u]!) second = k;
    }
    at[u] = place === 0 ? first : second;
  }
  return at;
}

function tagsOf(selection: Selection, unit: number, tags: readonly string[]): string {
  return languagesOf(selection, unit)
    .map((k) => tags[k]!)
    .join(',');
}
