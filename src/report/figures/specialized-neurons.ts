import { type Comparison, FINDINGS, type UnitDescription } from '../../compare/index.js';
import { runChannels, runLine, runPoints } from '../drawing/run-lines.js';
import { layerAxis, nominal, numeric, specification, tooltip } from '../drawing/specification.js';
import { findingOf, languageFindings, mainWords, selectableUnits } from '../words/compared.js';
import { languageLabel, runsInWords, UNIT_WORDS } from '../words/measured-on.js';
import { count, list, number, percent, plural, wrap } from '../words/text.js';
import { defineFigure, ONE_RUN, sentences } from './figure.js';

const COLUMNS = 4;
const PANEL_WIDTH = 178;
const PANEL_HEIGHT = 92;
/** Above this ratio of the largest language to the median one, the scale is a root, so that both are seen. */
const LINEAR_RATIO = 4;

/** Selected units per layer: one panel a language, one line a run. */
export const specializedNeurons = defineFigure({
  name: 'specialized-neurons',
  short: 'Per layer and language',
  title: (comparison) =>
    `Language-selective ${mainWords(comparison).many} per layer and language: ${runsInWords(comparison)}`,
  needs: selectableUnits,
  build: (comparison, units) => {
    const words = UNIT_WORDS[units.type];
    const { profiles } = units;
    const labels = profiles.map(({ label }) => label);
    const panels = comparison.languages.map((language, k) => {
      const totals = profiles.map(({ counts }) => counts.reduce((sum, row) => sum + row[k]!, 0));
      return [...wrap(languageLabel(language), PANEL_WIDTH / 11.5), sides(totals, words)].join('\n');
    });
    const values = profiles.flatMap(({ label, counts }) =>
      counts.flatMap((row, layer) =>
        row.map((selected, k) => ({
          panel: panels[k]!,
          order: k,
          run: label,
          marker: label,
          layer,
          selected,
        })),
      ),
    );
    const peaks = comparison.languages.map((_, k) =>
      Math.max(...profiles.flatMap(({ counts }) => counts.map((row) => row[k]!))),
    );
    const linear = Math.max(...peaks) <= LINEAR_RATIO * Math.max(1, median(peaks));
    const layers = comparison.shape.layers;
    const channels = runChannels(
      labels,
      labels.length > 2 ? `below each language: selected ${words.many} of the runs, in this order` : null,
    );
    const x = layerAxis(layers, 5);
    const y = numeric('selected', {
      title: linear ? words.many : [words.many, '(square root)'],
      axis: { tickCount: 3, tickMinStep: 1, format: ',d' },
      scale: { type: linear ? 'linear' : 'sqrt', domain: [0, ceiling(Math.max(...peaks))], nice: false },
    });
    const spec = specification({
      data: { values },
      facet: nominal('panel', {
        sort: { field: 'order', op: 'min' },
        title: null,
        header: {
          labelExpr: "split(datum.label, '\\n')",
          labelAnchor: 'start',
          labelLineHeight: 14,
          labelBaseline: 'line-bottom',
          labelPadding: -10,
        },
      }),
      columns: COLUMNS,
      spacing: { row: 22, column: 18 },
      spec: {
        width: PANEL_WIDTH,
        height: PANEL_HEIGHT,
        layer: [
          runLine(x, y, channels, { clip: false }),
          runPoints(
            x,
            y,
            channels,
            { size: layers > 16 ? 16 : 30 },
            tooltip({ panel: 'language', run: 'run', layer: 'layer', selected: `selected ${words.many}` }),
          ),
        ],
      },
      resolve: {
        // A last row with gaps would leave axes far below the panels they belong to.
        axis: comparison.languages.length % COLUMNS === 0 ? {} : { x: 'independent' },
      },
    });
    return {
      spec,
      caption: caption(comparison, units, linear),
      alt: `A panel for each of ${plural(comparison.languages.length, 'language')}: selected ${words.many} by layer, a line a run${
        linear ? '' : ', on a square-root scale'
      }.`,
    };
  },
});

function caption(comparison: Comparison, units: UnitDescription, linear: boolean): string {
  const words = UNIT_WORDS[units.type];
  const { policy, profiles } = units;
  const reference = profiles[0]?.label;
  const totalsInWords = list(
    profiles.map(
      ({ label, selected, units: all, shared: several }) =>
        `${label} ${count(selected)} of ${plural(all, words.one)}${
          selected === 0 ? '' : ` (${percent(several / selected)} belonging to several languages)`
        }`,
    ),
  );
  const findings = profiles.slice(1).map(({ label }) => {
    return `${label}: ${findingOf(comparison, units.type, 'selected', label)}.`;
  });
  return sentences([
    `Selected under the entropy cut of ${reference} (LAPE ≤ ${number(policy.entropyCut)} nats) and its bar (${units.rate === 'norm' ? 'mean norm' : units.rate} > ${number(
      policy.bar,
    )}), held fixed for every run: ${totalsInWords}.`,
    profiles.length > 1
      ? `Total number against ${reference}, with other items: ${findings.join(' ')} ${byLanguage(comparison, units)} A layer’s language alone: not tested.`
      : ONE_RUN,
    linear ? '' : 'The vertical scale is a square root.',
  ]);
}

/** What is found of the selected units of each language against the reference. */
function byLanguage(comparison: Comparison, { type, profiles }: UnitDescription): string {
  const runs = profiles.slice(1).map(({ label }) => {
    const findings = languageFindings(comparison, type, label);
    const words = FINDINGS.flatMap((finding) => {
      const tags = comparison.languages.filter((_, k) => findings[k] === finding).map(({ tag }) => tag);
      return tags.length === 0 ? [] : [`${finding} in ${tags.join(' ')}`];
    });
    return `${label}: ${words.join(', ')}.`;
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
