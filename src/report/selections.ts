import type { TopLevelSpec } from 'vega-lite';
import type { SelectedSet, SelectionComparison } from '../interchange/index.js';
import { cellMap, onDark, plainAxis, sequential, valueColour } from './drawing/cell-map.js';
import { specification, tooltip } from './drawing/specification.js';
import { INK, INK_SOFT, MISSING, nth, RUN_COLOURS, RUN_SHAPES } from './drawing/theme.js';
import { count, list, plainStrings, wrap, wrapParts } from './words/text.js';
import { type Drawings, writeDrawings } from './write-drawings.js';
import type { WriteReportOptions } from './write-report.js';

type Unit = SelectionComparison['unit'];
const NAMES: Readonly<Record<Unit, string>> = { neuron: 'Neurons', head: 'Attention heads' };
const ALL = 'any language';
const COLUMNS = 2;
/** Lines of titles and captions break at this width, in em. */
const WIDTH = 62;

/**
 * Draws how far selections of neurons agree: Jaccard of every two of them, overall and by language, beside what sets of
 * these sizes would share by chance.
 */
export function selectionFigure(given: SelectionComparison): TopLevelSpec {
  const { languages, sets, overlaps, unit } = plainStrings(given);
  if (sets.length === 1) return oneSelection(sets[0]!, languages, unit);
  if (overlaps.every(({ both }) => both === null)) return countFigure(given);
  const pairs = [...new Set(overlaps.map(({ a, b }) => `${a} and ${b}`))];
  const values = overlaps.map(({ a, b, language, jaccard, chance, both, inA, inB }) => ({
    pair: `${a} and ${b}`,
    language: language ?? ALL,
    jaccard,
    chance,
    text:
      both === null || inA === null || inB === null
        ? 'counts alone'
        : jaccard === null
          ? 'none selected'
          : `${jaccard.toFixed(2)}  (${count(both)} of ${count(inA + inB - both)})`,
  }));
  const y = {
    field: 'language',
    type: 'ordinal',
    sort: [ALL, ...languages],
    title: null,
    axis: { domain: false, ticks: false, labelOverlap: false, labelPadding: 10 },
  };
  const scale = { domain: [0, 1] };
  const panel = (pair: string) => ({
    title: { text: wrap(pair, 30), fontSize: 12, anchor: 'start', offset: 6 },
    data: { values: values.filter((value) => value.pair === pair) },
    width: 240,
    height: { step: 22 },
    layer: [
      {
        mark: { type: 'bar', color: MISSING, height: 10 },
        encoding: {
          y,
          x: { field: 'jaccard', type: 'quantitative', scale, title: `Jaccard of selected ${unit}s` },
        },
      },
      {
        mark: {
          type: 'point',
          shape: RUN_SHAPES[0],
          filled: true,
          size: 60,
          color: RUN_COLOURS[2],
          invalid: 'filter',
        },
        encoding: { y, x: { field: 'jaccard', type: 'quantitative' } },
      },
      {
        mark: { type: 'tick', thickness: 2, size: 16, color: RUN_COLOURS[1], invalid: 'filter' },
        encoding: { y, x: { field: 'chance', type: 'quantitative' } },
      },
      {
        mark: { type: 'text', align: 'left', dx: 8, fontSize: 10, color: INK },
        encoding: {
          y,
          x: { value: 240 },
          text: { field: 'text' },
        },
      },
    ],
  });
  const chance = overlaps.some((overlap) => overlap.chance !== null);
  const described = sets.map((set) => setInWords(set, unit));
  return specification({
    title: {
      text: wrap(`${NAMES[unit]} that selections share: ${list(sets.map(({ label }) => label))}`, 46),
      subtitle: wrapParts(
        [
          ...described,
          `dot: Jaccard${chance ? '; upright stroke: sets of these sizes at random' : '; chance not known'}`,
          'no interval, no noise floor: not measured',
        ].join(' · '),
        WIDTH,
      ),
      subtitleColor: INK_SOFT,
    },
    concat: pairs.map(panel),
    columns: COLUMNS,
    spacing: { column: 120, row: 24 },
  });
}

/** `tang2024` of a scored run, `imported lape-mask, unknown rule` of a file. */
function provenance(source: string, rule: string): string {
  return source === rule ? source : `${source}, ${rule}`;
}

/** `base: 3,522 neurons (tang2024)`. */
function setInWords({ label, source, rule, selected }: SelectedSet, unit: Unit): string {
  const many = selected === null ? `counts of ${unit}s` : `${count(selected)} ${unit}s`;
  return `${label}: ${many} (${provenance(source, rule)})`;
}

/** Draws how many units each selection has for each language, with the change from the first. */
export function countFigure(given: SelectionComparison): TopLevelSpec {
  const { languages, sets, unit } = plainStrings(given);
  const labels = sets.map(({ label }) => label);
  const values = sets.flatMap(({ label, perLanguage }) =>
    languages.map((language, k) => ({ language, label, selected: perLanguage[k]! })),
  );
  const changes = languages.map((language, k) => ({
    language,
    text: sets
      .slice(1)
      .map(({ perLanguage }) => changeInWords(sets[0]!.perLanguage[k]!, perLanguage[k]!))
      .join('   '),
  }));
  const y = plainAxis('language', languages);
  const series = { field: 'label', type: 'nominal', sort: labels, title: null };
  return specification({
    title: {
      text: wrap(`${NAMES[unit]} selected for each language: ${list(labels)}`, 46),
      subtitle: wrapParts(
        [
          ...sets.map((set) => setInWords(set, unit)),
          `right: change from ${labels[0]}`,
          'no interval, no noise floor: not measured',
        ].join(' · '),
        WIDTH,
      ),
      subtitleColor: INK_SOFT,
    },
    width: 320,
    height: { step: 22 },
    layer: [
      {
        data: { values },
        mark: { type: 'point', filled: true, size: 60, opacity: 0.85 },
        encoding: {
          y,
          x: {
            field: 'selected',
            type: 'quantitative',
            title: `selected ${unit}s`,
            axis: { tickMinStep: 1 },
          },
          color: {
            ...series,
            scale: { domain: labels, range: labels.map((_, i) => nth(RUN_COLOURS, i)) },
            legend: { orient: 'bottom' },
          },
          shape: { ...series, scale: { domain: labels, range: labels.map((_, i) => nth(RUN_SHAPES, i)) } },
          tooltip: tooltip({ label: 'selection', language: 'language', selected: `selected ${unit}s` }),
        },
      },
      {
        data: { values: changes },
        mark: { type: 'text', align: 'left', dx: 8, fontSize: 10, color: INK },
        encoding: { y, x: { value: 320 }, text: { field: 'text' } },
      },
    ],
  });
}

/** `+13 (+4 %)`; of nothing there is no share. */
function changeInWords(from: number, to: number): string {
  const sign = (value: number) => (value > 0 ? `+${count(value)}` : value < 0 ? `−${count(-value)}` : '0');
  const share = from === 0 ? '' : ` (${sign(Math.round((100 * (to - from)) / from))} %)`;
  return `${sign(to - from)}${share}`;
}

/** Draws how many units of each layer one selection has for each language. */
function oneSelection(set: SelectedSet, languages: readonly string[], unit: Unit) {
  const { label, byLayer } = set;
  const most = Math.max(1, ...byLayer.flat());
  const values = byLayer.flatMap((row, layer) =>
    row.map((value, k) => ({
      layer: String(layer),
      language: languages[k]!,
      value,
      text: value === 0 ? '' : count(value),
      light: onDark(value, 0, most),
    })),
  );
  const layers = byLayer.map((_, layer) => String(layer));
  return specification({
    title: {
      text: wrap(`${NAMES[unit]} of each layer and language: ${label}`, 46),
      subtitle: wrapParts(`${setInWords(set, unit)} · one selection: no interval, no noise floor`, WIDTH),
    },
    ...cellMap({
      values,
      x: plainAxis('language', languages, { axis: { orient: 'top', labelAngle: -45 } }),
      y: plainAxis('layer', layers, { title: ['layer'] }),
      width: { step: 40 },
      height: { step: 18 },
      color: valueColour(sequential(0, most), `${unit}s`, 200),
      tooltip: tooltip({ language: 'language', layer: 'layer', value: `${unit}s` }),
      fontSize: 10,
    }),
  });
}

/** The CSV file: a row a pair of selections and language; of one selection, a row a layer and language. */
function selectionRows({ languages, sets, overlaps }: SelectionComparison) {
  const [alone] = sets.length === 1 ? sets : [];
  if (alone !== undefined) {
    const rows = alone.byLayer.flatMap((row, layer) => row.map((n, k) => [layer, languages[k]!, n]));
    return [['layer', 'language', 'selected'], ...rows];
  }
  const names = ['a', 'b', 'language', 'inA', 'inB', 'both', 'jaccard', 'chance'] as const;
  return [
    [...names, 'change', 'change_percent'],
    ...overlaps.map((overlap) => {
      const { inA, inB } = overlap;
      const change = inA === null || inB === null ? null : inB - inA;
      const percent = change === null || !inA ? null : (100 * change) / inA;
      return [...names.map((name) => overlap[name]), change, percent];
    }),
  ];
}

/** Of how many languages a unit is, set by set; null of counts alone. */
function multiplicityRows({ sets, unit }: SelectionComparison) {
  const rows = sets.flatMap(({ label, byLanguageCount }) =>
    (byLanguageCount ?? []).map((n, k) => [label, k + 1, n]),
  );
  return rows.length === 0 ? null : [['selection', 'languages', `${unit}s`], ...rows];
}

/**
 * Writes `figures/selections.svg` and `.png`, of several selections `figures/selection-counts` too,
 * `tables/selections.csv` and `tables/selection-multiplicity.csv` (how many units are of 1, 2, … languages), those that
 * `formats` name. Returns their paths. There is no page of selections.
 *
 * @throws OutputError if the folder cannot be written.
 */
export function writeSelectionReport(
  comparison: SelectionComparison,
  outFolder: string,
  options: WriteReportOptions = {},
): Promise<{ readonly files: string[] }> {
  const plain = plainStrings(comparison);
  const shared = comparison.overlaps.some(({ both }) => both !== null);
  const several = comparison.sets.length > 1;
  const drawings: Drawings = {
    figures: {
      selections: several && !shared ? null : selectionFigure(comparison),
      'selection-counts': several ? countFigure(comparison) : null,
    },
    tables: { selections: selectionRows(plain), 'selection-multiplicity': multiplicityRows(plain) },
  };
  return writeDrawings(drawings, outFolder, options);
}
