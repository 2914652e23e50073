import { type Change, type Comparison, FINDINGS } from '../../compare/index.js';
import { plainAxis } from '../drawing/cell-map.js';
import { labelExpression, shortLabels } from '../drawing/labels.js';
import { nominal, panelTitle, specification, tooltip } from '../drawing/specification.js';
import { INK, INK_SOFT } from '../drawing/theme.js';
import { byMeasure, changesOf } from '../words/compared.js';
import { changeInWords, changeSentence, MEASURE_WORDS, measureName } from '../words/measures.js';
import { count, emWidth, list, uncapital } from '../words/text.js';
import { defineFigure, sentences } from './figure.js';

const CELL = { width: 68, height: 30, font: 11 };
/** From this many runs. */
const MANY_RUNS = 7;
const SMALL_CELL = { width: 52, height: 22, font: 9 };
/** This many panels are drawn of many runs. */
const MOST_PANELS = 8;
/** Named in the title; more stand in the matrices alone. */
const MOST_NAMED = 5;
/** Widest label, in em. */
const LABEL_WIDTH = 11;
/** Room for all panels of a row, in pixels. */
const ROW_WIDTH = 1180;
/** Fills of the findings: strong, pale, pale, grey; the words in the cell are the second channel. */
const FILLS = ['#f0a06a', '#cbe8dc', '#d6e6f2', '#eceff1'];
const SEED_FRAMES = ['changed', 'undecided'] as const;
/** Colour of the frame, with its dash as the second channel. */
const FRAME_COLOURS = [INK, '#8c959f'];
const FRAME_DASHES = [
  [1, 0],
  [3, 3],
];

/** Every two runs: a panel a measure, a cell a pair, filled by its finding, framed by that of the training seeds. */
export const regimes = defineFigure({
  name: 'regimes',
  short: 'Every two runs',
  title: ({ runs }) =>
    `Every two of ${runs.length === 0 ? 'no' : runs.length} runs${
      runs.length > MOST_NAMED ? '' : `: ${list(runs.map(({ label }) => label))}`
    }`,
  needs: (comparison) => {
    if (comparison.runs.length < 3) return 'not measured: it needs three runs';
    const panels = pairsByMeasure(comparison).filter((pairs) =>
      pairs.some(({ test }) => test.finding !== 'not measured'),
    );
    return panels.length === 0 ? 'not measured: no two runs have a number to compare' : panels;
  },
  build: (comparison, all) => {
    const labels = comparison.runs.map(({ label }) => label);
    const many = labels.length >= MANY_RUNS;
    const panels = all.slice(0, many ? MOST_PANELS : all.length);
    const framed = panels.some((pairs) => pairs.some(({ seeds }) => seeds.test.finding !== 'not measured'));
    const cell = many ? SMALL_CELL : CELL;
    const columns = labels.slice(1);
    const short = shortLabels(labels, LABEL_WIDTH);
    const slanted = short.slice(1).some((label) => emWidth(label) * 11 > cell.width);
    const shown = labelExpression(labels, LABEL_WIDTH);
    const axes = {
      x: plainAxis('to', columns, {
        scale: { paddingInner: 0.06 },
        axis: {
          orient: 'top',
          labelAngle: slanted ? -30 : 0,
          labelAlign: slanted ? 'left' : 'center',
          labelPadding: 4,
          ...shown,
        },
      }),
      y: plainAxis('from', labels.slice(0, -1), {
        scale: { paddingInner: 0.1 },
        axis: { labelPadding: 6, ...shown },
      }),
      tooltip: tooltip({ pair: 'runs', sentence: 'measure', seeds: 'training seeds' }),
    };
    const panel = (pairs: readonly Change[]) => ({
      title: {
        ...panelTitle(measureName(pairs[0]!), [MEASURE_WORDS[pairs[0]!.measure].unit]),
        frame: 'group',
        offset: 8,
      },
      data: {
        values: pairs.map((headline) => ({
          from: headline.from,
          to: headline.to,
          pair: `${headline.from} → ${headline.to}`,
          finding: headline.test.finding,
          seeds: headline.seeds.test.finding,
          sentence: changeSentence(headline),
          text: headline.change.value === null ? '–' : changeInWords(headline),
        })),
      },
      width: { step: cell.width },
      height: { step: cell.height },
      layer: [
        {
          mark: { type: 'rect', cornerRadius: 2 },
          encoding: {
            ...axes,
            color: nominal('finding', {
              title: 'with other items',
              scale: { domain: FINDINGS, range: FILLS },
              legend: { orient: 'top', symbolType: 'square', symbolSize: 160, symbolStrokeWidth: 0 },
            }),
          },
        },
        ...(framed ? [frames(axes)] : []),
        {
          mark: { type: 'text', fontSize: cell.font },
          encoding: {
            ...axes,
            text: { field: 'text' },
            color: { condition: { test: "datum.finding === 'changed'", value: INK }, value: INK_SOFT },
          },
        },
      ],
    });
    const width = columns.length * cell.width + 110;
    const spec = specification({
      concat: panels.map(panel),
      columns: Math.max(1, Math.min(3, Math.floor(ROW_WIDTH / width))),
      spacing: { row: 26, column: 30 },
      resolve: { scale: { x: 'independent', y: 'independent' } },
    });
    return {
      spec,
      caption: caption(comparison, panels, all.slice(panels.length)),
      alt: `A matrix of runs by run for each of ${panels.length} measures: the change between every two runs, filled by its finding.`,
    };
  },
});

/** Around cells whose training seeds were tested. */
function frames(encoding: object): object {
  const finding = nominal('seeds', {
    title: 'frame: with another training (none: not measured)',
    legend: { orient: 'top', symbolType: 'square', symbolSize: 160, symbolFillColor: 'transparent' },
  });
  return {
    transform: [{ filter: { field: 'seeds', oneOf: SEED_FRAMES } }],
    // A rect cannot be dashed by a field; a bar between bands is one that can.
    mark: { type: 'bar', filled: false, strokeWidth: 1.8, cornerRadius: 2 },
    encoding: {
      ...encoding,
      stroke: { ...finding, scale: { domain: SEED_FRAMES, range: FRAME_COLOURS } },
      strokeDash: { ...finding, scale: { domain: SEED_FRAMES, range: FRAME_DASHES } },
    },
  };
}

/** [measure][pair]; measures of which no pair was measured are in the caption only. */
function pairsByMeasure(comparison: Comparison): Change[][] {
  return comparison.units.flatMap(({ type }) => byMeasure(changesOf(comparison, type, { group: null })));
}

function caption(comparison: Comparison, panels: readonly Change[][], left: readonly Change[][]): string {
  const shown = panels.flat();
  const counts = FINDINGS.map(
    (finding) => [finding, shown.filter(({ test }) => test.finding === finding).length] as const,
  );
  const seeded = shown.filter(({ seeds }) => seeds.test.finding !== 'not measured');
  const beyond = seeded.filter(({ seeds }) => seeds.test.finding === 'changed');
  const names = (some: readonly Change[]) => [...new Set(some.map(measureName))];
  const measured = new Set(names([...shown, ...left.flat()]));
  const unmeasured = names(pairsByMeasure(comparison).flat()).filter((name) => !measured.has(name));
  return sentences([
    `Column minus row, or the measure between the two, over all languages: ${list(
      counts.filter(([, n]) => n > 0).map(([finding, n]) => `${count(n)} ${finding}`),
    )}.`,
    seeded.length === 0
      ? 'Training seeds: not measured, one a regime.'
      : `With another training: ${count(beyond.length)} of ${count(seeded.length)} changed; without a frame: not measured.`,
    left.length === 0
      ? ''
      : `Left to the table of headline numbers: ${list(names(left.flat()).map(uncapital))}.`,
    unmeasured.length === 0 ? '' : `Not measured in any pair: ${list(unmeasured.map(uncapital))}.`,
    'A dash: not measured.',
  ]);
}
