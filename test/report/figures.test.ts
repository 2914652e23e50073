import { describe, expect, test } from 'vitest';
import { againstReference, type Comparison, rowsOf } from '../../src/compare/index.js';
import { unitTicks } from '../../src/report/drawing/cell-map.js';
import { renderSvgs, withTitle } from '../../src/report/drawing/render.js';
import { type Figure, isPresent } from '../../src/report/figures/figure.js';
import { type FigureName, figure } from '../../src/report/figures/list.js';
import { verdictBox } from '../../src/report/page/verdict-box.js';
import { buildTables } from '../../src/report/tables/tables.js';
import { alignmentView, unitViews } from '../support/comparison-views.js';
import { CASES, figuresOf, LONG_LABELS, mixture, regimes, small, trained } from './cases.js';

/** Widest and highest figure that is readable on a page, in pixels. */
const PAGE = 1600;

describe.each(Object.entries(CASES))('figures of %s', (_, comparison) => {
  test.each(present(comparison))(
    '%s is drawn whole, on one page, without a warning',
    async (_name, drawn) => {
      const [svg = ''] = await renderSvgs([withTitle(drawn)]);
      expect(svg.replace(/>[^<]*</g, '><')).not.toMatch(/NaN|undefined|Infinity/);
      const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg)!;
      expect(Number(width)).toBeLessThan(PAGE);
      expect(Number(height)).toBeLessThan(PAGE);
      // With labels of a few letters nothing is cut.
      if (comparison === small || comparison === regimes || comparison === mixture) {
        expect([...svg.matchAll(/<text[^>]*>([^<]*…[^<]*)</g)].map(([, text]) => text)).toEqual([]);
      }
    },
  );
});

function present(comparison: typeof small) {
  return figuresOf(comparison)
    .filter(isPresent)
    .map((figure) => [figure.name, figure] as const);
}

describe('a figure has one mark for each number', () => {
  const figures = new Map(figuresOf(small).map((figure) => [figure.name, figure as Figure]));
  const draw = async (name: FigureName) => (await renderSvgs([figures.get(name)!]))[0]!;
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

  test('unit-languages: run × number of languages, and the share that belongs to one alone', async () => {
    const { profiles } = small.units[0]!;
    expect(marks(await draw('unit-languages'), 'symbol')).toBe(runs * languages);
    const alone = profiles.map(
      ({ label, selected, multiplicity: [own] }) => `${label} ${own} of ${selected} (`,
    );
    for (const part of alone) expect(figures.get('unit-languages')!.caption).toContain(part);
  });

  test('head-map: layer × head, before, after and difference', async () => {
    expect(marks(await draw('head-map'), 'rect')).toBe(3 * layers * heads);
  });

  test('forest: a finding for every headline of neurons, a floor for every one that was measured', async () => {
    const headlines = againstReference(small, 'neuron');
    const svg = await draw('forest');
    for (const finding of new Set(headlines.map(({ test }) => test.finding))) {
      const shown = svg.match(new RegExp(`>${finding}<`, 'g')) ?? [];
      expect(shown).toHaveLength(headlines.filter(({ test }) => test.finding === finding).length);
    }
    expect(marks(svg, 'rect')).toBe(headlines.filter(({ across }) => across !== null).length);
  });

  const draw5 = async (name: FigureName) => {
    const figure = figuresOf(regimes).find((one) => one.name === name) as Figure;
    return (await renderSvgs([figure]))[0]!;
  };
  const [neurons] = unitViews(regimes);

  test('regimes: a cell for every pair of runs and every measure, a frame for those whose seeds were tested', async () => {
    const shown = unitViews(regimes)
      .flatMap(({ headlines }) => headlines)
      .filter(
        ({ group, type, measure }) => group === null && (type === 'neuron' || measure.startsWith('mean')),
      )
      .filter(({ type, measure }) => type === 'neuron' || measure !== 'mean_depth');
    const framed = shown.filter(({ seeds }) => seeds.test.finding !== 'not measured');
    expect(framed.length).toBeGreaterThan(0);
    expect(marks(await draw5('regimes'), 'rect')).toBe(shown.length + framed.length);
  });

  test('groups: a point for every measured change against the reference, in all languages and in each group', async () => {
    const shown = neurons!.headlines.filter(({ from, change }) => from === 'base' && change.value !== null);
    expect(new Set(shown.map(({ group }) => group))).toEqual(new Set([null, 'seen', 'unseen']));
    expect(marks(await draw5('groups'), 'symbol')).toBe(shown.length);
  });

  test('contrasts: both findings of every row, a floor for each that was measured', async () => {
    const shown = neurons!.contrasts.filter(({ from, to }) => from === 'cpt' && to === 'sft');
    const seeded = shown.filter(({ seeds }) => seeds.test.finding !== 'not measured');
    const sampled = shown.filter(({ test }) => test.finding !== 'not measured');
    const svg = await draw5('contrasts');
    expect(marks(svg, 'rect')).toBe(sampled.length + seeded.length);
    const said = svg.match(/>undecided</g) ?? [];
    const undecided = [...sampled.map(({ test }) => test), ...seeded.map(({ seeds }) => seeds.test)].filter(
      ({ finding }) => finding === 'undecided',
    );
    expect(undecided.length).toBeGreaterThan(0);
    expect(said).toHaveLength(undecided.length);
  });

  test('head-overlap: language × language, before, after and difference, by norm and by contrast', async () => {
    expect(marks(await draw('head-overlap'), 'rect')).toBe(2 * 3 * languages ** 2);
  });

  test('alignment: a point for each run, layer and measure, and one for each change against the reference', async () => {
    const svg = await draw('alignment');
    expect(marks(svg, 'symbol')).toBe(2 * layers * (runs + runs - 1));
    const changed = alignmentView(small).changes.filter(
      ({ layer, group, test }) => layer !== null && group === null && test.finding !== 'changed',
    );
    expect(changed.length).toBeGreaterThan(0);
    expect(svg.match(/fill="white" stroke="#d55e00"/g)).toHaveLength(changed.length);
  });

  test('expert-map: layer with experts × expert, twice, and a frame around each whose foremost language is another', async () => {
    const { expertMaps } = mixture;
    const figure = figuresOf(mixture).find(({ name }) => name === 'expert-map') as Figure;
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
    const names = figuresOf(small).map(({ name }) => name);
    expect(names).not.toContain('expert-map');
    expect(names).not.toContain('forest-experts');
  });

  test('trajectory: a point a step, measure and group', async () => {
    const figure = figuresOf(trained).find(({ name }) => name === 'trajectory') as Figure;
    // Of alignment, the mean over layers.
    const shown = rowsOf(trained.trends, { layer: null }).filter(
      ({ type }) => type === 'neuron' || type === null,
    );
    const points = shown.flatMap((trend) => trend.points.filter(({ value }) => value.value !== null));
    expect(marks((await renderSvgs([figure]))[0]!, 'symbol')).toBe(points.length);
  });
});

describe('a figure of nine runs', () => {
  const comparison = CASES['nine runs of a large mixture, 17 languages, by family'];
  test('says in its caption what it leaves to the tables', () => {
    for (const name of ['forest', 'regimes', 'groups', 'contrasts'] as const) {
      expect(figuresOf(comparison).find((one) => one.name === name)).toHaveProperty(
        'caption',
        expect.stringMatching(/in the table|to the table/),
      );
    }
    for (const name of ['head-map', 'head-overlap'] as const) {
      expect(figuresOf(comparison).find((one) => one.name === name)).toHaveProperty(
        'caption',
        expect.stringContaining('the differences alone'),
      );
    }
  });

  test.each(['forest', 'regimes', 'groups'] as const)(
    '%s tells runs apart whose labels begin alike',
    async (name) => {
      const drawn = figure(CASES['nine runs with long labels'], name) as Figure;
      const [svg = ''] = await renderSvgs([withTitle(drawn)]);
      const texts = new Set([...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text!));
      for (const label of LONG_LABELS.slice(1)) {
        const step = /@?step\d+$|base$/.exec(label)![0];
        const own = [...texts].filter(
          (text) => text.endsWith(step) && (text.includes('…') || text === label),
        );
        const alike = LONG_LABELS.slice(1).filter((other) => other.endsWith(step)).length;
        expect(own.length, `${label}: ${own.join(', ')}`).toBeGreaterThanOrEqual(alike);
      }
    },
  );
});

test('a specification has whole labels as its categories: only what is displayed is short', () => {
  const drawn = figure(CASES['nine runs with long labels'], 'regimes') as Figure;
  const { concat } = drawn.spec as unknown as {
    concat: { data: { values: { from: string; to: string }[] } }[];
  };
  const pairs = concat[0]!.data.values.map(({ from, to }) => [from, to]);
  expect(pairs).toEqual(
    LONG_LABELS.flatMap((from, a) => LONG_LABELS.slice(a + 1).map((to) => [from, to])).sort(byPlace),
  );
});

function byPlace([a, b]: readonly string[], [c, d]: readonly string[]): number {
  const at = (label: string | undefined) => LONG_LABELS.indexOf(label!);
  return at(a) - at(c) || at(b) - at(d);
}

test('regimes of runs of which nothing is measured are absent, with a sentence, and no heading over nothing', () => {
  const nothing = {
    ...regimes,
    changes: regimes.changes.map((change) => ({
      ...change,
      test: { ...change.test, finding: 'not measured' as const },
    })),
  };
  expect(figure(nothing, 'regimes')).toEqual({
    name: 'regimes',
    title: expect.stringContaining('Every two of 5 runs'),
    reason: expect.stringMatching(/^not measured: /),
  });
});

test('an axis that is a square root says so', () => {
  const steep = (factor: number) => ({
    ...small,
    units: small.units.map((unit) => ({
      ...unit,
      profiles: unit.profiles.map((profile) => ({
        ...profile,
        counts: profile.counts.map((row) => row.map((n, k) => (k === 0 ? factor * n : n))),
      })),
    })),
  });
  const axisOf = (comparison: typeof small) =>
    JSON.stringify((figure(comparison, 'specialized-neurons') as Figure).spec);
  expect(axisOf(steep(1))).not.toContain('square root');
  expect(axisOf(steep(1))).toContain('"type":"linear"');
  expect(axisOf(steep(100))).toContain('"title":["neurons","(square root)"]');
  expect(axisOf(steep(100))).toContain('"type":"sqrt"');
});

describe('nothing is drawn or headed where the reference selects no unit', () => {
  const unselected = {
    ...regimes,
    units: regimes.units.map((units) => ({ ...units, policy: { ...units.policy, entropyCut: null } })),
  };

  test.each(['specialized-neurons', 'reallocation'] as const)('%s says so instead', (name) => {
    expect(figure(regimes, name)).toHaveProperty('spec');
    expect(figure(unselected, name)).toMatchObject({
      reason: 'not measured: the reference, base, selects no neurons',
    });
  });

  test('there is no table of the languages that a selected unit belongs to', () => {
    const names = (comparison: Comparison) => buildTables(comparison).map(({ name }) => name);
    expect(names(regimes)).toContain('multiplicity');
    expect(names(unselected)).not.toContain('multiplicity');
  });

  test('a difference in differences without any number has no heading', () => {
    const none = { value: null, low: null, high: null };
    const [first] = regimes.contrasts;
    const pair = `${first!.to} − ${first!.from}`;
    const without = {
      ...regimes,
      contrasts: regimes.contrasts.map((contrast) =>
        `${contrast.to} − ${contrast.from}` === pair ? { ...contrast, difference: none } : contrast,
      ),
    };
    const heading = `<h3>Difference in differences: ${pair},`;
    expect(verdictBox(regimes)).toContain(heading);
    expect(verdictBox(without)).not.toContain(heading);
    expect(verdictBox(without)).toContain('<h3>Difference in differences: ');
  });
});
