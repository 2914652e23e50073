import { type Change, type Comparison, FINDINGS, type Measure } from '../../compare/index.js';
import { plainAxis } from '../drawing/cell-map.js';
import { labelExpression, withoutMiddle } from '../drawing/labels.js';
import { nominal, numeric, panelTitle, specification, tooltip } from '../drawing/specification.js';
import { FINDING_COLOURS, FINDING_SHAPES, INK_SOFT } from '../drawing/theme.js';
import { byMeasure, changesOf, mainUnits, mainWords, referenceOf } from '../words/compared.js';
import { runsInWords } from '../words/measured-on.js';
import { changeInWords, intervalInWords, isSigned, MEASURE_WORDS, measureName } from '../words/measures.js';
import { list, uncapital } from '../words/text.js';
import { defineFigure, sentences } from './figure.js';

const LAYOUT = { width: 235, row: 20, columns: 3, font: 11, size: 70 };
/** With more rows a panel than this, rows are lower. */
const MOST_HIGH = 18;
const LOW_ROWS = { ...LAYOUT, row: 14, font: 10, size: 45 };
/** With more rows a panel than this, panels are denser and fewer. */
const MANY_ROWS = 40;
const DENSE_LAYOUT = { width: 170, row: 13, columns: 4, font: 9, size: 40 };
const DENSE_MEASURES: readonly Measure[] = ['selected', 'jaccard', 'mean_lape', 'mean_omega2_language'];
/** Widest labels, in em. */
const RUN_LABEL = 10;
const GROUP_LABEL = 9;

/** Changes against the reference in each group of languages apart: a panel a measure, a block a group, a row a run. */
export const groups = defineFigure({
  name: 'groups',
  short: 'Groups of languages',
  title: (comparison) =>
    `Changes of ${mainWords(comparison).many} in groups of languages: ${runsInWords(comparison)}`,
  needs: (comparison) => {
    if (comparison.groups.length === 0) {
      return 'not measured: no groups of languages were named (compare --groups)';
    }
    const type = mainUnits(comparison)?.type;
    const changes = changesOf(comparison, type, { from: referenceOf(comparison) });
    if (changes.length === 0) return 'not measured: it needs two runs';
    const known = changes.some(({ change }) => change.value !== null);
    return known ? changes : 'not measured: no change can be computed';
  },
  build: (comparison, headlines) => {
    const rows = (comparison.groups.length + 1) * (comparison.runs.length - 1);
    const dense = rows > MANY_ROWS;
    const layout = dense ? DENSE_LAYOUT : rows > MOST_HIGH ? LOW_ROWS : LAYOUT;
    const panels = byMeasure(headlines).filter((own) => own.some(({ change }) => change.value !== null));
    const shown = panels.filter(([first]) => !dense || DENSE_MEASURES.includes(first!.measure));
    const panelOf = groupPanel(comparison, layout);
    const left = panels
      .filter((own) => !shown.includes(own))
      .map(([first]) => uncapital(measureName(first!)));
    return {
      spec: specification({
        concat: shown.map(panelOf),
        columns: layout.columns,
        spacing: { row: 24, column: 22 },
        resolve: { scale: { color: 'shared', shape: 'shared' } },
      }),
      caption: caption(comparison, headlines, left),
      alt: `A panel for each of ${shown.length} measures: the change of each run with its interval, in all languages and in each group.`,
    };
  },
});

function groupPanel(comparison: Comparison, layout: typeof LAYOUT) {
  const [reference = '', ...runs] = comparison.runs.map(({ label }) => label);
  const blocks = ['all', ...comparison.groups.map(({ name }) => name)];
  const y = plainAxis('run', runs, {
    scale: { padding: 0.2 },
    axis: { labelPadding: 5, labelFontSize: layout.font, ...labelExpression(runs, RUN_LABEL) },
  });
  const finding = nominal('finding', {
    title: `against ${withoutMiddle(reference, 30)}, with 95\u00a0% intervals; finding with other items`,
  });
  const color = {
    ...finding,
    scale: { domain: FINDINGS, range: FINDINGS.map((one) => FINDING_COLOURS[one]) },
  };
  const shape = {
    ...finding,
    scale: { domain: FINDINGS, range: FINDINGS.map((one) => FINDING_SHAPES[one]) },
    legend: { orient: 'top', columns: 4 },
  };

  return (headlines: readonly Change[]) => {
    const values = headlines.map((h) => ({
      block: h.group ?? 'all',
      run: h.to,
      value: h.change.value,
      low: h.change.low ?? h.change.value,
      high: h.change.high ?? h.change.value,
      finding: h.test.finding,
      text: h.change.value === null ? 'not measured' : `${changeInWords(h)} (${intervalInWords(h)})`,
      note: h.test.note,
    }));
    const first = headlines[0]!;
    const signed = isSigned(first);
    const ends = values.flatMap(({ low, high }) => [low, high]).filter((end) => end !== null);
    const [from, to] = [Math.min(...ends, ...(signed ? [0] : [])), Math.max(...ends, ...(signed ? [0] : []))];
    const pad = (to - from) * 0.06 || 0.5;
    const x = (field: string) =>
      numeric(field, {
        title: null,
        scale: { domain: [from - pad, to + pad], nice: false },
        axis: { orient: 'bottom', tickCount: 4, grid: true },
      });
    const zero = {
      mark: { type: 'rule', color: '#8c959f', strokeWidth: 1.2 },
      encoding: { x: { datum: 0, type: 'quantitative' } },
    };
    return {
      title: { ...panelTitle(measureName(first), [MEASURE_WORDS[first.measure].unit]), offset: 4 },
      data: { values },
      facet: {
        row: nominal('block', {
          sort: blocks,
          title: null,
          header: {
            labelAngle: 0,
            labelAlign: 'left',
            labelOrient: 'left',
            labelPadding: 6,
            labelFontWeight: 'bold',
            ...labelExpression(blocks, GROUP_LABEL),
          },
        }),
      },
      spacing: 5,
      spec: {
        width: layout.width,
        height: { step: layout.row },
        view: { stroke: '#d0d7de' },
        layer: [
          ...(signed ? [zero] : []),
          {
            transform: [{ filter: 'isValid(datum.value)' }],
            mark: { type: 'rule', strokeWidth: 2.2 },
            encoding: { y, x: x('low'), x2: { field: 'high' }, color },
          },
          {
            transform: [{ filter: 'isValid(datum.value)' }],
            mark: { type: 'point', filled: true, opacity: 1, size: layout.size },
            encoding: { y, x: x('value'), color, shape, tooltip: TOOLTIP },
          },
          {
            transform: [{ filter: '!isValid(datum.value)' }],
            mark: { type: 'text', text: 'not measured', align: 'left', dx: 4, fontSize: 10, color: INK_SOFT },
            encoding: { y, x: { value: 0 }, tooltip: TOOLTIP },
          },
        ],
      },
    };
  };
}

const TOOLTIP = tooltip({
  block: 'languages',
  run: 'run',
  text: 'change',
  finding: 'finding',
  note: 'note',
});

function caption(comparison: Comparison, headlines: readonly Change[], left: readonly string[]): string {
  const groupsInWords = comparison.groups
    .map(({ name, languages }) => `${name} (${languages.join(' ')})`)
    .join(', ');
  const changed = comparison.groups.map(({ name }) => {
    const runs = comparison.runs.slice(1).map(({ label }) => {
      const own = headlines.filter(
        ({ group, to, test }) => group === name && to === label && test.finding !== 'not measured',
      );
      return `${label} ${own.filter(({ test }) => test.finding === 'changed').length} of ${own.length}`;
    });
    return `Measures that changed, of those measured, in ${name} languages: ${runs.join(', ')}.`;
  });
  return sentences([
    `Groups: ${groupsInWords}. A group has the selected units that belong to one of its languages, and entropy and ω² over its languages alone. Change against ${comparison.runs[0]?.label} with its 95\u00a0% interval; colour and shape: the finding.`,
    ...changed,
    left.length === 0 ? '' : `Left to the table of headline numbers: ${list(left)}.`,
  ]);
}
