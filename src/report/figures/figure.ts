import type { TopLevelSpec } from 'vega-lite';
import { modelLabel } from '../../checkpoint/index.js';
import type { ComparedRun, Comparison, Headline, Measure, UnitComparison } from '../../compare/index.js';
import { CONFIG, nth, RUN_COLOURS, RUN_DASHES, RUN_SHAPES } from '../drawing/theme.js';
import { count, emWidth, plural } from '../words/text.js';

/** A figure of the report: one vega-lite specification and the words that belong to it. */
export interface Figure {
  /** File name without extension, and anchor in the page. */
  readonly name: FigureName;
  /** What was measured. */
  readonly title: string;
  /** On what it was measured. */
  readonly subtitle: string;
  /** What the numbers say, generated from them. */
  readonly caption: string;
  /** Without title: a page and a file set it differently. */
  readonly spec: TopLevelSpec;
}

/** A figure that this comparison has no numbers for. */
export interface AbsentFigure {
  readonly name: FigureName;
  readonly title: string;
  readonly reason: string;
}

export type FigureName =
  | 'forest'
  | 'forest-heads'
  | 'forest-experts'
  | 'regimes'
  | 'groups'
  | 'contrasts'
  | 'trajectory'
  | 'head-overlap'
  | 'alignment'
  | 'specialized-neurons'
  | 'entropy-distribution'
  | 'depth-profile'
  | 'reallocation'
  | 'head-map'
  | 'expert-map';

export type FigureBuilder = (comparison: Comparison) => Figure | AbsentFigure;

export function isPresent(figure: Figure | AbsentFigure): figure is Figure {
  return 'spec' in figure;
}

/** The parts every specification shares, around what one figure draws. */
export function specification(body: object): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    config: CONFIG,
    ...body,
  } as TopLevelSpec;
}

/** Length of a legend's line: long enough to tell the dashes apart. */
const LEGEND_LINE = 26;
/** Between an entry and the next, with what lies between its line and its label. */
const LEGEND_GAP = 20;
const LEGEND_FONT = 11;
/** Room in the narrowest figure, in pixels. */
const LEGEND_WIDTH = 640;

/** Colour, dash and marker of each run, with one legend above the figure if there are several. */
export function runChannels(labels: readonly string[], legendTitle: string | null = null) {
  const legend = labels.length > 1;
  const shared = {
    field: 'run',
    type: 'nominal',
    sort: null,
    title: legendTitle,
    legend: legend
      ? { orient: 'top', columns: legendColumns(labels), symbolType: 'stroke', symbolSize: LEGEND_LINE ** 2 }
      : null,
  };
  const domain = [...labels];
  return {
    color: { ...shared, scale: { domain, range: domain.map((_, i) => nth(RUN_COLOURS, i)) } },
    strokeDash: { ...shared, scale: { domain, range: domain.map((_, i) => nth(RUN_DASHES, i)) } },
    // A field and no legend of its own: merged into the others', its markers would hide the dashes.
    shape: {
      ...shared,
      field: 'marker',
      legend: null,
      scale: { domain, range: domain.map((_, i) => nth(RUN_SHAPES, i)) },
    },
  };
}

/** As many as stand side by side in the narrowest figure; a column is as wide as its widest entry. */
function legendColumns(labels: readonly string[]): number {
  const entries = labels.map((label) => LEGEND_LINE + LEGEND_GAP + emWidth(label) * LEGEND_FONT);
  const width = (columns: number) =>
    Array.from({ length: columns }, (_, c) => Math.max(...entries.filter((_, i) => i % columns === c)));
  const fits = (columns: number) => width(columns).reduce((a, b) => a + b, 0) <= LEGEND_WIDTH;
  return labels.map((_, i) => labels.length - i).find(fits) ?? 1;
}

/** `en English`, or the tag alone where there is no other name. */
export function languageLabel({ tag, name }: { readonly tag: string; readonly name: string }): string {
  return name === '' || name === tag ? tag : `${tag} ${name}`;
}

/** Neurons where they were compared, else whatever was. */
export function mainUnits(comparison: Comparison): UnitComparison | undefined {
  return comparison.units.find(({ type }) => type === 'neuron') ?? comparison.units[0];
}

/** Headlines of all languages against the reference. */
export function againstReference({ headlines, profiles }: UnitComparison): Headline[] {
  return headlines.filter(({ group, from }) => group === null && from === profiles[0]?.label);
}

/** The headline of a run against the reference, over all languages. */
export function headlineOf(
  units: UnitComparison | undefined,
  measure: Measure,
  to: string,
): Headline | undefined {
  return units && againstReference(units).find((h) => h.measure === measure && h.to === to);
}

/** `base → sft`, `base → cpt, sft, grpo`, `base → 7 other runs`, or the only run. */
export function runsInWords(comparison: Comparison): string {
  const [reference, ...others] = comparison.runs.map(({ label }) => label);
  if (others.length === 0) return reference ?? 'no run';
  return `${reference} → ${others.length > 3 ? `${others.length} other runs` : others.join(', ')}`;
}

/** The subtitle of every figure: models, probe set, items, languages, tokens. */
export function measuredOn(comparison: Comparison): string {
  const { runs, probe, languages, items, completeItems, shape, positions, units } = comparison;
  const models = [...new Set(runs.map(({ model }) => modelLabel(model)))];
  const shown =
    models.length > 3 ? `${models.slice(0, 2).join(', ')} and ${models.length - 2} more` : models.join(', ');
  const tokens = runs.map(totalTokens);
  const [low, high] = [Math.min(...tokens), Math.max(...tokens)];
  return [
    `${shown} (${shape.family}, ${shape.layers} layers)`,
    `probe set ${probe.name} ${probe.version}: ${items === 0 ? 'an unknown number of items' : plural(items, 'item')}${
      completeItems === items ? '' : ` (${count(completeItems)} in every language)`
    } in ${plural(languages.length, 'language')}`,
    units.some(({ rate }) => rate === 'importance')
      ? `${plural(low, 'matrix', 'matrices')}${runs.length > 1 ? ' a run' : ''}`
      : `${low === high ? count(low) : `${count(low)}–${count(high)}`} tokens${
          runs.length > 1 ? ' a run' : ''
        }, positions: ${positions}`,
  ].join(' · ');
}

export function totalTokens(run: ComparedRun): number {
  return run.languages.reduce((sum, { tokens }) => sum + tokens, 0);
}

/** Tick values at whole layers, first and last included, about `wanted` of them. */
export function layerTicks(layers: number, wanted = 7): number[] {
  const step = Math.max(1, Math.ceil((layers - 1) / Math.max(1, wanted - 1)));
  const ticks: number[] = [];
  for (let l = 0; l < layers; l += step) ticks.push(l);
  return ticks;
}

export const UNIT_WORDS = {
  neuron: { one: 'neuron', many: 'neurons', title: 'Neurons' },
  head: { one: 'head', many: 'heads', title: 'Heads' },
  expert: { one: 'expert', many: 'experts', title: 'Experts' },
} as const;
