import type { TopLevelSpec } from 'vega-lite';
import { specification } from '../src/report/drawing/specification.js';
import { INK_SOFT, nth, RUN_COLOURS, RUN_SHAPES } from '../src/report/drawing/theme.js';
import { wilsonInterval } from '../src/stats/index.js';
import { CLUSTER_METHODS, type ClusterMethod, type ClusterPoint } from './cluster-coverage.js';
import type { PowerPoint, Share } from './verdict-power.js';
import type { IntervalOf, Judged, Rule } from './verdict-rules.js';

/** What verdicts.json holds. */
export interface VerdictValidation {
  readonly schema: 'babelscope/verdicts';
  readonly babelscope: string;
  readonly processorSeconds: number;
  readonly items: number;
  readonly folds: number;
  readonly draws: number;
  readonly points: readonly PowerPoint[];
  readonly clusters: readonly ClusterPoint[];
}

const RULE_NAMES: Readonly<Record<Rule, string>> = {
  floor: 'floor of halves, the old rule',
  jackknife: 'paired jackknife excludes 0',
  halfSample: 'spread of halves excludes 0',
  exchangeOneCut: 'exchange, one cut',
  exchange: 'exchange, both cuts',
};
const MEASURE_NAMES: Readonly<Record<Judged, string>> = {
  selected: 'selected units',
  meanEntropy: 'mean entropy',
  meanOmega2: 'mean ω²',
  jaccard: 'Jaccard',
  depthDistance: 'D',
};
const INTERVAL_NAMES: Readonly<Record<IntervalOf, string>> = {
  jackknife: 'jackknife',
  halfDifference: 'difference of halves',
  halfSample: 'spread of halves',
};
const METHOD_NAMES: Readonly<Record<ClusterMethod, string>> = {
  'members as independent': 'items as independent',
  CR2: 't with CR2 error',
  'wild bootstrap': 'wild bootstrap',
};
/** Panels of one row compare different things. */
const APART = { scale: { color: 'independent', shape: 'independent' } };
const WIDTH = 150;
const HEIGHT = 170;
/** Coverage that an interval of 95 % should have. */
const BAND = { from: 0.93, to: 0.97 };

/** Level and power of every rule, then coverage of intervals, and of means over few clusters. */
export function verdictsFigure({ points, clusters, items, folds, draws }: VerdictValidation): TopLevelSpec {
  const sets = [...new Set(points.map(({ probes }) => probes))];
  const panels = sets.map((probes) => {
    const own = points.filter((point) => point.probes === probes);
    const kinds = [...new Set(own.map(({ kind }) => kind))];
    return {
      hconcat: kinds.map((kind, n) =>
        rulesPanel(
          probes,
          own.filter((point) => point.kind === kind),
          { isFirst: n === 0, isLast: n === kinds.length - 1 },
        ),
      ),
      spacing: 16,
      resolve: APART,
    };
  });
  return {
    ...specification({
      vconcat: [
        ...panels,
        { hconcat: [coveragePanel(points), clusterPanel(clusters)], spacing: 60, resolve: APART },
      ],
      spacing: 30,
      resolve: APART,
    }),
    title: {
      text: 'Verdicts: how often a rule calls a change, where there is none and where there is one',
      subtitle: [
        `Runs of ${items} items drawn from measured ones into ${folds} folds; ${draws} exchanges of labels at the level of 5 % (dotted); bars: Wilson's 95 % interval.`,
        'First column: nothing differs. Second: a tenth of the units trade places, so Jaccard and D differ and nothing else does. Then a share of the items is another checkpoint’s.',
      ],
    },
  } as TopLevelSpec;
}

function channel(domain: readonly string[], range: readonly unknown[], legend: object | null) {
  return {
    field: 'what',
    type: 'nominal',
    title: null,
    sort: null,
    scale: { domain, range: domain.map((_, i) => nth(range, i + 1)) },
    legend,
  };
}

/** Dots with bars, a row a name and beside each other what is compared. */
function dots(
  values: readonly object[],
  domain: readonly string[],
  rows: readonly string[],
  x: object,
  own: { readonly isFirst: boolean; readonly legend: 'right' | 'bottom' | null },
): object[] {
  const y = {
    field: 'row',
    type: 'nominal',
    title: null,
    sort: rows,
    axis: { grid: true, labels: own.isFirst, ticks: false, labelLimit: 200 },
  };
  const side = { field: 'what', type: 'nominal', sort: domain };
  const legend = own.legend === null ? null : { orient: own.legend, columns: own.legend === 'right' ? 1 : 2 };
  return [
    {
      data: { values },
      mark: { type: 'rule', strokeWidth: 1.3 },
      encoding: {
        y,
        yOffset: side,
        x: { field: 'low', type: 'quantitative', ...x },
        x2: { field: 'high' },
        color: channel(domain, RUN_COLOURS, legend),
      },
    },
    {
      data: { values },
      mark: { type: 'point', filled: true, opacity: 1, size: 40 },
      encoding: {
        y,
        yOffset: side,
        x: { field: 'share', type: 'quantitative', ...x },
        color: channel(domain, RUN_COLOURS, legend),
        shape: channel(domain, RUN_SHAPES, legend),
      },
    },
  ];
}

function rulesPanel(
  probes: string,
  points: readonly PowerPoint[],
  { isFirst, isLast }: { isFirst: boolean; isLast: boolean },
): object {
  const values = points.flatMap(({ measure, called }) =>
    (Object.entries(called) as [Rule, Share][]).map(([rule, share]) => ({
      row: MEASURE_NAMES[measure],
      what: RULE_NAMES[rule],
      ...share,
    })),
  );
  const x = { title: 'called changed', scale: { domain: [0, 1] }, axis: { format: '.0%', tickCount: 5 } };
  return {
    title: { text: `${probes}: ${points[0]!.kind}`, fontSize: 11, offset: 6 },
    width: WIDTH,
    height: HEIGHT,
    layer: [
      {
        data: { values: [{ level: 0.05 }] },
        mark: { type: 'rule', strokeDash: [2, 3], color: INK_SOFT },
        encoding: { x: { field: 'level', type: 'quantitative', ...x } },
      },
      ...dots(values, Object.values(RULE_NAMES), Object.values(MEASURE_NAMES), x, {
        isFirst,
        legend: isLast ? 'right' : null,
      }),
    ],
  };
}

function coverageAxis(least: number) {
  return {
    title: 'intervals that hold the truth',
    scale: { domain: [least, 1], nice: false, zero: false, clamp: true },
    axis: { format: '.0%', tickCount: 6 },
  };
}

function band(x: object): object {
  return {
    data: { values: [BAND] },
    mark: { type: 'rect', color: INK_SOFT, opacity: 0.12 },
    encoding: { x: { field: 'from', type: 'quantitative', ...x }, x2: { field: 'to' } },
  };
}

/** Of all kinds of a set together. */
function coveragePanel(points: readonly PowerPoint[]): object {
  const covered = points;
  const rows = [...new Set(covered.map(rowOf))];
  const values = rows.flatMap((row) => {
    const own = covered.filter((point) => rowOf(point) === row);
    const trials = own.reduce((sum, { repetitions }) => sum + repetitions, 0);
    return (Object.keys(INTERVAL_NAMES) as IntervalOf[]).map((interval) => {
      const held = own.reduce(
        (sum, { coverage, repetitions }) => sum + Math.round(coverage[interval].share * repetitions),
        0,
      );
      const [low, high] = wilsonInterval(held, trials);
      return { row, what: INTERVAL_NAMES[interval], share: held / trials, low, high };
    });
  });
  const x = coverageAxis(0.8);
  return {
    title: { text: '95 % intervals of a change; shaded: 93 to 97 %', fontSize: 12, offset: 8 },
    width: 330,
    height: 260,
    layer: [
      band(x),
      ...dots(values, Object.values(INTERVAL_NAMES), rows, x, { isFirst: true, legend: 'bottom' }),
    ],
  };
}

function rowOf({ probes, measure }: PowerPoint): string {
  return `${probes}: ${MEASURE_NAMES[measure]}`;
}

function clusterPanel(clusters: readonly ClusterPoint[]): object {
  const rows: string[] = [];
  const values = clusters.flatMap(({ clusters: count, sizes, spread, coverage }) => {
    const row = `${count} ${sizes}, ${spread}`;
    rows.push(row);
    return CLUSTER_METHODS.map((method) => ({ row, what: METHOD_NAMES[method], ...coverage[method] }));
  });
  const x = coverageAxis(0.3);
  return {
    title: { text: 'Means over clusters of items', fontSize: 12, offset: 8 },
    width: 260,
    height: 420,
    layer: [
      band(x),
      ...dots(values, Object.values(METHOD_NAMES), rows, x, { isFirst: true, legend: 'bottom' }),
    ],
  };
}
