import { type Comparison, type Headline, type UnitComparison, VERDICTS } from '../../compare/index.js';
import { INK, INK_SOFT } from '../drawing/theme.js';
import { changeInWords, headlineSentence, measureName, measureTitle } from '../words/measures.js';
import { count, ellipsize, emWidth, list, uncapital } from '../words/text.js';
import { type AbsentFigure, type Figure, measuredOn, specification } from './figure.js';

const CELL = { width: 68, height: 30, font: 11 };
/** From this many runs. */
const MANY_RUNS = 7;
const SMALL_CELL = { width: 52, height: 24, font: 9 };
/** Widest label, in em. */
const LABEL_WIDTH = 11;
/** Room for all panels of a row, in pixels. */
const ROW_WIDTH = 1180;
/** Fills of the verdicts: strong, pale, grey; the words in the cell are the second channel. */
const FILLS = ['#f0a06a', '#d6e6f2', '#eceff1'];
const SEED_FRAMES = ['changed', 'not distinguishable from training seeds'] as const;
/** Colour of the frame, with its dash as the second channel. */
const FRAME_COLOURS = [INK, '#8c959f'];
const FRAME_DASHES = [
  [1, 0],
  [3, 3],
];

/** Every two runs: a panel a measure, a cell a pair, filled by its verdict, framed by that of the training seeds. */
export function regimes(comparison: Comparison): Figure | AbsentFigure {
  const name = 'regimes';
  const labels = comparison.runs.map(({ label }) => label);
  const title = `Every two of ${labels.length === 0 ? 'no' : labels.length} runs: ${list(labels)}`;
  if (labels.length < 3) return { name, title, reason: 'not measured: it needs three runs' };
  const panels = comparison.units.flatMap((units) => panelsOf(units));
  const rows = labels.slice(0, -1).map((label) => ellipsize(label, LABEL_WIDTH));
  const columns = labels.slice(1).map((label) => ellipsize(label, LABEL_WIDTH));
  const framed = panels.some((headlines) => headlines.some(({ seeds }) => seeds.verdict !== 'not measured'));
  const cell = labels.length < MANY_RUNS ? CELL : SMALL_CELL;
  const slanted = columns.some((label) => emWidth(label) * 11 > cell.width);

  const panel = (headlines: readonly Headline[]) => {
    const x = {
      field: 'to',
      type: 'ordinal',
      sort: null,
      scale: { domain: columns, paddingInner: 0.06 },
      title: null,
      axis: {
        orient: 'top',
        labelAngle: slanted ? -30 : 0,
        labelAlign: slanted ? 'left' : 'center',
        domain: false,
        ticks: false,
        labelOverlap: false,
        labelPadding: 4,
      },
    };
    const y = {
      field: 'from',
      type: 'ordinal',
      sort: null,
      scale: { domain: rows, paddingInner: 0.1 },
      title: null,
      axis: { domain: false, ticks: false, labelOverlap: false, labelPadding: 6 },
    };
    const tooltip = [
      { field: 'pair', title: 'runs' },
      { field: 'sentence', title: 'measure' },
      { field: 'seeds', title: 'training seeds' },
    ];
    const values = headlines.map((headline) => ({
      from: ellipsize(headline.from, LABEL_WIDTH),
      to: ellipsize(headline.to, LABEL_WIDTH),
      pair: `${headline.from} → ${headline.to}`,
      verdict: headline.verdict,
      seeds: headline.seeds.verdict,
      sentence: headlineSentence(headline),
      text: headline.verdict === 'not measured' ? '–' : changeInWords(headline),
    }));
    return {
      title: {
        ...measureTitle(headlines[0]!),
        frame: 'group',
        offset: 8,
      },
      data: { values },
      width: { step: cell.width },
      height: { step: cell.height },
      layer: [
        {
          mark: { type: 'rect', cornerRadius: 2 },
          encoding: {
            x,
            y,
            color: {
              field: 'verdict',
              type: 'nominal',
              title: 'beside sampling',
              scale: { domain: VERDICTS, range: FILLS },
              legend: { orient: 'top', symbolType: 'square', symbolSize: 160, symbolStrokeWidth: 0 },
            },
            tooltip,
          },
        },
        ...(framed ? [frames({ x, y, tooltip })] : []),
        {
          mark: { type: 'text', fontSize: cell.font },
          encoding: {
            x,
            y,
            text: { field: 'text' },
            tooltip,
            color: { condition: { test: "datum.verdict === 'changed'", value: INK }, value: INK_SOFT },
          },
        },
      ],
    };
  };
  const width = columns.length * cell.width + 110;
  const spec = specification({
    concat: panels.map(panel),
    columns: Math.max(1, Math.min(3, Math.floor(ROW_WIDTH / width))),
    spacing: { row: 26, column: 30 },
    resolve: { scale: { x: 'independent', y: 'independent' } },
  });
  return { name, title, subtitle: measuredOn(comparison), caption: caption(comparison, panels), spec };
}

/** Around cells whose training seeds have a verdict. */
function frames(encoding: object): object {
  const verdict = {
    field: 'seeds',
    type: 'nominal',
    title: 'frame: beside training seeds (none: not measured)',
    legend: { orient: 'top', symbolType: 'square', symbolSize: 160, symbolFillColor: 'transparent' },
  };
  return {
    transform: [{ filter: { field: 'seeds', oneOf: SEED_FRAMES } }],
    // A rect cannot be dashed by a field; a bar between bands is one that can.
    mark: { type: 'bar', filled: false, strokeWidth: 1.8, cornerRadius: 2 },
    encoding: {
      ...encoding,
      stroke: { ...verdict, scale: { domain: SEED_FRAMES, range: FRAME_COLOURS } },
      strokeDash: { ...verdict, scale: { domain: SEED_FRAMES, range: FRAME_DASHES } },
    },
  };
}

/** [measure][pair]; measures of which no pair was measured are in the caption only. */
function panelsOf({ headlines }: UnitComparison): Headline[][] {
  const all = headlines.filter(({ group }) => group === null);
  const measures = [...new Set(all.map(({ measure }) => measure))];
  return measures
    .map((measure) => all.filter((headline) => headline.measure === measure))
    .filter((pairs) => pairs.some(({ verdict }) => verdict !== 'not measured'));
}

function caption(comparison: Comparison, panels: readonly Headline[][]): string {
  const shown = panels.flat();
  const counts = VERDICTS.map(
    (verdict) => [verdict, shown.filter((h) => h.verdict === verdict).length] as const,
  );
  const seeded = shown.filter(({ seeds }) => seeds.verdict !== 'not measured');
  const beyond = seeded.filter(({ seeds }) => seeds.verdict === 'changed');
  const left = comparison.units.flatMap(({ headlines }) => {
    const drawn = new Set(shown.map(measureName));
    return [...new Set(headlines.map(measureName))].filter((own) => !drawn.has(own));
  });
  return [
    `Column minus row, or the measure between the two, over all languages: ${list(
      counts.filter(([, n]) => n > 0).map(([verdict, n]) => `${count(n)} ${verdict}`),
    )}.`,
    seeded.length === 0
      ? 'Training seeds: not measured, one a regime.'
      : `Beside training seeds: ${count(beyond.length)} of ${count(seeded.length)} changed; without a frame: not measured.`,
    left.length === 0 ? '' : `Not measured in any pair: ${list(left.map(uncapital))}.`,
    'A dash: not measured.',
  ]
    .filter((part) => part !== '')
    .join(' ');
}
