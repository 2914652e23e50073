import type { Comparison, ExpertMap } from '../../compare/index.js';
import { cellMap, gapOf, gridAxes, onDark, plainAxis, sequential, valueColour } from '../drawing/cell-map.js';
import { shortLabels } from '../drawing/labels.js';
import { specification, tooltip } from '../drawing/specification.js';
import { INK } from '../drawing/theme.js';
import { findingOf, labelsOf } from '../words/compared.js';
import { runsInWords } from '../words/measured-on.js';
import { list, number, plural, wrap } from '../words/text.js';
import { defineFigure, ONE_RUN, sentences } from './figure.js';

/** Room for the panels of a row, pixels. */
const ROW_WIDTH = 820;
const CELL_WIDTH = { least: 4, most: 38 };
/** Font size in a cell, pixels; and width of a tag's letter in ems. */
const TAG_SIZE = 10;
const LETTER = 0.62;
const CHANGED = '#d55e00';
/** With more runs than this, maps are lower and have no table of counts beside them. */
const MOST_LARGE = 4;
/** Height of the lower maps, pixels. */
const LOW_MAP = 230;

/** The language that chooses each expert most often, and how much more often than the others do; one map a run. */
export const expertMap = defineFigure({
  name: 'expert-map',
  short: 'Expert map',
  title: (comparison) => `Foremost language of every expert: ${runsInWords(comparison)}`,
  concerns: ({ shape }) => shape.mixture !== null,
  needs: ({ expertMaps: maps, shape: { mixture, experts } }) => {
    const [reference, ...others] = maps;
    return reference === undefined || mixture === null || mixture.layers.length === 0
      ? 'not measured: the runs record no experts'
      : { maps, reference, others, owners: mixture.layers, experts: experts ?? 0 };
  },
  build: (comparison, { maps, reference, others, owners, experts }) => {
    const tags = comparison.languages.map(({ tag }) => tag);
    const many = maps.length > MOST_LARGE;
    const room = Math.floor(ROW_WIDTH / (experts > 16 && !many ? 1 : 2) / experts);
    const cellWidth = Math.max(CELL_WIDTH.least, Math.min(CELL_WIDTH.most, room));
    const usual = owners.length > 16 ? 14 : 22;
    const cellHeight = many ? Math.max(4, Math.min(usual, Math.floor(LOW_MAP / owners.length))) : usual;
    const named =
      cellHeight > TAG_SIZE &&
      cellWidth >= Math.max(...tags.map(({ length }) => length)) * LETTER * TAG_SIZE + 4;
    const counted = !named && !many;
    const least = 1 / tags.length;
    const known = maps.flatMap(({ exclusivity }) => exclusivity.flat().filter((v) => v !== null));
    const most = Math.max(least + 0.01, ...known);
    const titleWidth = Math.max(12, (cellWidth * experts) / 13);
    const short = shortLabels(labelsOf(maps), titleWidth);
    const outlined = wrap(`outlined: not the foremost language of ${short[0]}`, titleWidth * 1.2);

    const panel = (run: ExpertMap, i: number) => {
      const values = owners.flatMap((layer) =>
        run.topLanguage[layer]!.map((top, expert) => {
          const value = run.exclusivity[layer]![expert]!;
          return {
            layer,
            expert,
            value,
            text:
              value === null || top === null ? (cellHeight > TAG_SIZE ? '×' : '') : named ? tags[top]! : '',
            language: top === null ? 'never chosen' : tags[top]!,
            light: value !== null && onDark(value, least, most),
            changed: run !== reference && top !== null && top !== reference.topLanguage[layer]![expert],
            shown: number(value),
            frequency: number(run.frequency[layer]![expert]!),
          };
        }),
      );
      const axes = gridAxes('expert', experts, cellWidth, owners, comparison.shape.layers);
      return cellMap({
        title: {
          ...PANEL_TITLE,
          text: short[i]!,
          subtitle: run === reference ? outlined.map(() => ' ') : outlined,
          fontSize: 12,
        },
        values,
        ...axes,
        width: cellWidth * experts,
        height: cellHeight * owners.length,
        color: valueColour(
          sequential(least, most),
          `exclusivity: share of the foremost language (${number(least)}: all alike)`,
          220,
        ),
        tooltip: TOOLTIP,
        fontSize: TAG_SIZE,
        mark: { strokeWidth: gapOf(cellWidth) },
        frames: [
          {
            transform: [{ filter: 'datum.changed' }],
            mark: { type: 'rect', filled: false, stroke: CHANGED, strokeWidth: cellWidth > 8 ? 2 : 1.5 },
            encoding: { ...axes, tooltip: TOOLTIP },
          },
        ],
      });
    };

    /** Where cells have no room for tags: how many experts of a layer each language is the foremost of. */
    const counts = (run: ExpertMap) => ({
      title: {
        ...PANEL_TITLE,
        text: 'experts by foremost language',
        subtitle: outlined.map(() => ' '),
        fontSize: 11,
        fontWeight: 'normal',
      },
      data: {
        values: owners.flatMap((layer) =>
          tags.map((language, k) => {
            const own = run.topLanguage[layer]!.filter((top) => top === k).length;
            return { layer, language, own: own === 0 ? '·' : String(own) };
          }),
        ),
      },
      width: { step: 24 },
      height: cellHeight * owners.length,
      mark: { type: 'text', fontSize: TAG_SIZE },
      encoding: {
        x: plainAxis('language', tags, { axis: { labelAngle: -90, labelFontSize: 10 } }),
        y: { field: 'layer', type: 'ordinal', title: null, axis: null },
        text: { field: 'own' },
        color: { value: INK },
      },
    });

    const spec = specification({
      concat: maps.flatMap((run, i) => (counted ? [panel(run, i), counts(run)] : [panel(run, i)])),
      columns: counted || many ? 2 : Math.max(1, Math.floor((ROW_WIDTH + 60) / (cellWidth * experts + 60))),
      spacing: 26,
      resolve: { scale: { color: 'shared' } },
    });
    return {
      spec,
      caption: caption(comparison, reference, others, named),
      alt: `A map a run of ${plural(owners.length, 'layer')} by ${plural(experts, 'expert')}: the colour says how far one language has the expert to itself.`,
    };
  },
});

const PANEL_TITLE = { subtitlePadding: 2, anchor: 'start', offset: 6 };
const TOOLTIP = tooltip({
  layer: 'layer',
  expert: 'expert',
  language: 'foremost language',
  shown: 'its share of selection frequencies',
  frequency: 'selection frequency, mean over languages',
});

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
  return sentences([
    `Selection frequency: share of a language’s tokens whose choice includes the expert. Colour: the highest frequency over languages as a share of all languages’ frequencies${named ? '; letters: whose it is' : ''}.`,
    dead.length === 0
      ? ''
      : `× and grey: never chosen (${list(dead.map((run) => `${run.label}: ${plural(never(run), 'expert')}`))}).`,
    ...others.map(
      (run) =>
        `${run.label} against ${reference.label}: ${plural(moved(run), 'expert')} with another foremost language; mean entropy of experts: ${findingOf(comparison, 'expert', 'mean_lape', run.label)}.`,
    ),
    others.length === 0 ? ONE_RUN : 'Single experts: not measured against a floor.',
  ]);
}
