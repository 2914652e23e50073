import type {
  Change,
  ChangeTest,
  Comparison,
  Contrast,
  LanguageGroup,
  Level,
  Measure,
  RunProfile,
  SeedFloor,
  SeedTest,
  Trend,
  UnitDescription,
} from '../../src/compare/comparison.js';
import { COMPARISON_SCHEMA_VERSION } from '../../src/compare/comparison.js';

/** What a comparison says in rows. */
type Rows = Pick<Comparison, 'levels' | 'changes' | 'contrasts' | 'trends'>;
/** A quantity over all layers and no single language. */
const WHOLE = { layer: null, language: null } as const;
/** A quantity of the residual stream. */
const RESIDUAL = { type: null, language: null } as const;

export interface SyntheticOptions {
  readonly runs?: readonly string[];
  readonly layers?: number;
  readonly neurons?: number;
  readonly heads?: number;
  /** A mixture: experts of every layer but the first. Default: a dense model. */
  readonly experts?: number;
  readonly languages?: Comparison['languages'];
  readonly groups?: readonly LanguageGroup[];
  /** Training seeds of every run but the first. Default 1. */
  readonly seeds?: number;
  /** Makes a trajectory of the runs: the step of each. */
  readonly steps?: readonly number[];
}

export const SEEN_UNSEEN: readonly LanguageGroup[] = [
  { name: 'seen', languages: ['en', 'es', 'fr', 'ja', 'uk', 'zh'] },
  { name: 'unseen', languages: ['ko', 'pt'] },
];

const language = (tag: string, name: string, script = 'Latn', family = 'Indo-European') => ({
  tag,
  name,
  script,
  family,
});

export const EIGHT_LANGUAGES = [
  language('en', 'English'),
  language('es', 'Spanish'),
  language('fr', 'French'),
  language('ja', 'Japanese', 'Jpan', 'Japonic'),
  language('ko', 'Korean', 'Kore', 'Koreanic'),
  language('pt', 'Portuguese'),
  language('uk', 'Ukrainian', 'Cyrl'),
  language('zh', 'Chinese', 'Hans', 'Sino-Tibetan'),
];

/** Long names, names in their own script (right to left, stacked, unspaced), long tags. */
export const SEVENTEEN_LANGUAGES = [
  language('ar', 'Modern Standard Arabic (العربية الفصحى)', 'Arab', 'Afro-Asiatic'),
  language('cs', 'Czech'),
  language('de', 'German'),
  language('en', 'English'),
  language('es', 'Spanish'),
  language('fi', 'Finnish', 'Latn', 'Uralic'),
  language('fr', 'French'),
  language('hi', 'Hindi (मानक हिन्दी)', 'Deva'),
  language('id', 'Indonesian', 'Latn', 'Austronesian'),
  language('it', 'Italian'),
  language('ja', 'Japanese (日本語)', 'Jpan', 'Japonic'),
  language('ko', 'Korean (한국어)', 'Kore', 'Koreanic'),
  language('pt-BR', 'Portuguese (Brazil)'),
  language('ru', 'Russian (русский язык)', 'Cyrl'),
  language('th', 'Thai (ภาษาไทยมาตรฐาน)', 'Thai', 'Kra-Dai'),
  language('tr', 'Turkish', 'Latn', 'Turkic'),
  language('zh-Hant', 'Chinese, Traditional (繁體中文)', 'Hant', 'Sino-Tibetan'),
];

/** A comparison with the shape and the magnitudes of a real one, and none of its meaning. Same options, same value. */
export function syntheticComparison({
  runs = ['base', 'sft'],
  layers = 8,
  neurons = 640,
  heads = 6,
  experts,
  languages = EIGHT_LANGUAGES,
  groups = [],
  seeds = 1,
  steps,
}: SyntheticOptions = {}): Comparison {
  const random = mulberry32(20_240_607);
  const tags = languages.map(({ tag }) => tag);
  const tokens = languages.map((_, k) => Math.round(9_000 + 9_000 * random() + (k === 0 ? 2_000 : 0)));
  const described = {
    schema: 'babelscope/comparison' as const,
    schemaVersion: COMPARISON_SCHEMA_VERSION,
    babelscope: '0.1.0',
    probe: {
      name: 'facts',
      version: '1.0.0',
      kind: 'fact' as const,
      licence: 'Unicode-3.0',
      source: 'CLDR 48.2',
      sha256: hex(random),
    },
    shape: {
      family: 'qwen2',
      layers,
      dModel: 192,
      heads,
      kvHeads: 2,
      headDim: 32,
      dMlp: neurons,
      experts: experts ?? null,
      mixture:
        experts === undefined
          ? null
          : {
              perToken: 2,
              dExpert: 16,
              dShared: 0,
              layers: Array.from({ length: layers - 1 }, (_, l) => l + 1),
            },
      vocab: 8192,
      maxPositions: 512,
      parameters: 5_214_912,
    },
    languages,
    groups,
    completeItems: 612,
    items: 640,
    folds: 20,
    splits: 50,
    seed: 1,
    positions: 'all',
    runs: runs.map((label, r) => ({
      label,
      model: {
        name: `demo-${label}`,
        revision: null,
        ref: null,
        adapter: null,
        architecture: 'Qwen2ForCausalLM',
        modelType: 'qwen2',
        parameters: 5_214_912,
        dtype: 'BF16' as const,
        configSha256: hex(random),
        weightsSha256: hex(random),
        tokenizerSha256: hex(random),
      },
      languages: tags.map((tag, k) => ({ tag, prompts: k === 3 ? 612 : 640, tokens: tokens[k]! })),
      planSha256: hex(random),
      seeds: [],
      step: steps?.[r] ?? null,
    })),
  };
  const ofType = (type: UnitDescription['type'], perLayer: number) =>
    unitComparison(type, runs, layers, perLayer, tags, groups, seeds, steps, random);
  const units = [
    ofType('neuron', neurons),
    ofType('head', heads),
    ...(experts === undefined ? [] : [ofType('expert', experts)]),
  ];
  const aligned = alignment(runs, layers, tags.length, groups, seeds, steps);
  const rows: Rows[] = [...units.map((of) => of.rows), aligned.rows];
  return {
    ...described,
    units: units.map(({ description }) => description),
    levels: rows.flatMap(({ levels }) => levels),
    tests: { level: 0.05, margin: null, arrangements: 480, exact: false, families: [] },
    changes: rows.flatMap(({ changes }) => changes),
    contrasts: rows.flatMap(({ contrasts }) => contrasts),
    trends: rows.flatMap(({ trends }) => trends),
    headMaps: headMaps(runs, layers, heads, random),
    expertMaps: experts === undefined ? [] : expertMaps(runs, layers, experts, tags.length),
    headOverlaps: headOverlaps(runs, layers * heads, tags),
    alignment: aligned.described,
    reliability: runs.flatMap((label) =>
      (['neuron', 'head'] as const).flatMap((type) =>
        ['lape', 'omega2_language', 'ap_best'].map((score, s) => {
          const halves = type === 'head' && s === 2 ? null : 0.72 + 0.2 * random();
          return {
            label,
            type,
            score,
            halves,
            stepUp: halves === null ? null : (2 * halves) / (1 + halves),
          };
        }),
      ),
    ),
    warnings: ['facts: ja lacks 28 items; scores that need the full grid use 612 of 640 items.'],
  };
}

function unitComparison(
  type: UnitDescription['type'],
  runs: readonly string[],
  layers: number,
  perLayer: number,
  tags: readonly string[],
  groups: readonly LanguageGroup[],
  seeds: number,
  steps: readonly number[] | undefined,
  random: () => number,
): { description: UnitDescription; rows: Rows } {
  const k = tags.length;
  const units = layers * perLayer;
  const dead = type === 'neuron' ? Math.round(units * 0.004) : 0;
  const top = Math.log(k);
  const entropyEdges = Array.from({ length: 65 }, (_, b) => (b / 64) * top);
  const profiles = runs.map((label, r): RunProfile => {
    const shrink = 1 - 0.12 * r;
    const counts = Array.from({ length: layers }, (_, l) =>
      tags.map((_, t) => {
        const depth = l / Math.max(1, layers - 1);
        const shape =
          0.35 * Math.exp(-((depth / 0.15) ** 2)) + Math.exp(-(((depth - 1 + 0.06 * r) / 0.2) ** 2));
        const share = (t === 0 ? 3 : 1) * (0.6 + 0.8 * random());
        return Math.round((units * 0.012 * shape * share * shrink) / (k * 0.4 * layers * 0.35));
      }),
    );
    const selectedByLayer = counts.map((row) => Math.ceil(sum(row) * 0.9));
    const selected = sum(selectedByLayer);
    let running = 0;
    const cumulative = selectedByLayer.map((n) => {
      running += n;
      return selected === 0 ? null : running / selected;
    });
    const centre = top * (0.965 + 0.004 * r);
    const entropyHistogram = entropyEdges.slice(1).map((edge) => {
      const gap = (centre - edge) / (0.05 * top);
      const bulk = gap < -0.4 ? 0 : Math.exp(-Math.max(0, gap) * (0.75 + 0.05 * r));
      return Math.round((units - dead) * 0.14 * bulk * (0.9 + 0.2 * random()));
    });
    return {
      label,
      units,
      dead,
      selected,
      shared: Math.round(selected * 0.18),
      multiplicity: tags.map((_, n) =>
        n === 0 ? selected - Math.round(selected * 0.18) : n === 1 ? Math.round(selected * 0.18) : 0,
      ),
      counts,
      selectedByLayer,
      cumulative,
      entropyHistogram,
      meanLape: counts.map((_, l) => top * (0.93 + 0.03 * Math.sin(l) * random())),
      meanOmega2Language: counts.map(() => 0.05 + 0.05 * random()),
    };
  });
  const reallocations = runs.slice(1).map((to, r) => {
    const matrix = Array.from({ length: k + 1 }, (_, a) =>
      Array.from({ length: k + 1 }, (_, b) => {
        if (a === k && b === k) return 0;
        const column = a === k ? b : a;
        const weight = Math.max(1, (units * 0.011 * (column === 0 ? 3 : 1)) / (k + 2));
        if (a === b) return Math.round(weight * (0.5 + 0.3 * random()));
        if (b === k) return Math.round(weight * (0.15 + 0.12 * (r + 1) * random()));
        if (a === k) return Math.round(weight * 0.18 * random());
        return random() < 0.12 ? Math.ceil(weight * 0.1 * random()) : 0;
      }),
    );
    const gained = sum(matrix[k]!);
    const lost = sum(matrix.map((row) => row[k]!));
    return { from: runs[0]!, to, matrix, gained, lost, kept: sum(matrix.map(sum)) - gained - lost };
  });
  const ofReference = runs
    .slice(1)
    .flatMap((label, r) => headlines(type, label, r, profiles, layers, random));
  const description: UnitDescription = {
    type,
    rate: ({ neuron: 'firing rate', head: 'norm', expert: 'selection frequency' } as const)[type],
    policy: { entropyCut: type === 'neuron' ? top * 0.62 : null, bar: 0.412, fraction: 0.01 },
    entropyEdges,
    profiles,
    reallocations,
  };
  return {
    description,
    rows: withRegimes(type, runs, layers, tags, groups, seeds, steps, ofReference, profiles),
  };
}

/** Everything that was not in the first figures, from a generator of its own so that those stay as they are. */
function withRegimes(
  type: UnitDescription['type'],
  runs: readonly string[],
  layers: number,
  tags: readonly string[],
  groups: readonly LanguageGroup[],
  seeds: number,
  steps: readonly number[] | undefined,
  ofReference: readonly Change[],
  profiles: readonly RunProfile[],
): Rows {
  const random = mulberry32(type === 'neuron' ? 7 : 8);
  const scopes = [null, ...groups.map(({ name }) => name)];
  const pairs = runs.flatMap((from, a) => runs.slice(a + 1).map((to, i) => ({ from, to, a, b: a + 1 + i })));
  const headlinesOfPair = ({ from, to, a, b }: (typeof pairs)[number]) =>
    (a === 0
      ? ofReference.filter((h) => h.to === to)
      : headlines(type, to, b - a - 1, profiles, layers, random)
    ).map((h): Change => ({ ...h, from, seeds: seedFloorOf(h, seeds) }));
  const all = pairs.flatMap((pair) =>
    scopes.flatMap((group) =>
      headlinesOfPair(pair).map((h): Change => (group === null ? h : { ...h, group })),
    ),
  );
  const levels = runs.flatMap((label, r) =>
    scopes.flatMap((group): Level[] => {
      const own = ofReference.filter((h) => h.valueFrom !== null && (r === 0 || h.to === label));
      const once = own.filter((h, i) => own.findIndex(({ measure }) => measure === h.measure) === i);
      return once.map(({ measure, valueFrom, valueTo, change: { low, high } }) => {
        const value = r === 0 ? valueFrom! : valueTo!;
        const half = low === null || high === null ? 0 : (high - low) / 2;
        return {
          ...WHOLE,
          type,
          label,
          measure,
          group,
          value: { value, low: value - half, high: value + half },
        };
      });
    }),
  );
  /** Every part is alike: no figure draws its numbers. */
  const parts = pairs.flatMap(({ from, to }) => {
    const part = (measure: Measure, layer: number | null, language: string | null): Change => ({
      measure,
      type,
      group: null,
      layer,
      language,
      from,
      to,
      valueFrom: 4,
      valueTo: 5,
      change: { value: 1, low: 0.5, high: 1.5 },
      withinFrom: [0, 1, 2],
      withinTo: [0, 1, 2],
      across: [0, 1, 2],
      shareOutside: 0.2,
      test: testOf(false),
      verdict: 'not distinguishable from sampling',
      note: '',
      seeds: seedFloorOf({ verdict: 'not measured', across: null, withinFrom: null }, 1),
    });
    return [
      ...tags.map((tag) => part('selected', null, tag)),
      ...(['selected', 'mean_lape', 'mean_omega2_language'] as const).flatMap((measure) =>
        Array.from({ length: layers }, (_, layer) => part(measure, layer, null)),
      ),
    ];
  });
  const trends = (steps === undefined ? [] : scopes).flatMap((group) =>
    [...new Set(ofReference.map(({ measure }) => measure))].map((measure): Trend => {
      const points = runs.flatMap((label, r) => {
        const value =
          levels.find((level) => level.label === label && level.measure === measure && level.group === group)
            ?.value ?? all.find((h) => h.to === label && h.measure === measure && h.from === runs[0])?.change;
        return value === undefined || value.value === null ? [] : [{ step: steps![r]!, value }];
      });
      const known = points.length > 2;
      return {
        ...WHOLE,
        type,
        measure,
        group,
        points,
        s: known ? 10 : null,
        tau: known ? 0.8 : null,
        p: known ? (measure === 'selected' ? 0.017 : 0.22) : null,
        adjusted: known ? (measure === 'selected' ? 0.04 : 0.3) : null,
        finding: known ? (measure === 'selected' ? 'changed' : 'undecided') : 'not measured',
        note: known ? '' : 'a trend needs three values that differ',
      };
    }),
  );
  return {
    changes: [...all, ...parts],
    levels,
    contrasts: pairs
      .filter(({ a }) => a > 0)
      .flatMap(({ from, to }) =>
        all
          .filter((h) => h.from === from && h.to === to)
          .map((h): Contrast => {
            const { valueFrom: _f, valueTo: _t, change, ...rest } = h;
            const value = change.value;
            const changes = (at: number) =>
              Array.from({ length: seeds }, (_, s) => (value === null ? null : value * (at + 0.1 * s)));
            return {
              ...rest,
              reference: runs[0]!,
              changesFrom: changes(1),
              changesTo: changes(2),
              difference: change,
            };
          }),
      ),
    trends,
  };
}

function seedFloorOf(
  { verdict, across, withinFrom }: Pick<Change, 'verdict' | 'across' | 'withinFrom'>,
  seeds: number,
): SeedFloor {
  const nothing = { withinFrom: null, withinTo: null, across: null, shareOutside: null };
  if (seeds < 2) {
    const note = 'one training seed a regime';
    return { ...nothing, verdict: 'not measured', note, test: seedTestOf(seeds, null, note) };
  }
  if (verdict === 'not measured') {
    const note = 'no unit is selected';
    return { ...nothing, verdict, note, test: seedTestOf(seeds, null, note) };
  }
  const changed = verdict === 'changed';
  return {
    withinFrom: null,
    withinTo: withinFrom,
    across,
    shareOutside: changed ? 1 : 0.4,
    verdict: changed ? 'changed' : 'not distinguishable from training seeds',
    note: '',
    test: seedTestOf(seeds, changed, ''),
  };
}

/** null: not measured. */
function seedTestOf(seeds: number, changed: boolean | null, note: string): SeedTest {
  const known = changed !== null;
  const interval = known ? { value: 2, low: 1, high: 3 } : { value: null, low: null, high: null };
  return {
    seeds: [1, seeds],
    p: known ? (changed ? 0.004 : 0.4) : null,
    adjusted: known ? (changed ? 0.03 : 1) : null,
    finding: known ? (changed ? 'changed' : 'undecided') : 'not measured',
    training: interval,
    both: interval,
    note,
  };
}

function headOverlaps(
  runs: readonly string[],
  heads: number,
  tags: readonly string[],
): Comparison['headOverlaps'] {
  const random = mulberry32(9);
  const n = Math.max(1, Math.round(0.02 * heads));
  const matrix = (level: number) => {
    const shares = tags.map(() => tags.map(() => Math.min(n, Math.floor((n + 1) * level * random())) / n));
    return shares.map((row, a) => row.map((share, b) => (a === b ? 1 : a < b ? share : shares[b]![a]!)));
  };
  return runs.map((label) => ({ label, n, heads, norm: matrix(1.3), contrast: matrix(0.6) }));
}

/** Rises to the middle of the layers and falls again; the others lie lower there. */
function alignment(
  runs: readonly string[],
  layers: number,
  languages: number,
  groups: readonly LanguageGroup[],
  seeds: number,
  steps: readonly number[] | undefined,
): { described: NonNullable<Comparison['alignment']>; rows: Rows } {
  const random = mulberry32(11);
  const measures = [
    { measure: 'alignment_margin', height: 0.42, half: 0.006 },
    { measure: 'alignment_mexa', height: 0.83, half: 0.02 },
  ] as const;
  const places = measures.flatMap((of) =>
    [null, ...groups.map(({ name }) => name)].flatMap((group) =>
      [null, ...Array.from({ length: layers }, (_, layer) => layer)].map((layer) => ({
        ...of,
        group,
        layer,
      })),
    ),
  );
  const levels: Level[] = [];
  const changes: Change[] = [];
  for (const { measure, height, half, group, layer } of places) {
    const arch = layer === null ? 0.6 : Math.sin((Math.PI * (layer + 0.7)) / (layers + 0.4));
    const values = runs.map((_, r) => height * arch * (1 - 0.05 * r * arch) + half * (random() - 0.5));
    for (const [r, label] of runs.entries()) {
      const value = { value: values[r]!, low: values[r]! - half, high: values[r]! + half };
      levels.push({ ...RESIDUAL, measure, group, layer, label, value });
    }
    for (const [a, from] of runs.entries()) {
      for (const [i, to] of runs.slice(a + 1).entries()) {
        const value = values[a + 1 + i]! - values[a]!;
        const changed = Math.abs(value) > 1.6 * half;
        const floor = {
          withinFrom: [0, 0.5 * half, 1.3 * half],
          withinTo: [0, 0.6 * half, 1.5 * half],
          across: [Math.abs(value) * 0.9, Math.abs(value), Math.abs(value) * 1.1],
          shareOutside: changed ? 1 : 0.3,
          verdict: changed ? 'changed' : 'not distinguishable from sampling',
          note: '',
        } as const;
        const change = { value, low: value - half, high: value + half };
        const [valueFrom, valueTo] = [values[a]!, values[a + 1 + i]!];
        const own = { ...RESIDUAL, measure, group, layer, from, to, valueFrom, valueTo, change, ...floor };
        changes.push({ ...own, test: testOf(changed, 'jackknife'), seeds: seedFloorOf(floor, seeds) });
      }
    }
  }
  const pairs = (languages * (languages - 1)) / 2;
  const contrasts = changes
    .filter(({ from }) => from !== runs[0])
    .map(({ change, valueFrom: _f, valueTo: _t, ...c }): Contrast => {
      const of = (at: number) => Array.from({ length: seeds }, (_, s) => change.value! * (at + 0.1 * s));
      return { ...c, reference: runs[0]!, changesFrom: of(1), changesTo: of(2), difference: change };
    });
  const trends = (steps === undefined ? [] : places).map(({ measure, group, layer }): Trend => {
    const own = levels.filter((l) => l.measure === measure && l.group === group && l.layer === layer);
    const points = own.map(({ value }, r) => ({ step: steps![r]!, value }));
    const tested = { s: -10, tau: -1, p: 0.017, adjusted: 0.02, finding: 'changed', note: '' } as const;
    return { ...RESIDUAL, measure, group, layer, points, ...tested };
  });
  const measured = { measured: pairs, all: pairs };
  return {
    described: { pooling: 'mean', pairs: measured, items: [612, 640] },
    rows: { levels, changes, contrasts, trends },
  };
}

function headlines(
  type: UnitDescription['type'],
  label: string,
  r: number,
  profiles: readonly RunProfile[],
  layers: number,
  random: () => number,
): Change[] {
  const jitter = (value: number, by = 0.15) => value * (1 - by + 2 * by * random());
  const strength = 1 + 0.6 * r;
  const a = profiles[0]!;
  const b = profiles[r + 1]!;
  const own = {
    ...WHOLE,
    type,
    group: null,
    from: profiles[0]!.label,
    to: label,
    seeds: seedFloorOf({ verdict: 'not measured', across: null, withinFrom: null }, 1),
  } as const;
  const sides: Partial<Record<Measure, readonly [number | null, number | null, number, number, number]>> = {
    // reference, other, within floor (95 %), across median, half width of the interval
    selected: [a.selected, b.selected, a.selected * 0.045, a.selected * 0.06 * strength, a.selected * 0.03],
    jaccard: [null, null, 0.71, 0.64 / strength, 0.03],
    language_kept: [null, null, 0.9, 0.893, 0.02],
    mean_lape: [1.937, 1.937 + 0.021 * strength, 0.0021, 0.021 * strength, 0.0019],
    mean_omega2_language: [0.0812, 0.0812 - 0.0053 * strength, 0.0049, 0.0052 * strength, 0.0016],
    depth_distance: [null, null, 0.061, 0.055 * strength, 0.021],
    mean_depth: [layers * 0.71, layers * 0.71 - 0.08 * strength, 0.19, 0.08 * strength, 0.06],
  };
  return (Object.keys(sides) as Measure[]).map((measure): Change => {
    const [reference, other, floor, median, half] = sides[measure]!;
    if (type === 'head' && measure !== 'mean_lape' && measure !== 'mean_omega2_language') {
      return {
        ...own,
        measure,
        valueFrom: measure === 'selected' ? 0 : null,
        valueTo: measure === 'selected' ? 0 : null,
        change: { value: null, low: null, high: null },
        test: testOf(null),
        withinFrom: null,
        withinTo: null,
        across: null,
        shareOutside: null,
        verdict: 'not measured',
        note: 'the reference selects none: 1 % of 48 heads is 0.48',
      };
    }
    const similarity = measure === 'jaccard' || measure === 'language_kept';
    const within = (): [number, number, number] =>
      similarity
        ? [jitter(floor, 0.01), floor + 0.03, Math.min(1, floor + 0.06)]
        : [jitter(floor * 0.06), jitter(floor * 0.4), jitter(floor, 0.05)];
    const value =
      reference !== null && other !== null ? other - reference : similarity ? median + 0.1 : median;
    const across: [number, number, number] = similarity
      ? [median - 0.03, median, median + 0.025]
      : [median * 0.7, median, median * 1.3];
    const [wa, wb] = [within(), within()];
    const changed = similarity ? across[2] < Math.min(wa[0], wb[0]) : across[0] > Math.max(wa[2], wb[2]);
    return {
      ...own,
      measure,
      valueFrom: reference,
      valueTo: other,
      change: { value, low: value - half, high: value + half },
      test: testOf(changed, measure.startsWith('mean_') ? 'jackknife' : 'exchange'),
      withinFrom: wa,
      withinTo: wb,
      across,
      shareOutside: changed ? 1 : Math.round(60 * random()) / 100,
      verdict: changed ? 'changed' : 'not distinguishable from sampling',
      note: '',
    };
  });
}

/** null: not measured. */
export function testOf(changed: boolean | null, by: ChangeTest['by'] = 'exchange'): ChangeTest {
  const nothing = { margin: null, leastMargin: null, detectable: changed === false ? 7.86 : null };
  if (changed === null) {
    const note = 'the reference selects none: 1 % of 48 heads is 0.48';
    return { by, p: null, adjusted: null, finding: 'not measured', ...nothing, note };
  }
  const p = changed ? 0.004 : 0.4;
  return {
    by,
    p,
    adjusted: changed ? 0.03 : 1,
    finding: changed ? 'changed' : 'undecided',
    ...nothing,
    note: '',
  };
}

function headMaps(runs: readonly string[], layers: number, heads: number, random: () => number) {
  const grid = (value: (l: number, h: number) => number | null) =>
    Array.from({ length: layers }, (_, l) => Array.from({ length: heads }, (_, h) => value(l, h)));
  const base = grid((l) => 0.04 + 0.5 * random() ** 2 * (0.4 + l / layers));
  return runs.map((label, r) => {
    const omega2Language = grid((l, h) =>
      l === 1 && h === 2 ? null : base[l]![h]! + (r === 0 ? 0 : 0.12 * (random() - 0.55) * (1 + 0.3 * r)),
    );
    return {
      label,
      omega2Language,
      lape: grid(() => 1.9 + 0.15 * random()),
      vectorShareLanguage: grid((l, h) => (l === 1 && h === 2 ? null : 0.2 + 0.5 * random())),
    };
  });
}

/** Most experts much alike in all languages, some for one; one never chosen. */
function expertMaps(
  runs: readonly string[],
  layers: number,
  experts: number,
  languages: number,
): Comparison['expertMaps'] {
  const random = mulberry32(10);
  const grid = (value: (l: number, e: number) => number | null) =>
    Array.from({ length: layers }, (_, l) =>
      l === 0 ? [] : Array.from({ length: experts }, (__, e) => (l === 2 && e === 1 ? null : value(l, e))),
    );
  const top = grid(() => Math.floor(languages * random()));
  const share = grid(() => 1 / languages + (1 - 1 / languages) * random() ** 6);
  return runs.map((label, r) => ({
    label,
    frequency: grid(() => (2 / experts) * (0.5 + random())),
    exclusivity: grid((l, e) => Math.min(1, share[l]![e]! * (1 + 0.1 * r * random()))),
    lape: grid(() => Math.log(languages) * (0.8 + 0.2 * random())),
    topLanguage: grid((l, e) => (r > 0 && random() < 0.1 ? Math.floor(languages * random()) : top[l]![e]!)),
  }));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function hex(random: () => number): string {
  return Array.from({ length: 64 }, () => Math.floor(random() * 16).toString(16)).join('');
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
