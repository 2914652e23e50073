import { type Comparison, type Headline, type Measure, VERDICTS } from '../../compare/index.js';
import { INK_SOFT, VERDICT_COLOURS } from '../drawing/theme.js';
import { changeInWords, intervalInWords, isSigned, measureTitle } from '../words/measures.js';
import { ellipsize } from '../words/text.js';
import {
  type AbsentFigure,
  type Figure,
  mainUnits,
  measuredOn,
  runsInWords,
  specification,
  UNIT_WORDS,
} from './figure.js';

const LAYOUT = { width: 235, row: 20, columns: 3 };
/** With more rows a panel than this, panels are denser and fewer. */
const MANY_ROWS = 40;
const DENSE_LAYOUT = { width: 170, row: 13, columns: 4 };
const DENSE_MEASURES: readonly Measure[] = ['selected', 'jaccard', 'meanEntropy', 'meanOmega2'];
/** Widest labels, in em. */
const RUN_LABEL = 10;
const GROUP_LABEL = 9;

/** Changes against the reference in each group of languages apart: a panel a measure, a block a group, a row a run. */
export function groups(comparison: Comparison): Figure | AbsentFigure {
  const name = 'groups';
  const units = mainUnits(comparison);
  const words = UNIT_WORDS[units?.type ?? 'neuron'];
  const title = `Changes of ${words.many} in groups of languages: ${runsInWords(comparison)}`;
  if (comparison.groups.length === 0) {
    return { name, title, reason: 'not measured: no groups of languages were named (compare --groups)' };
  }
  const reference = comparison.runs[0]?.label;
  const all = units?.headlines.filter(({ from }) => from === reference) ?? [];
  if (all.length === 0) return { name, title, reason: 'not measured: it needs two runs' };
  const dense = (comparison.groups.length + 1) * (comparison.runs.length - 1) > MANY_ROWS;
  const layout = dense ? DENSE_LAYOUT : LAYOUT;
  const measures = [...new Set(all.map(({ measure }) => measure))].filter(
    (measure) =>
      all.some((h) => h.measure === measure && h.change.value !== null) &&
      (!dense || DENSE_MEASURES.includes(measure)),
  );
  const blocks = ['all', ...comparison.groups.map(({ name: group }) => ellipsize(group, GROUP_LABEL))];
  const runs = comparison.runs.slice(1).map(({ label }) => ellipsize(label, RUN_LABEL));

  const legendTitle = `against ${ellipsize(reference ?? '', 24)}, with 95\u00a0% intervals; verdict beside sampling`;

  const panel = (headlines: readonly Headline[]) => {
    const values = headlines.map((h) => ({
      block: h.group === null ? 'all' : ellipsize(h.group, GROUP_LABEL),
      run: ellipsize(h.to, RUN_LABEL),
      fullRun: h.to,
      value: h.change.value,
      low: h.change.low ?? h.change.value,
      high: h.change.high ?? h.change.value,
      verdict: h.verdict,
      text: h.change.value === null ? 'not measured' : `${changeInWords(h)} (${intervalInWords(h)})`,
      note: h.note,
    }));
    const ends = values.flatMap(({ value, low, high }) => (value === null ? [] : [low!, high!]));
    const signed = isSigned(headlines[0]!);
    const domain = signed
      ? [Math.min(0, ...ends), Math.max(0, ...ends)]
      : [Math.min(...ends), Math.max(...ends)];
    const pad = (domain[1]! - domain[0]!) * 0.06 || 0.5;
    const x = (field: string) => ({
      field,
      type: 'quantitative',
      title: null,
      scale: { domain: [domain[0]! - pad, domain[1]! + pad], nice: false },
      axis: { orient: 'bottom', tickCount: 4, grid: true },
    });
    const y = {
      field: 'run',
      type: 'ordinal',
      scale: { domain: runs, padding: 0.2 },
      title: null,
      axis: {
        domain: false,
        ticks: false,
        labelOverlap: false,
        labelPadding: 5,
        labelFontSize: dense ? 9 : 11,
      },
    };
    const color = {
      field: 'verdict',
      type: 'nominal',
      title: legendTitle,
      scale: { domain: VERDICTS, range: VERDICTS.map((verdict) => VERDICT_COLOURS[verdict]) },
    };
    const tooltip = [
      { field: 'block', title: 'languages' },
      { field: 'fullRun', title: 'run' },
      { field: 'text', title: 'change' },
      { field: 'verdict', title: 'verdict' },
      { field: 'note', title: 'note' },
    ];
    return {
      title: {
        ...measureTitle(headlines[0]!),
        offset: 4,
      },
      data: { values },
      facet: {
        row: {
          field: 'block',
          type: 'nominal',
          sort: blocks,
          title: null,
          header: {
            labelAngle: 0,
            labelAlign: 'left',
            labelOrient: 'left',
            labelPadding: 6,
            labelFontWeight: 'bold',
          },
        },
      },
      spacing: 5,
      spec: {
        width: layout.width,
        height: { step: layout.row },
        view: { stroke: '#d0d7de' },
        layer: [
          ...(signed
            ? [
                {
                  mark: { type: 'rule', color: '#8c959f', strokeWidth: 1.2 },
                  encoding: { x: { datum: 0, type: 'quantitative' } },
                },
              ]
            : []),
          {
            transform: [{ filter: 'isValid(datum.value)' }],
            mark: { type: 'rule', strokeWidth: 2.2 },
            encoding: { y, x: x('low'), x2: { field: 'high' }, color },
          },
          {
            transform: [{ filter: 'isValid(datum.value)' }],
            mark: { type: 'point', filled: true, opacity: 1, size: dense ? 40 : 70 },
            encoding: {
              y,
              x: x('value'),
              color,
              shape: {
                field: 'verdict',
                type: 'nominal',
                title: legendTitle,
                scale: { domain: VERDICTS, range: ['circle', 'diamond', 'cross'] },
                legend: { orient: 'top', columns: 3 },
              },
              tooltip,
            },
          },
          {
            transform: [{ filter: '!isValid(datum.value)' }],
            mark: { type: 'text', text: 'not measured', align: 'left', dx: 4, fontSize: 10, color: INK_SOFT },
            encoding: { y, x: { value: 0 }, tooltip },
          },
        ],
      },
    };
  };
  const spec = specification({
    concat: measures.map((measure) => panel(all.filter((h) => h.measure === measure))),
    columns: layout.columns,
    spacing: { row: 24, column: 22 },
    resolve: { scale: { color: 'shared', shape: 'shared' } },
  });
  return { name, title, subtitle: measuredOn(comparison), caption: caption(comparison, all), spec };
}

function caption(comparison: Comparison, headlines: readonly Headline[]): string {
  const groupsInWords = comparison.groups
    .map(({ name, languages }) => `${name} (${languages.join(' ')})`)
    .join(', ');
  const changed = comparison.groups.map(({ name }) => {
    const runs = comparison.runs.slice(1).map(({ label }) => {
      const own = headlines.filter(
        ({ group, to, verdict }) => group === name && to === label && verdict !== 'not measured',
      );
      return `${label} ${own.filter(({ verdict }) => verdict === 'changed').length} of ${own.length}`;
    });
    return `Measures that changed, of those measured, in ${name} languages: ${runs.join(', ')}.`;
  });
  return [
    `Groups: ${groupsInWords}. A group has the selected units that belong to one of its languages, and entropy and ω² over its languages alone. Change against ${comparison.runs[0]?.label} with its 95\u00a0% interval (paired jackknife over folds); colour and shape: the verdict beside sampling.`,
    ...changed,
    'Everything else measured: not distinguishable from sampling.',
  ].join(' ');
}
