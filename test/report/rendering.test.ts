import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BabelscopeError } from '../../src/errors.js';
import { renderSvgs, withTitle } from '../../src/report/drawing/render.js';
import { specification } from '../../src/report/drawing/specification.js';
import { type Figure, isPresent } from '../../src/report/figures/figure.js';
import { buildFigures } from '../../src/report/figures/list.js';
import { EIGHT_LANGUAGES, SEEN_UNSEEN, syntheticComparison } from '../support/synthetic-comparison.js';
import { figuresOf, mixture, regimes, small, trained } from './cases.js';

/** Figures that two runs without groups have no numbers for. */
function onlyIn(comparison: typeof small) {
  const ofSmall = new Set(
    figuresOf(small)
      .filter(isPresent)
      .map(({ name }) => name),
  );
  const wanted = new Map([
    [regimes, ['regimes', 'groups', 'contrasts']],
    [trained, ['trajectory']],
    [mixture, ['forest-experts', 'expert-map']],
  ]).get(comparison)!;
  return figuresOf(comparison).filter(({ name }) => !ofSmall.has(name) && wanted.includes(name));
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
    ['because none of its numbers is one', 'null', /Infinite extent/],
  ])('a figure that fails %s is an error that names it, not an empty figure', async (_, expression, why) => {
    const [sound] = figuresOf(small).filter(isPresent);
    const drawn = renderSvgs([sound!, broken(expression)]);
    await expect(drawn).rejects.toThrow(BabelscopeError);
    await expect(drawn).rejects.toThrow(/^figure broken: a figure cannot be drawn: /);
    await expect(drawn).rejects.toThrow(why);
    // The next one is drawn as ever.
    expect(await renderSvgs([sound!])).toEqual([expect.stringContaining('<svg')]);
  });

  test('a figure without a single mark is an error, not an empty figure', async () => {
    const x = { field: 'a', type: 'quantitative', scale: { domain: [0, 1] } };
    const spec = specification({ data: { values: [] }, mark: 'point', encoding: { x } });
    await expect(renderSvgs([{ name: 'empty', spec }])).rejects.toThrow(/^figure empty: .*no mark/);
  });

  // The snapshots are the gallery: look at them when they change (vitest -u writes them).
  test.each(
    [...figuresOf(small), ...onlyIn(regimes), ...onlyIn(trained), ...onlyIn(mixture)]
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

test('vega, vega-lite and sharp, which take a second to load, are loaded only to draw', () => {
  const folder = new URL('../../src/report/', import.meta.url);
  const files = readdirSync(folder, { recursive: true }).map(String);
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(new URL(file, folder), 'utf8');
    expect(text, file).not.toMatch(/^import (?!type )[^;]* from '(vega|vega-lite|sharp)'/m);
  }
});

describe('a comparison with holes is drawn around them, or the figure is absent with a sentence', () => {
  const none = { value: null, low: null, high: null };
  const full = syntheticComparison({
    runs: ['a', 'b', 'c'],
    steps: [0, 1, 2],
    groups: SEEN_UNSEEN,
    layers: 2,
    experts: 4,
  });
  const gone = <T extends object>(row: T) => ({
    ...row,
    change: none,
    withinFrom: null,
    withinTo: null,
    across: null,
    verdict: 'not measured' as const,
  });
  const nulls = (grid: readonly (readonly (number | null)[])[]) => grid.map((row) => row.map(() => null));

  test.each([
    ['one layer', syntheticComparison({ layers: 1, experts: 4 })],
    ['one language', syntheticComparison({ languages: EIGHT_LANGUAGES.slice(0, 1) })],
    ['one head', syntheticComparison({ heads: 1 })],
    [
      'no change of units',
      { ...full, changes: full.changes.map((row) => (row.type === null ? row : gone(row))) },
    ],
    [
      'no change of alignment',
      { ...full, changes: full.changes.map((row) => (row.type === null ? gone(row) : row)) },
    ],
    [
      'no level of alignment',
      {
        ...full,
        levels: full.levels.map((level) => (level.type === null ? { ...level, value: none } : level)),
      },
    ],
    [
      'nothing selected in other runs',
      {
        ...full,
        units: full.units.map((unit) => ({
          ...unit,
          profiles: unit.profiles.map((profile, r) =>
            r === 0 ? profile : { ...profile, selected: 0, cumulative: profile.cumulative.map(() => null) },
          ),
        })),
      },
    ],
    [
      'no cut',
      {
        ...full,
        units: full.units.map((unit) => ({
          ...unit,
          policy: { ...unit.policy, entropyCut: null, bar: null },
        })),
      },
    ],
    [
      'maps of one run alone',
      {
        ...full,
        headMaps: full.headMaps.map((map, r) =>
          r === 0 ? map : { ...map, omega2Language: nulls(map.omega2Language) },
        ),
        headOverlaps: full.headOverlaps.map((map) => ({ ...map, norm: nulls(map.norm) })),
      },
    ],
  ])('%s', async (_, comparison) => {
    for (const figure of buildFigures(comparison)) {
      if (isPresent(figure)) await renderSvgs([withTitle(figure)]);
      else expect(figure.reason).toMatch(/^not measured: /);
    }
  });
});
