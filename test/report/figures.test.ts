import { compile } from 'vega-lite';
import { describe, expect, test } from 'vitest';
import { BabelscopeError } from '../../src/errors.js';
import { unitTicks } from '../../src/report/drawing/cell-map.js';
import { renderSvgs, withTitle } from '../../src/report/drawing/render.js';
import { specification } from '../../src/report/drawing/specification.js';
import { type Figure, isPresent } from '../../src/report/figures/figure.js';
import { buildFigures } from '../../src/report/figures/list.js';
import {
  EIGHT_LANGUAGES,
  SEEN_UNSEEN,
  SEVENTEEN_LANGUAGES,
  syntheticComparison,
} from '../support/synthetic-comparison.js';

const SEVEN_OTHERS = ['base', 'cpt', 'sft', 'grpo', 'cpt+grpo', 'sft seed 2', 'grpo seed 2', 'grpo seed 3'];
const CASES = {
  'two runs, 8 languages, 8 layers': syntheticComparison(),
  'two runs, 17 languages, 28 layers': syntheticComparison({
    layers: 28,
    neurons: 8960,
    heads: 12,
    languages: SEVENTEEN_LANGUAGES,
  }),
  'eight runs': syntheticComparison({ runs: SEVEN_OTHERS }),
  'five regimes with seeds and groups': syntheticComparison({
    runs: ['base', 'cpt', 'sft', 'grpo', 'cpt+grpo'],
    groups: SEEN_UNSEEN,
    seeds: 3,
  }),
  'a trajectory, 17 languages, by family': syntheticComparison({
    runs: [0, 500, 1000, 2000, 4000, 8000].map((step) => `base@step${step}`),
    steps: [0, 500, 1000, 2000, 4000, 8000],
    languages: SEVENTEEN_LANGUAGES,
    groups: [
      { name: 'Indo-European', languages: ['cs', 'de', 'en', 'es', 'fr', 'hi', 'it', 'pt-BR', 'ru'] },
      { name: 'Afro-Asiatic', languages: ['ar'] },
      { name: 'Sino-Tibetan (漢藏語系)', languages: ['zh-Hant'] },
    ],
  }),
  'one run': syntheticComparison({ runs: ['base'] }),
  'a mixture': syntheticComparison({ experts: 8 }),
  'a large mixture, 17 languages': syntheticComparison({
    layers: 28,
    experts: 128,
    languages: SEVENTEEN_LANGUAGES,
  }),
};
const small = CASES['two runs, 8 languages, 8 layers'];
const regimes = CASES['five regimes with seeds and groups'];
const mixture = CASES['a mixture'];
const trained = CASES['a trajectory, 17 languages, by family'];

describe.each(Object.entries(CASES))('figures of %s', (_, comparison) => {
  const figures = buildFigures(comparison).filter(isPresent);

  test.each(figures.map((figure) => [figure.name, figure] as const))(
    '%s compiles without a warning',
    (_name, figure) => {
      const said: string[] = [];
      const say = (...words: unknown[]) => {
        said.push(words.join(' '));
        return logger;
      };
      const logger = { level: () => logger, error: say, warn: say, info: () => logger, debug: () => logger };
      compile(withTitle(figure).spec, { logger: logger as never });
      expect(said).toEqual([]);
    },
  );

  test.each(figures.map((figure) => [figure.name, figure] as const))(
    '%s draws no coordinate that is not a number',
    async (_name, figure) => {
      const [svg = ''] = await renderSvgs([withTitle(figure)]);
      expect(svg.replace(/>[^<]*</g, '><')).not.toMatch(/NaN|undefined|Infinity/);
    },
  );
});

describe('a figure has one mark for each number', () => {
  const figures = new Map(buildFigures(small).map((figure) => [figure.name, figure as Figure]));
  const draw = async (name: Figure['name']) => (await renderSvgs([figures.get(name)!]))[0]!;
  const marks = (svg: string, kind: string) =>
    [...svg.matchAll(new RegExp(`<g class="mark-${kind} role-mark[^>]*(?<!/)>(.*?)</g>`, 'gs'))]
      .map((group) => (group[1]!.match(/<(path|text)[ >]/g) ?? []).length)
      .reduce((sum, n) => sum + n, 0);
  const [runs, languages, layers, heads] = [2, 8, 8, 6];

  test('specialized-neurons: run × language × layer', async () => {
    expect(marks(await draw('specialized-neurons'), 'symbol')).toBe(runs * languages * layers);
  });

  test('entropy-distribution: a line a run, twice, and the cut twice', async () => {
    const svg = await draw('entropy-distribution');
    expect(marks(svg, 'line')).toBe(2 * runs);
    expect(svg.match(/<g class="mark-rule role-mark/g)).toHaveLength(2);
  });

  test('depth-profile: run × layer', async () => {
    expect(marks(await draw('depth-profile'), 'symbol')).toBe(runs * layers);
  });

  test('reallocation: every pair of languages, gained and lost, but no "neither"', async () => {
    expect(marks(await draw('reallocation'), 'rect')).toBe((languages + 1) ** 2 - 1);
  });

  test('head-map: layer × head, before, after and difference', async () => {
    expect(marks(await draw('head-map'), 'rect')).toBe(3 * layers * heads);
  });

  test('forest: a verdict for every headline of neurons, a floor for every one that was measured', async () => {
    const headlines = small.units[0]!.headlines;
    const svg = await draw('forest');
    for (const verdict of new Set(headlines.map((headline) => headline.verdict))) {
      const shown = svg.match(new RegExp(`>${verdict}<`, 'g')) ?? [];
      expect(shown).toHaveLength(headlines.filter((headline) => headline.verdict === verdict).length);
    }
    expect(marks(svg, 'rect')).toBe(headlines.filter(({ across }) => across !== null).length);
  });

  const draw5 = async (name: Figure['name']) => {
    const figure = buildFigures(regimes).find((one) => one.name === name) as Figure;
    return (await renderSvgs([figure]))[0]!;
  };
  const neurons = regimes.units[0]!;

  test('regimes: a cell for every pair of runs and every measure, a frame for those with a seed floor', async () => {
    const shown = regimes.units
      .flatMap(({ headlines }) => headlines)
      .filter(
        ({ group, type, measure }) => group === null && (type === 'neuron' || measure.startsWith('mean')),
      )
      .filter(({ type, measure }) => type === 'neuron' || measure !== 'meanDepth');
    const framed = shown.filter(({ seeds }) => seeds.verdict !== 'not measured');
    expect(framed.length).toBeGreaterThan(0);
    expect(marks(await draw5('regimes'), 'rect')).toBe(shown.length + framed.length);
  });

  test('groups: a point for every measured change against the reference, in all languages and in each group', async () => {
    const shown = neurons.headlines.filter(({ from, change }) => from === 'base' && change.value !== null);
    expect(new Set(shown.map(({ group }) => group))).toEqual(new Set([null, 'seen', 'unseen']));
    expect(marks(await draw5('groups'), 'symbol')).toBe(shown.length);
  });

  test('contrasts: both verdicts of every row, a floor for each that was measured', async () => {
    const shown = neurons.contrasts.filter(({ from, to }) => from === 'cpt' && to === 'sft');
    const seeded = shown.filter(({ seeds }) => seeds.verdict !== 'not measured');
    const sampled = shown.filter(({ verdict }) => verdict !== 'not measured');
    const svg = await draw5('contrasts');
    expect(marks(svg, 'rect')).toBe(sampled.length + seeded.length);
    const said = svg.match(/>not distinguishable from training seeds</g) ?? [];
    expect(said).toHaveLength(seeded.filter(({ seeds }) => seeds.verdict !== 'changed').length);
  });

  test('head-overlap: language × language, before, after and difference, by norm and by contrast', async () => {
    expect(marks(await draw('head-overlap'), 'rect')).toBe(2 * 3 * languages ** 2);
  });

  test('alignment: a point for each run, layer and measure, and one for each change against the reference', async () => {
    const svg = await draw('alignment');
    expect(marks(svg, 'symbol')).toBe(2 * layers * (runs + runs - 1));
    const changed = small.alignment!.changes.filter(
      ({ layer, group, verdict }) => layer !== null && group === null && verdict !== 'changed',
    );
    expect(changed.length).toBeGreaterThan(0);
    expect(svg.match(/fill="white" stroke="#d55e00"/g)).toHaveLength(changed.length);
  });

  test('expert-map: layer with experts × expert, twice, and a frame around each whose foremost language is another', async () => {
    const { expertMaps } = mixture;
    const figure = buildFigures(mixture).find(({ name }) => name === 'expert-map') as Figure;
    const [before, after] = expertMaps.map(({ topLanguage }) => topLanguage.flat());
    const moved = after!.filter((top, i) => top !== null && top !== before![i]).length;
    expect(moved).toBeGreaterThan(0);
    const svg = (await renderSvgs([figure]))[0]!;
    expect(marks(svg, 'rect')).toBe(2 * (layers - 1) * 8 + moved);
    expect(marks(svg, 'text')).toBe(2 * (layers - 1) * 8);
    expect(figure.caption).toContain(`${moved} experts with another foremost language`);
    expect(figure.caption).toContain('never chosen (base: 1 expert and sft: 1 expert)');
  });

  test('heads and experts are numbered by powers of two, as many as there is room for', () => {
    expect(unitTicks(8, 20)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(unitTicks(128, 16.4)).toEqual(Array.from({ length: 16 }, (_, i) => 8 * i));
    expect(unitTicks(28, 10)).toEqual([0, 4, 8, 12, 16, 20, 24]);
    expect(unitTicks(5, 0.3)).toEqual([0]);
  });

  test('a dense model has no figures of experts', () => {
    const names = buildFigures(small).map(({ name }) => name);
    expect(names).not.toContain('expert-map');
    expect(names).not.toContain('forest-experts');
  });

  test('trajectory: a point a step, measure and group', async () => {
    const figure = buildFigures(trained).find(({ name }) => name === 'trajectory') as Figure;
    // Of alignment, the mean over layers.
    const aligned = trained.alignment!.trends.filter(({ layer }) => layer === null);
    const points = [...trained.units[0]!.trends, ...aligned].flatMap((trend) =>
      trend.points.filter(({ value }) => value.value !== null),
    );
    expect(marks((await renderSvgs([figure]))[0]!, 'symbol')).toBe(points.length);
  });
});

describe('words of a figure', () => {
  test('a verdict in a caption is the comparison’s', () => {
    for (const comparison of Object.values(CASES)) {
      for (const figure of buildFigures(comparison).filter(isPresent)) {
        for (const word of [
          'improved',
          'significant',
          'better',
          'worse',
          'proves',
          'no effect',
          'unchanged',
        ]) {
          expect(figure.caption).not.toContain(word);
        }
        if (comparison.runs.length > 1) {
          expect(figure.caption).toMatch(/changed|not distinguishable from sampling|not measured/);
        } else {
          expect(figure.caption).not.toMatch(/ changed[ .;]/);
        }
      }
    }
  });

  test('one run: figures of change say that they need two', () => {
    const absent = buildFigures(CASES['one run']).filter((figure) => !isPresent(figure));
    expect(absent.map(({ name }) => name)).toEqual([
      'forest',
      'forest-heads',
      'regimes',
      'groups',
      'contrasts',
      'trajectory',
      'reallocation',
    ]);
    for (const figure of absent)
      expect(figure).toHaveProperty('reason', expect.stringMatching(/^not measured: /));
  });

  test('a title names the runs, a subtitle the models, the probe set, items, languages and tokens', () => {
    for (const figure of buildFigures(small).filter(isPresent)) {
      expect(figure.title).toContain('base → sft');
      for (const part of ['demo-base', 'demo-sft', 'facts 1.0.0', '640 items', '8 languages', 'tokens']) {
        expect(figure.subtitle).toContain(part);
      }
    }
  });

  test('a head map without ω² shows entropies, and says so', () => {
    const headMaps = small.headMaps.map((map) => ({
      ...map,
      omega2Language: map.omega2Language.map((row) => row.map(() => null)),
    }));
    const figure = buildFigures({ ...small, headMaps }).find(({ name }) => name === 'head-map')!;
    expect(figure.title).toContain('Language entropy (LAPE)');
    expect(figure).toHaveProperty('caption', expect.stringContaining('ω² is not measured'));
  });

  test('runs without the residual stream say so, and how to record it', () => {
    const figures = buildFigures({ ...small, alignment: null });
    expect(figures.find(({ name }) => name === 'alignment')).toHaveProperty(
      'reason',
      expect.stringMatching(/^not measured: .*--hooks hook_resid_post --keep items/),
    );
  });

  test('a head map without values and a run without a cut say so instead of drawing zeros', () => {
    const none = small.headMaps.map((map) => ({
      ...map,
      omega2Language: map.omega2Language.map((row) => row.map(() => null)),
      lape: map.lape.map((row) => row.map(() => null)),
    }));
    const uncut = small.units.map((unit) => ({
      ...unit,
      policy: { entropyCut: null, bar: null, fraction: 0.01 },
    }));
    const figures = buildFigures({ ...small, headMaps: none, units: uncut });
    expect(figures.find(({ name }) => name === 'head-map')).toHaveProperty('reason');
    expect(figures.find(({ name }) => name === 'entropy-distribution')).toHaveProperty('spec');
  });
});

/** Figures that two runs without groups have no numbers for. */
function onlyIn(comparison: typeof small) {
  const ofSmall = new Set(
    buildFigures(small)
      .filter(isPresent)
      .map(({ name }) => name),
  );
  const wanted = new Map([
    [regimes, ['regimes', 'groups', 'contrasts']],
    [trained, ['trajectory']],
    [mixture, ['forest-experts', 'expert-map']],
  ]).get(comparison)!;
  return buildFigures(comparison).filter(({ name }) => !ofSmall.has(name) && wanted.includes(name));
}

describe('rendering', () => {
  const broken = (expression: string) => ({
    name: 'broken',
    spec: specification({
      data: { values: [{ a: null }] },
      transform: [{ calculate: expression, as: 'b' }],
      mark: 'point',
      encoding: { x: { field: 'b', type: 'quantitative' } },
    }),
  });

  test.each([
    ['while it is evaluated', 'datum.a.b', /Cannot read properties of null/],
    ['while it is compiled', 'datum.a +', /Unexpected end of input|ILLEGAL|unexpected/i],
  ])('a figure that fails %s is an error that names it, not an empty figure', async (_, expression, why) => {
    const [sound] = buildFigures(small).filter(isPresent);
    const drawn = renderSvgs([sound!, broken(expression)]);
    await expect(drawn).rejects.toThrow(BabelscopeError);
    await expect(drawn).rejects.toThrow(/^figure broken: a figure cannot be drawn: /);
    await expect(drawn).rejects.toThrow(why);
    // The next one is drawn as ever.
    expect(await renderSvgs([sound!])).toEqual([expect.stringContaining('<svg')]);
  });

  test('the same comparison gives the same bytes, whatever was drawn before', async () => {
    const specs = () => buildFigures(syntheticComparison()).filter(isPresent).map(withTitle);
    const [once, again] = await Promise.all([renderSvgs(specs()), renderSvgs(specs())]);
    expect(again).toEqual(once);
  });

  // The snapshots are the gallery: look at them when they change (vitest -u writes them).
  test.each(
    [...buildFigures(small), ...onlyIn(regimes), ...onlyIn(trained), ...onlyIn(mixture)]
      .filter(isPresent)
      .map((figure) => [figure.name, figure] as const),
  )('%s is drawn as in test/fixtures/report', async (name, figure) => {
    const [svg = ''] = await renderSvgs([withTitle(figure)]);
    await expect(`${svg.replaceAll('><', '>\n<')}\n`).toMatchFileSnapshot(`../fixtures/report/${name}.svg`);
  });

  test('permuting languages permutes the panels and nothing else', async () => {
    const order = [...EIGHT_LANGUAGES.keys()].reverse();
    const permuted = {
      ...small,
      languages: order.map((k) => small.languages[k]!),
      units: small.units.map((unit) => ({
        ...unit,
        profiles: unit.profiles.map((profile) => ({
          ...profile,
          counts: profile.counts.map((row) => order.map((k) => row[k]!)),
        })),
      })),
    };
    const panels = (comparison: typeof small) => {
      const figure = buildFigures(comparison).find(({ name }) => name === 'specialized-neurons') as Figure;
      const { data } = figure.spec as unknown as { data: { values: { panel: string; selected: number }[] } };
      return data.values.map(({ panel, selected }) => `${panel} ${selected}`).sort();
    };
    expect(panels(permuted as typeof small)).toEqual(panels(small));
  });
});
