import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compareRuns } from '../../src/compare/compare-runs.js';
import { unitViews } from '../support/comparison-views.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';
import { sharedFolder } from '../support/temporary-folder.js';

// Slow because it compares runs over and over, each time drawn anew.

const folder = sharedFolder();
const at = (name: string) => join(folder, name);

test('where nothing changed a model run again with other tokens is called changed in at most 5 % of measures, over 20 seeds', async () => {
  let measured = 0;
  let changed = 0;
  for (let seed = 0; seed < 20; seed++) {
    const shared = { layers: 2, neurons: 150, items: 40, model: seed };
    await writeSyntheticRun(at('null-a'), { ...shared, noise: 1000 + seed });
    await writeSyntheticRun(at('null-b'), { ...shared, noise: 2000 + seed });
    const units = unitViews(
      await compareRuns([{ folder: at('null-a') }, { folder: at('null-b') }], {
        seed,
        fraction: 0.05,
      }),
    );
    for (const { verdict } of units.flatMap((unit) => unit.headlines)) {
      if (verdict !== 'not measured') measured++;
      if (verdict === 'changed') changed++;
    }
  }
  expect(measured).toBeGreaterThan(150);
  expect(changed / measured).toBeLessThanOrEqual(0.05);
});

test('where nothing changed at most 5 % of headlines, groups, contrasts and parts are called changed, over 8 seeds', async () => {
  let [measured, changed] = [0, 0];
  for (let seed = 0; seed < 8; seed++) {
    const shared = { layers: 2, neurons: 120, items: 40, model: seed };
    const names = ['null-a', 'null-b', 'null-c'];
    for (const [n, name] of names.entries()) {
      await writeSyntheticRun(at(name), { ...shared, noise: 1000 * (n + 1) + seed });
    }
    const comparison = await compareRuns(
      names.map((name) => ({ folder: at(name), label: name })),
      { seed, fraction: 0.05, groups: [{ name: 'two', languages: ['en', 'ja'] }] },
    );
    const verdicts = [...comparison.changes, ...comparison.contrasts];
    measured += verdicts.filter(({ verdict }) => verdict !== 'not measured').length;
    changed += verdicts.filter(({ verdict }) => verdict === 'changed').length;
  }
  expect(measured).toBeGreaterThan(800);
  expect(changed / measured).toBeLessThanOrEqual(0.05);
});
