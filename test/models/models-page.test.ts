import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkpointNames, PAGE, readParity, renderPage } from '../../scripts/models-page.js';
import { BLOCK_HOOKS, type BlockHook } from '../../src/hooks/points.js';
import { FAMILIES } from '../../src/models/choose-family.js';
import { openModel } from '../../src/models/open-model.js';
import { openFixture, TOLERANCE } from './fixture.js';

const REMEDY = 'stale: npm run make-models-page';

describe('what is said of supported models', () => {
  it('was measured on every checkpoint of the parity test, at every hook point', () => {
    const [head, ...rows] = readParity();
    expect(head, REMEDY).toEqual(['checkpoint', ...Object.keys(BLOCK_HOOKS), 'logits']);
    expect(
      rows.map(([name]) => name),
      REMEDY,
    ).toEqual(checkpointNames());
  });

  it('has a deviation within the tolerance of every hook point that a checkpoint has, and of no other', async () => {
    const [, ...rows] = readParity();
    for (const [name, ...cells] of rows) {
      const { checkpoint } = await openFixture(name!);
      const hooks = new Set(openModel(checkpoint).hooks.map(({ hook }) => hook));
      const has = [...Object.keys(BLOCK_HOOKS).map((hook) => hooks.has(hook as BlockHook)), true];
      expect(
        cells.map((cell) => cell !== '–'),
        `${name} ${REMEDY}`,
      ).toEqual(has);
      for (const cell of cells.filter((_, column) => has[column]))
        expect(Number(cell), name).toBeLessThanOrEqual(TOLERANCE);
    }
  });

  it('lists every family with a published example and a checkpoint', () => {
    const page = renderPage();
    for (const { name } of FAMILIES) {
      const rows = page.split('\n').filter((line) => line.startsWith(`| \`${name}\` |`));
      expect(rows.length, name).toBeGreaterThanOrEqual(2);
      expect(rows[0]).toMatch(/\(\d[\d,]+\)/);
    }
  });

  it('is what docs/models.md says', () => {
    expect(readFileSync(PAGE, 'utf8'), REMEDY).toBe(renderPage());
  });
});
