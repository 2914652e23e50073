import type { Comparison, ExpertMap } from '../../compare/index.js';
import { INK, MISSING } from '../drawing/theme.js';
import { cellText, gridAxes } from '../drawing/unit-grid.js';
import { ellipsize, list, number, plural } from '../words/text.js';
import {
  type AbsentFigure,
  type Figure,
  headlineOf,
  measuredOn,
  runsInWords,
  specification,
} from './figure.js';

/** Room for the panels of a row, pixels. */
const ROW_WIDTH = 820;
const CELL_WIDTH = { least: 4, most: 38 };
/** Width of an em of the smallest text in a cell, pixels; and of a tag's letter in ems. */
const TAG_SIZE = 10;
const LETTER = 0.62;
const CHANGED = '#d55e00';

/** Of every expert the language that chooses it most often, and how much more often than the others do; one map a run. */
export function expertMap(comparison: Comparison): Figure | AbsentFigure {
  const name = 'expert-map';
  const title = `Foremost language of every expert: ${runsInWords(comparison)}`;
  const [reference, ...others] = comparison.expertMaps;
  const { layers, mixture } = comparison.shape;
  const experts = comparison.shape.experts ?? 0;
  if (reference === undefined || mixture === null) {
    return { name, title, reason: 'not measured: the runs record no experts' };
  }
  const tags = comparison.languages.map(({ tag }) => tag);
  const cellWidth = Math.max(
    CELL_WIDTH.least,
    Math.min(CELL_WIDTH.most, Math.floor(ROW_WIDTH / (experts > 16 ? 1 : 2) / experts)),
  );
  const cellHeight = mixture.layers.length > 16 ? 14 : 22;
  const named = cellWidth >= Math.max(...tags.map(({ length }) => length)) * LETTER * TAG_SIZE + 4;
  const least = 1 / tags.length;
  const known = comparison.expertMaps.flatMap(({ exclusivity }) =>
    exclusivity.flat().filter((v) => v !== null),
  );
  const most = Math.max(least + 0.01, ...known);

  const panel = (run: ExpertMap) => {
    const values = mixture.layers.flatMap((layer) =>
      run.topLanguage[layer]!.map((top, expert) => {
        const value = run.exclusivity[layer]![expert]!;
        const before = reference.topLanguage[layer]![expert];
        return {
          layer,
          expert,
          value,
          text: value === null || top === null ? '×' : named ? tags[top]! : '',
          language: top === null ? 'never chosen' : tags[top]!,
          light: value !== null && (value - least) / (most - least) < 0.55,
          changed: run !== reference && top !== null && top !== before,
          shown: number(value),
          frequency: number(run.frequency[layer]![expert]!),
        };
      }),
    );
    const { x, y } = gridAxes('expert', experts, cellWidth, mixture.layers, layers);
    const tooltip = [
      { field: 'layer', title: 'layer' },
      { field: 'expert', title: 'expert' },
      { field: 'language', title: 'foremost language' },
      { field: 'shown', title: 'its share of selection frequencies' },
      { field: 'frequency', title: 'selection frequency, mean over languages' },
    ];
    return {
      title: {
        text: ellipsize(run.label, Math.max(12, (cellWidth * experts) / 13)),
        subtitle:
          run === reference
            ? ' '
            : `outlined: not the foremost language of ${ellipsize(reference.label, 12)}`,
        fontSize: 12,
        subtitlePadding: 2,
        anchor: 'start',
        offset: 6,
      },
      data: { values },
      width: cellWidth * experts,
      height: cellHeight * mixture.layers.length,
      layer: [
        {
          mark: { type: 'rect', stroke: 'white', strokeWidth: cellWidth > 8 ? 0.6 : 0.2, invalid: null },
          encoding: {
            x,
            y,
            color: {
              condition: { test: '!isValid(datum.value)', value: MISSING },
              field: 'value',
              type: 'quantitative',
              scale: { scheme: 'viridis', domain: [least, most], clamp: true },
              legend: {
                orient: 'bottom',
                direction: 'horizontal',
                title: `exclusivity: share of the foremost language (${number(least)}: all alike)`,
                gradientLength: 220,
                tickCount: 4,
                titleLimit: 400,
              },
            },
            tooltip,
          },
        },
        {
          transform: [{ filter: 'datum.changed' }],
          mark: { type: 'rect', filled: false, stroke: CHANGED, strokeWidth: cellWidth > 8 ? 2 : 1.5 },
          encoding: { x, y, tooltip },
        },
        cellText({ x, y, tooltip }, TAG_SIZE),
      ],
    };
  };

  /** Where cells have no room for tags: how many experts of a layer each language is the foremost of. */
  const counts = (run: ExpertMap) => {
    const values = mixture.layers.flatMap((layer) =>
      tags.map((language, k) => {
        const own = run.topLanguage[layer]!.filter((top) => top === k).length;
        return { layer, language, own: own === 0 ? '·' : String(own) };
      }),
    );
    return {
      title: {
        text: 'experts by foremost language',
        subtitle: ' ',
        subtitlePadding: 2,
        fontSize: 11,
        fontWeight: 'normal',
        anchor: 'start',
        offset: 6,
      },
      data: { values },
      width: { step: 24 },
      height: cellHeight * mixture.layers.length,
      mark: { type: 'text', fontSize: TAG_SIZE },
      encoding: {
        x: {
          field: 'language',
          type: 'ordinal',
          sort: null,
          title: null,
          axis: { domain: false, ticks: false, labelAngle: -90, labelOverlap: false, labelFontSize: 10 },
        },
        y: { field: 'layer', type: 'ordinal', title: null, axis: null },
        text: { field: 'own' },
        color: { value: INK },
      },
    };
  };

  const shown = comparison.expertMaps.flatMap((run) => (named ? [panel(run)] : [panel(run), counts(run)]));
  const columns = named ? Math.max(1, Math.floor((ROW_WIDTH + 60) / (cellWidth * experts + 60))) : 2;
  const spec = specification({
    concat: shown,
    columns,
    spacing: 26,
    resolve: { scale: { color: 'shared' } },
  });
  return {
    name,
    title,
    subtitle: measuredOn(comparison),
    caption: caption(comparison, reference, others, named),
    spec,
  };
}

function caption(
  comparison: Comparison,
  reference: ExpertMap,
  others: readonly ExpertMap[],
  named: boolean,
): string {
  const never = ({ topLanguage }: ExpertMap) => topLanguage.flat().filter((top) => top === null).length;
  const moved = (run: ExpertMap) =>
    run.topLanguage.flatMap((row, layer) =>
      row.filter((top, expert) => top !== null && top !== reference.topLanguage[layer]![expert]),
    ).length;
  const dead = comparison.expertMaps.filter((run) => never(run) > 0);
  const experts = comparison.units.find(({ type }) => type === 'expert');
  return [
    `Selection frequency: share of a language’s tokens whose choice includes the expert. Colour: the highest frequency over languages as a share of all languages’ frequencies${named ? '; letters: whose it is' : ''}.`,
    dead.length === 0
      ? ''
      : `× and grey: never chosen (${list(dead.map((run) => `${run.label}: ${plural(never(run), 'expert')}`))}).`,
    ...others.map((run) => {
      const headline = headlineOf(experts, 'meanEntropy', run.label);
      return `${run.label} against ${reference.label}: ${plural(moved(run), 'expert')} with another foremost language; mean entropy of experts: ${headline?.verdict ?? 'not measured'}.`;
    }),
    others.length === 0
      ? 'One run: description only, no change is measured.'
      : 'Single experts: not measured against a floor.',
  ]
    .filter((part) => part !== '')
    .join(' ');
}
