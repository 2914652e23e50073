import { describe, expect, test } from 'vitest';
import {
  againstReference,
  type Comparison,
  FINDINGS,
  type Finding,
  headlineChanges,
  type Measure,
  rowsOf,
} from '../../src/compare/index.js';
import { type Figure, isPresent } from '../../src/report/figures/figure.js';
import { buildFigures, type FigureName, figure } from '../../src/report/figures/list.js';
import { list } from '../../src/report/words/text.js';
import type { UnitType } from '../../src/store/index.js';
import { SEEN_UNSEEN, syntheticComparison } from '../support/synthetic-comparison.js';
import { CASES, figuresOf, small, trained } from './cases.js';

describe('words of a figure', () => {
  test('a caption has no finding of its own making', () => {
    for (const comparison of Object.values(CASES)) {
      for (const figure of figuresOf(comparison).filter(isPresent)) {
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
        if (comparison.runs.length === 1) expect(figure.caption).not.toMatch(/ changed[ .;]/);
      }
    }
  });

  test('one run: figures of change say that they need two', () => {
    const absent = figuresOf(CASES['one run']).filter((figure) => !isPresent(figure));
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
    for (const figure of figuresOf(small).filter(isPresent)) {
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

/** Findings at random, so that none can be taken for another's. The multiplier and the modulus are those of Park & Miller (1988). */
function mixed(comparison: Comparison): Comparison {
  let state = 1;
  const next = <Test extends { readonly finding: Finding; readonly adjusted: number | null }>(
    test: Test,
  ): Test => {
    state = (state * 48_271) % 2_147_483_647;
    return {
      ...test,
      finding: FINDINGS[state % FINDINGS.length]!,
      adjusted: 0.5,
      margin: null,
      detectable: null,
    };
  };
  return {
    ...comparison,
    changes: comparison.changes.map((change) => ({ ...change, test: next(change.test) })),
    contrasts: comparison.contrasts.map((contrast) => ({ ...contrast, test: next(contrast.test) })),
  };
}

/** In a caption, after the words that a regular expression ends in, the finding of each run. */
function findingsAfter(caption: string, before: RegExp): string[] {
  const finding = /^(changed|unchanged|undecided|not measured)/;
  return [...caption.matchAll(before)].map((match) => {
    const rest = caption.slice(match.index + match[0].length);
    return finding.exec(rest)?.[1] ?? rest.slice(0, 60);
  });
}

describe('the findings in a caption are those of the comparison', () => {
  const runs = mixed(
    syntheticComparison({ runs: ['base', 'cpt', 'sft', 'grpo', 'dpo'], groups: SEEN_UNSEEN, experts: 8 }),
  );
  const others = ['cpt', 'sft', 'grpo', 'dpo'];
  const captionOf = (name: FigureName, comparison = runs) => (figure(comparison, name) as Figure).caption;
  const headlinesOf = (type: UnitType) => againstReference(runs, type);
  const findingsOf = (type: UnitType, measure: Measure) =>
    others.map(
      (label) => headlinesOf(type).find((h) => h.measure === measure && h.to === label)!.test.finding,
    );
  const tally = (findings: readonly string[]) =>
    list(
      FINDINGS.map((finding) => [findings.filter((one) => one === finding).length, finding] as const)
        .filter(([n]) => n > 0)
        .map(([n, finding]) => `${n} ${finding}`),
    );

  test.each([
    [
      'specialized-neurons',
      'neuron',
      'selected',
      /(?<=with other items: .*)\b(cpt|sft|grpo|dpo): (?=.*Languages one by one)/g,
    ],
    ['entropy-distribution', 'neuron', 'mean_lape', /\b(cpt|sft|grpo|dpo): /g],
    ['depth-profile', 'neuron', 'depth_distance', /\b(cpt|sft|grpo|dpo): (D = \S+ at layer \d+, )?/g],
    ['reallocation', 'neuron', 'jaccard', /Overlap of the selected sets: /g],
    ['reallocation', 'neuron', 'language_kept', /languages kept: /g],
    ['head-map', 'head', 'mean_omega2_language', /Mean over heads, \S+ against base: /g],
    ['expert-map', 'expert', 'mean_lape', /mean entropy of experts: /g],
  ] as const)('%s: of each run, of its %ss, %s', (name, type, measure, before) => {
    const expected = findingsOf(type, measure);
    expect(new Set(expected).size).toBeGreaterThan(1);
    expect(findingsAfter(captionOf(name), before)).toEqual(expected);
  });

  test('specialized-neurons: of each run, each language', () => {
    const tags = runs.languages.map(({ tag }) => tag);
    const selected = rowsOf(runs.changes, { type: 'neuron', measure: 'selected', from: 'base' });
    for (const to of others) {
      const said = FINDINGS.flatMap((finding) => {
        const own = tags.filter((language) =>
          rowsOf(selected, { to, language }).some(({ test }) => test.finding === finding),
        );
        return own.length === 0 ? [] : [`${finding} in ${own.join(' ')}`];
      });
      expect(captionOf('specialized-neurons')).toContain(`${to}: ${said.join(', ')}.`);
    }
  });

  test('head-overlap: of each run, by norm and by contrast', () => {
    const measures = ['head_overlap', 'head_overlap_contrast'] as const;
    const changes = runs.changes.flatMap((h) =>
      h.measure === 'mean_lape' && h.layer === null
        ? [
            h,
            ...measures.map((measure, i) => ({
              ...h,
              measure,
              test: { ...h.test, finding: FINDINGS[(i + others.indexOf(h.to)) % 2]! },
            })),
          ]
        : [h],
    );
    const caption = captionOf('head-overlap', { ...runs, changes });
    const turns = (i: number) => others.map((_, r) => FINDINGS[(i + r) % 2]);
    expect(findingsAfter(caption, /against base: by norm [^ ,]+, /g)).toEqual(turns(0));
    expect(findingsAfter(caption, /by contrast [^ ,]+, /g)).toEqual(turns(1));
  });

  test('alignment: of each run both measures, and in how many layers alone', () => {
    const changes = rowsOf(runs.changes, { type: null, group: null, from: 'base' });
    const expected = others.flatMap((label) =>
      (['alignment_margin', 'alignment_mexa'] as const).map(
        (measure) =>
          changes.find((c) => c.to === label && c.measure === measure && c.layer === null)!.test.finding,
      ),
    );
    const caption = captionOf('alignment');
    const before = /(alignment of languages|items retrieved across languages) (?:[^(;]+\([^()]*\), )?/g;
    expect(findingsAfter(caption.slice(caption.indexOf('Mean over layers.')), before)).toEqual(expected);
    const layers = others.flatMap((label) =>
      (['alignment_margin', 'alignment_mexa'] as const)
        .filter(
          (measure) =>
            changes.find((c) => c.to === label && c.measure === measure && c.layer === null)!.test.finding !==
            'not measured',
        )
        .map(
          (measure) =>
            changes.filter(
              (c) =>
                c.to === label && c.measure === measure && c.layer !== null && c.test.finding === 'changed',
            ).length,
        ),
    );
    expect([...caption.matchAll(/changed in (\d+) of 8\)/g)].map(([, n]) => Number(n))).toEqual(layers);
  });

  test.each([
    ['forest', 'neuron'],
    ['forest-heads', 'head'],
    ['forest-experts', 'expert'],
  ] as const)('%s: how many of each', (name, type) => {
    const findings = headlinesOf(type).map(({ test }) => test.finding);
    expect(captionOf(name)).toContain(`Of ${findings.length} headline measures: ${tally(findings)}.`);
  });

  test('regimes: how many of each, of every two runs', () => {
    const all = runs.units
      .flatMap(({ type }) => headlineChanges(runs, type))
      .filter(({ group }) => group === null);
    const drawn = all.filter(({ type, measure }) =>
      all.some((h) => h.type === type && h.measure === measure && h.test.finding !== 'not measured'),
    );
    expect(captionOf('regimes')).toContain(
      `over all languages: ${tally(drawn.map(({ test }) => test.finding))}.`,
    );
  });

  test('groups: how many changed, of each group and run', () => {
    const headlines = headlineChanges(runs, 'neuron');
    for (const group of ['seen', 'unseen']) {
      const said = others.map((label) => {
        const own = headlines.filter(
          (h) =>
            h.group === group && h.from === 'base' && h.to === label && h.test.finding !== 'not measured',
        );
        return `${label} ${own.filter(({ test }) => test.finding === 'changed').length} of ${own.length}`;
      });
      expect(captionOf('groups')).toContain(`in ${group} languages: ${said.join(', ')}.`);
    }
  });

  test('contrasts: how many changed', () => {
    const drawn = rowsOf(runs.contrasts, { type: 'neuron' }).filter(
      ({ from, to, difference }) => from === 'cpt' && to === 'sft' && difference.value !== null,
    );
    const changed = drawn.filter(({ test }) => test.finding === 'changed').length;
    expect(captionOf('contrasts')).toContain(`Of ${drawn.length} rows ${changed} changed with other items`);
  });

  test('trajectory: the last checkpoint against the reference, and which trends of groups changed', () => {
    const checkpoints = mixed(trained);
    const caption = captionOf('trajectory', checkpoints);
    const last = 'base@step8000';
    const ofUnits = againstReference(checkpoints, 'neuron').filter(({ to }) => to === last);
    const aligned = againstReference(checkpoints, null).filter(({ to }) => to === last);
    const said = caption
      .slice(caption.lastIndexOf('with other items: ') + 'with other items: '.length, -1)
      .split('; ');
    expect(said.map((one) => FINDINGS.find((finding) => one.endsWith(` ${finding}`)))).toEqual(
      [...ofUnits, ...aligned].map(({ test }) => test.finding),
    );
    const trends = rowsOf(checkpoints.trends, { layer: null }).filter(
      ({ type }) => type === 'neuron' || type === null,
    );
    const changed = trends.filter(({ group, finding }) => group !== null && finding === 'changed');
    const others = trends.filter(({ group }) => group !== null).length - changed.length;
    const named = /In groups: changed (.*); (\d+) others/.exec(caption)!;
    expect(named[1]!.split('; ').map((one) => one.slice(one.indexOf(', ') + 2))).toEqual(
      changed.map(({ group }) => group),
    );
    expect(Number(named[2])).toBe(others);
  });
});
