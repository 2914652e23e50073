import { type Comparison, type UnitComparison, VERDICTS, type Verdict } from '../../compare/index.js';
import { count, list, number, percent, plural, wrap } from '../words/text.js';
import {
  type AbsentFigure,
  type Figure,
  headlineOf,
  languageLabel,
  layerTicks,
  mainUnits,
  measuredOn,
  runChannels,
  runsInWords,
  specification,
  UNIT_WORDS,
} from './figure.js';

const COLUMNS = 4;
const PANEL_WIDTH = 178;
const PANEL_HEIGHT = 92;
/** Above this ratio of the largest language to the median one, the scale is a root, so that both are seen. */
const LINEAR_RATIO = 4;

/** Selected units per layer: one panel a language, one line a run. */
export function specializedNeurons(comparison: Comparison): Figure | AbsentFigure {
  const units = mainUnits(comparison);
  const words = UNIT_WORDS[units?.type ?? 'neuron'];
  const name = 'specialized-neurons';
  const title = `Language-selective ${words.many} per layer and language: ${runsInWords(comparison)}`;
  if (units === undefined) return { name, title, reason: 'not measured: no units were scored' };
  const { profiles } = units;
  const labels = profiles.map(({ label }) => label);
  const totals = comparison.languages.map((_, k) =>
    profiles.map(({ counts }) => counts.reduce((sum, row) => sum + row[k]!, 0)),
  );
  const panels = comparison.languages.map((language, k) => {
    const [head, ...rest] = wrap(languageLabel(language), PANEL_WIDTH / 11.5);
    return [head, ...rest, sides(totals[k]!, words)].join('\n');
  });
  const values = profiles.flatMap(({ label, counts }) =>
    counts.flatMap((row, layer) =>
      row.map((selected, k) => ({ panel: panels[k]!, order: k, run: label, marker: label, layer, selected })),
    ),
  );
  const peaks = comparison.languages.map((_, k) =>
    Math.max(...profiles.flatMap(({ counts }) => counts.map((row) => row[k]!))),
  );
  const linear = Math.max(...peaks) <= LINEAR_RATIO * Math.max(1, median(peaks));
  const layers = comparison.shape.layers;
  const { color, strokeDash, shape } = runChannels(
    labels,
    labels.length > 2 ? `below each language: selected ${words.many} of the runs, in this order` : null,
  );
  const x = {
    field: 'layer',
    type: 'quantitative',
    title: 'layer',
    scale: { domain: [0, Math.max(1, layers - 1)], nice: false },
    axis: { values: layerTicks(layers, 5), format: 'd', grid: false },
  };
  const y = {
    field: 'selected',
    type: 'quantitative',
    title: words.many,
    axis: { tickCount: 3, tickMinStep: 1, format: ',d' },
    scale: { type: linear ? 'linear' : 'sqrt', domain: [0, ceiling(Math.max(...peaks))], nice: false },
  };
  const tooltip = [
    { field: 'panel', title: 'language' },
    { field: 'run', title: 'run' },
    { field: 'layer', title: 'layer' },
    { field: 'selected', title: `selected ${words.many}` },
  ];
  const spec = specification({
    data: { values },
    facet: {
      field: 'panel',
      type: 'nominal',
      sort: { field: 'order', op: 'min' },
      title: null,
      header: {
        labelExpr: "split(datum.label, '\\n')",
        labelAnchor: 'start',
        labelLineHeight: 14,
        labelBaseline: 'line-bottom',
        labelPadding: -10,
      },
    },
    columns: COLUMNS,
    spacing: { row: 22, column: 18 },
    spec: {
      width: PANEL_WIDTH,
      height: PANEL_HEIGHT,
      layer: [
        { mark: { type: 'line', strokeWidth: 1.8, clip: false }, encoding: { x, y, color, strokeDash } },
        {
          mark: { type: 'point', filled: true, size: layers > 16 ? 16 : 30, opacity: 1 },
          encoding: { x, y, color, shape, tooltip },
        },
      ],
    },
    resolve: {
      // A last row with gaps would leave axes far below the panels they belong to.
      axis: comparison.languages.length % COLUMNS === 0 ? {} : { x: 'independent' },
    },
  });
  const { policy } = units;
  const totalsInWords = list(
    profiles.map(
      ({ label, selected, units: all, shared: several }) =>
        `${label} ${count(selected)} of ${plural(all, words.one)}${
          selected === 0 ? '' : ` (${percent(several / selected)} belonging to several languages)`
        }`,
    ),
  );
  const verdict = profiles.slice(1).map(({ label }) => {
    const headline = headlineOf(units, 'selected', label);
    return headline === undefined ? '' : `${label}: ${headline.verdict}.`;
  });
  const caption = [
    `Selected under the entropy cut of ${labels[0]} (LAPE ≤ ${number(policy.entropyCut)} nats) and its bar (${units.rate === 'norm' ? 'mean norm' : units.rate} > ${number(
      policy.bar,
    )}), held fixed for every run: ${totalsInWords}.`,
    profiles.length > 1
      ? `Total number against ${labels[0]}, beside the noise floor: ${verdict.join(' ')} ${byLanguage(comparison, units)} A layer’s language alone: not measured against a floor.`
      : 'One run: description only, no change is measured.',
    linear ? '' : 'The vertical scale is a square root.',
  ]
    .filter((part) => part !== '')
    .join(' ');
  return { name, title, subtitle: measuredOn(comparison), caption, spec };
}

/** Selected units of each language against the reference, beside the noise floor. */
function byLanguage({ languages }: Comparison, { pairs, profiles }: UnitComparison): string {
  const runs = pairs
    .filter(({ from }) => from === profiles[0]?.label)
    .map(({ to, selectedByLanguage }) => {
      const having = (verdict: Verdict) =>
        languages.filter((_, k) => selectedByLanguage[k]?.verdict === verdict).map(({ tag }) => tag);
      const words = VERDICTS.flatMap((verdict) => {
        const tags = having(verdict);
        return tags.length === 0 ? [] : [`${verdict} in ${tags.join(' ')}`];
      });
      return `${to}: ${words.join(', ')}.`;
    });
  return `Languages one by one: ${runs.join(' ')}`;
}

function sides(totals: readonly number[], words: { readonly one: string; readonly many: string }): string {
  if (totals.length === 2) return `${count(totals[0]!)} → ${count(totals[1]!)} ${words.many}`;
  return totals.length === 1 ? plural(totals[0]!, words.one, words.many) : totals.map(count).join(' · ');
}

/** The next round number: ends of axes stand at it, and no mark reaches over the panel. */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return Math.max(
    1,
    [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => Math.ceil(step * power)).find((end) => end >= value)!,
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
