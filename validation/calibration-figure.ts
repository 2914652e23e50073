import type { TopLevelSpec } from 'vega-lite';
import { specification } from '../src/report/drawing/specification.js';
import { INK_SOFT, nth, RUN_COLOURS, RUN_DASHES, RUN_SHAPES } from '../src/report/drawing/theme.js';
import type { Calibration } from './calibration.js';
import type { Covered } from './coverage.js';
import type { Tested } from './null-p-values.js';

const SCORES: Readonly<Record<Covered, string>> = {
  rate: 'firing rate',
  mean: 'mean',
  contrast: 'contrast',
  lape: 'LAPE',
  headNorm: 'head norm',
  headContrast: 'head norm, contrast',
  patternEntropy: 'pattern entropy',
  patternFirst: 'mass on the first token',
  patternPrevious: 'mass on the previous token',
  expertFrequency: 'expert: selection frequency',
  expertMass: 'expert: router mass',
  expertLape: 'expert: LAPE of frequencies',
  exclusivity: 'expert: exclusivity',
  omega2Language: 'ω² of language',
  omega2Item: 'ω² of item',
  eta2Language: 'η² of language *',
  eta2Item: 'η² of item *',
  vectorShareLanguage: 'vector share of language *',
  vectorShareItem: 'vector share of item *',
  selectivity: 'selectivity',
  auroc: 'AUROC',
  ap: 'average precision',
  mi: 'mutual information',
  overlap: 'overlap *',
  overlapOfLanguage: 'overlap with one language *',
};
const TESTS: Readonly<Record<Tested, string>> = {
  omega2: 'ω² of language',
  selectivity: 'selectivity',
  selectivityBest: 'highest selectivity',
  auroc: 'AUROC',
  ap: 'average precision',
  mi: 'mutual information',
};
const HEIGHT = 240;
const COVERAGE_HEIGHT = 640;
/** Coverage that the issue asks for at nominal 95 %. */
const BAND = [0.93, 0.97] as const;

/** Coverage of intervals, spread of p-values under the null, realised against nominal false discoveries. */
export function calibrationFigure({
  coverage,
  uniformity,
  falseDiscoveries,
  items,
  languages,
  folds,
  draws,
  set,
}: Calibration): TopLevelSpec {
  const effects = [...new Set(coverage.map(({ effect }) => effect))];
  const effectName = (effect: number) => (effect === 0 ? 'effect 0' : `effect ${effect} SD`);
  const effectDomain = effects.map(effectName);
  const channel = (
    domain: readonly string[],
    range: readonly unknown[],
    field: string,
    legend: object | null,
  ) => ({
    field,
    type: 'nominal',
    title: null,
    sort: null,
    scale: { domain, range: domain.map((_, i) => nth(range, i + 1)) },
    legend,
  });
  const legend = { orient: 'bottom', columns: 4 };
  const covered = coverage.map((row) => ({ ...row, name: SCORES[row.score], what: effectName(row.effect) }));
  const within = covered.filter(({ share }) => share >= BAND[0] && share <= BAND[1]);
  const y = {
    field: 'name',
    type: 'nominal',
    title: null,
    sort: Object.values(SCORES),
    axis: { grid: true, labelLimit: 190 },
  };
  const side = { field: 'what', type: 'nominal', sort: effectDomain };
  const least = Math.min(0.9, ...covered.map(({ low }) => low)) - 0.005;
  const scale = { domain: [least, 1], nice: false, zero: false };
  const intervals = {
    title: {
      text: `How often 95 % intervals hold the truth: ${within.length} of ${covered.length} within 93 to 97 %`,
      fontSize: 12,
      offset: 8,
    },
    width: 330,
    height: COVERAGE_HEIGHT,
    layer: [
      {
        data: { values: [{ from: BAND[0], to: BAND[1] }] },
        mark: { type: 'rect', color: INK_SOFT, opacity: 0.12 },
        encoding: { x: { field: 'from', type: 'quantitative', scale }, x2: { field: 'to' } },
      },
      {
        data: { values: [{ nominal: 0.95 }] },
        mark: { type: 'rule', strokeDash: [2, 3], color: INK_SOFT },
        encoding: { x: { field: 'nominal', type: 'quantitative', scale } },
      },
      {
        data: { values: covered },
        mark: { type: 'rule', strokeWidth: 1.4 },
        encoding: {
          y,
          yOffset: side,
          x: { field: 'low', type: 'quantitative', scale },
          x2: { field: 'high' },
          color: channel(effectDomain, RUN_COLOURS, 'what', legend),
        },
      },
      {
        data: { values: covered },
        mark: { type: 'point', filled: true, opacity: 1, size: 42 },
        encoding: {
          y,
          yOffset: side,
          x: {
            field: 'share',
            type: 'quantitative',
            title: `coverage of ${covered[0]!.units.toLocaleString('en')} units, bars: its 95 % interval`,
            scale,
            axis: { format: '.0%', tickCount: 6 },
          },
          color: channel(effectDomain, RUN_COLOURS, 'what', legend),
          shape: channel(effectDomain, RUN_SHAPES, 'what', legend),
        },
      },
    ],
  };
  const testDomain = Object.values(TESTS);
  const lines = (
    values: readonly object[],
    x: object,
    yAxis: object,
    own: { readonly markers: boolean; readonly legend: boolean },
  ) => [
    {
      data: { values },
      mark: { type: 'line', strokeWidth: 1.8 },
      encoding: {
        x,
        y: yAxis,
        color: channel(
          testDomain,
          RUN_COLOURS,
          'what',
          own.legend ? { ...legend, columns: 2, symbolType: 'stroke' } : null,
        ),
        strokeDash: channel(
          testDomain,
          RUN_DASHES,
          'what',
          own.legend ? { ...legend, columns: 2, symbolType: 'stroke' } : null,
        ),
      },
    },
    ...(own.markers
      ? [
          {
            data: { values },
            mark: { type: 'point', filled: true, opacity: 1, size: 40 },
            encoding: {
              x,
              y: yAxis,
              color: channel(testDomain, RUN_COLOURS, 'what', null),
              shape: channel(testDomain, RUN_SHAPES, 'marker', null),
            },
          },
        ]
      : []),
  ];
  const diagonal = (to: number) => ({
    data: { values: [{ x: 0 }, { x: to }] },
    mark: { type: 'line', strokeDash: [2, 3], color: INK_SOFT, strokeWidth: 1 },
    encoding: { x: { field: 'x', type: 'quantitative' }, y: { field: 'x', type: 'quantitative' } },
  });
  const nulls = {
    title: { text: 'p-values of units tied to no language', fontSize: 12, offset: 8 },
    width: HEIGHT,
    height: HEIGHT,
    layer: [
      diagonal(1),
      ...lines(
        uniformity.flatMap(({ test, ecdf }) =>
          ecdf.map((share, i) => ({ what: TESTS[test], p: (i + 1) / 100, share })),
        ),
        {
          field: 'p',
          type: 'quantitative',
          title: 'p',
          scale: { domain: [0, 1] },
          axis: { grid: false, tickCount: 5 },
        },
        {
          field: 'share',
          type: 'quantitative',
          title: 'share of units at or below',
          scale: { domain: [0, 1] },
          axis: { tickCount: 5 },
        },
        { markers: false, legend: true },
      ),
    ],
  };
  const most = Math.max(...falseDiscoveries.map(({ nominal }) => nominal)) * 1.1;
  const discoveries = {
    title: { text: `False discoveries among ${set.units} units, ${set.tied} tied`, fontSize: 12, offset: 8 },
    width: HEIGHT,
    height: HEIGHT,
    layer: [
      diagonal(most),
      ...lines(
        falseDiscoveries.map((row) => ({ ...row, what: TESTS[row.test], marker: TESTS[row.test] })),
        {
          field: 'nominal',
          type: 'quantitative',
          title: 'nominal rate q (Benjamini–Hochberg)',
          scale: { domain: [0, most], nice: false },
          axis: { grid: false, tickCount: 5, format: '.0%' },
        },
        {
          field: 'realised',
          type: 'quantitative',
          title: 'realised rate',
          scale: { domain: [0, most], nice: false },
          axis: { tickCount: 5, format: '.0%' },
        },
        { markers: true, legend: true },
      ),
    ],
  };
  return {
    ...specification({
      hconcat: [intervals, { vconcat: [nulls, discoveries], spacing: 30 }],
      spacing: 48,
      resolve: { scale: { color: 'independent', strokeDash: 'independent', shape: 'independent' } },
    }),
    title: {
      text: 'Calibration: intervals, p-values and q-values on simulated units of known truth',
      subtitle: [
        `Left: ${items} items in ${languages} languages, ${folds} folds; one language lies higher by the effect; shaded: 93 to 97 %.`,
        '* the truth is the score at this number of items, not of infinitely many. Without an effect the truth is the end of the range.',
        `Right: ${draws.toLocaleString('en')} permutations of languages within items; dotted: uniform, and realised = nominal, not to be exceeded.`,
      ],
    },
  } as TopLevelSpec;
}
