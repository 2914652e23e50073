import { join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import type { SelectedSet, SelectionComparison } from '../interchange/index.js';
import { csvLine } from '../store/index.js';
import { cellMap, onDark, plainAxis, sequential, valueColour } from './drawing/cell-map.js';
import { renderPng, renderSvgs } from './drawing/render.js';
import { numeric, specification, tooltip } from './drawing/specification.js';
import { INK, INK_SOFT, MISSING, RUN_COLOURS, RUN_SHAPES } from './drawing/theme.js';
import { count, list, plainStrings, wrap, wrapParts } from './words/text.js';
import { REPORT_FORMATS, reportFiles, type WriteReportOptions } from './write-report.js';

const ALL = 'any language';
const COLUMNS = 2;
/** Lines of titles and captions break at this width, in em. */
const WIDTH = 62;

/**
 * Draws how far selections of neurons agree: Jaccard of every two of them, overall and by language, beside what sets of
 * these sizes would share by chance.
 */
export function selectionFigure(given: SelectionComparison): TopLevelSpec {
  const { languages, sets, overlaps } = plainStrings(given);
  if (sets.length === 1) return oneSelection(sets[0]!, languages);
  const pairs = [...new Set(overlaps.map(({ a, b }) => `${a} and ${b}`))];
  const values = overlaps.map(({ a, b, language, jaccard, chance, both, inA, inB }) => ({
    pair: `${a} and ${b}`,
    language: language ?? ALL,
    jaccard,
    chance,
    text:
      jaccard === null
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
          x: numeric('jaccard', { scale, title: 'Jaccard of selected neurons' }),
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
        encoding: { y, x: numeric('jaccard') },
      },
      {
        mark: { type: 'tick', thickness: 2, size: 16, color: RUN_COLOURS[1], invalid: 'filter' },
        encoding: { y, x: numeric('chance') },
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
  const described = sets.map(
    ({ label, source, rule, selected }) =>
      `${label}: ${count(selected)} neurons (${provenance(source, rule)})`,
  );
  return specification({
    title: {
      text: wrap(`Neurons that selections share: ${list(sets.map(({ label }) => label))}`, 46),
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

/** Draws how many neurons of each layer one selection has for each language. */
function oneSelection({ label, source, rule, selected, byLayer }: SelectedSet, languages: readonly string[]) {
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
      text: wrap(`Neurons of each layer and language: ${label}`, 46),
      subtitle: wrapParts(
        `${count(selected)} neurons (${provenance(source, rule)}) · one selection: no interval, no noise floor`,
        WIDTH,
      ),
    },
    ...cellMap({
      values,
      x: plainAxis('language', languages, { axis: { orient: 'top', labelAngle: -45 } }),
      y: plainAxis('layer', layers, { title: ['layer'] }),
      width: { step: 40 },
      height: { step: 18 },
      color: valueColour(sequential(0, most), 'neurons', 200),
      tooltip: tooltip({ language: 'language', layer: 'layer', value: 'neurons' }),
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
      const change = overlap.inB - overlap.inA;
      const percent = overlap.inA === 0 ? null : (100 * change) / overlap.inA;
      return [...names.map((name) => overlap[name]), change, percent];
    }),
  ];
}

/** Of how many languages a neuron is, set by set. */
function multiplicityRows({ sets }: SelectionComparison) {
  return [
    ['selection', 'languages', 'neurons'],
    ...sets.flatMap(({ label, byLanguageCount }) => byLanguageCount.map((n, k) => [label, k + 1, n])),
  ];
}

/**
 * Writes `figures/selections.svg`, `figures/selections.png`, `tables/selections.csv` and
 * `tables/selection-multiplicity.csv` (how many neurons are of 1, 2, … languages), those that `formats` name. Returns
 * their paths. There is no page of selections.
 *
 * @throws OutputError if the folder cannot be written.
 */
export async function writeSelectionReport(
  comparison: SelectionComparison,
  outFolder: string,
  { formats = REPORT_FORMATS }: WriteReportOptions = {},
): Promise<{ readonly files: string[] }> {
  const [svg = ''] = await renderSvgs([{ name: 'selections', spec: selectionFigure(comparison) }]);
  const plain = plainStrings(comparison);
  const csv = (rows: ReturnType<typeof selectionRows>) => rows.map(csvLine).join('');
  const { files, write } = reportFiles(outFolder);
  const contents = {
    [join('figures', 'selections.svg')]: svg,
    [join('figures', 'selections.png')]: await renderPng(svg),
    [join('tables', 'selections.csv')]: csv(selectionRows(plain)),
    [join('tables', 'selection-multiplicity.csv')]: csv(multiplicityRows(plain)),
  };
  for (const [name, content] of Object.entries(contents)) {
    if (formats.some((format) => name.endsWith(`.${format}`))) await write(name, content);
  }
  return { files };
}
