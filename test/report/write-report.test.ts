import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Comparison,
  headlineChanges,
  type QuantityKey,
  type RowFilter,
  rowsOf,
} from '../../src/compare/index.js';
import { BabelscopeError, OutputError } from '../../src/errors.js';
import { buildFigures, isPresent, writeReport } from '../../src/report/index.js';
import { buildPage } from '../../src/report/page/page.js';
import { SEEN_UNSEEN, syntheticComparison } from '../support/synthetic-comparison.js';
import { sharedFolder } from '../support/temporary-folder.js';

/** Names of the figures that a comparison has numbers for. */
function namesOf(comparison: Comparison): string[] {
  return buildFigures(comparison)
    .filter(isPresent)
    .map(({ name }) => name);
}
const NAMES = namesOf(syntheticComparison());
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'babelscope-report-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a report of two runs', () => {
  const shared = sharedFolder();
  const out = join(shared, 'deep', 'er');
  let files: readonly string[];
  beforeAll(async () => {
    files = (await writeReport(syntheticComparison(), out)).files;
  });

  test('is the page, each figure as SVG and PNG, and the tables, and says where', async () => {
    expect(files.map((file) => relative(out, file))).toEqual([
      'report.html',
      ...NAMES.flatMap((name) => [`figures/${name}.svg`, `figures/${name}.png`]),
      'tables/headlines.csv',
      'tables/parts.csv',
      'tables/alignment-levels.csv',
      'tables/alignment-changes.csv',
      'tables/multiplicity.csv',
      'tables/tokens.csv',
      'tables/reliability.csv',
    ]);
    expect((await readdir(join(out, 'figures'))).sort()).toEqual(
      NAMES.flatMap((n) => [`${n}.png`, `${n}.svg`]).sort(),
    );
  });

  test('is the same bytes of the same comparison', async () => {
    const again = join(shared, 'again');
    await writeReport(syntheticComparison(), again);
    for (const file of files) {
      expect((await readFile(file)).equals(await readFile(join(again, relative(out, file)))), file).toBe(
        true,
      );
    }
  });

  test('has PNGs of twice the pixels of their SVGs, which are not blank', async () => {
    for (const name of NAMES) {
      const svg = await readFile(join(out, 'figures', `${name}.svg`), 'utf8');
      const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg)!;
      const image = sharp(join(out, 'figures', `${name}.png`));
      const size = await image.metadata();
      expect(Math.abs(size.width! - 2 * Number(width))).toBeLessThanOrEqual(1);
      expect(Math.abs(size.height! - 2 * Number(height))).toBeLessThanOrEqual(1);
      expect((await image.stats()).channels[0]!.stdev).toBeGreaterThan(5);
    }
  });
});

test('three runs or more have tables and figures of every pair, of groups and of differences in differences', async () => {
  const comparison = syntheticComparison({
    runs: ['base', 'sft', 'grpo'],
    groups: SEEN_UNSEEN,
    steps: [0, 1, 2],
    seeds: 3,
  });
  const { files } = await writeReport(comparison, folder, { formats: ['svg', 'csv'] });
  const names = files.map((file) => relative(folder, file));
  for (const name of ['regimes', 'groups', 'contrasts', 'trajectory']) {
    expect(names).toContain(`figures/${name}.svg`);
  }
  const rows = async (name: string) =>
    (await readFile(join(folder, 'tables', `${name}.csv`), 'utf8')).trim().split('\r\n').length - 1;
  const of = <Row extends QuantityKey>(list: readonly Row[], where: RowFilter<QuantityKey>) =>
    rowsOf<QuantityKey>(list, where).length;
  const { changes, contrasts, trends } = comparison;
  expect(await rows('alignment-contrasts')).toBe(of(contrasts, { type: null }));
  expect(await rows('alignment-trends')).toBe(of(trends, { type: null }));
  expect(await rows('headlines')).toBe(
    comparison.units.reduce((sum, { type }) => sum + headlineChanges(comparison, type).length, 0),
  );
  expect((await rows('headlines')) + (await rows('parts')) + (await rows('alignment-changes'))).toBe(
    changes.length,
  );
  expect(await rows('contrast-numbers')).toBe(contrasts.length - of(contrasts, { type: null }));
  expect(await rows('trends')).toBe(trends.length - of(trends, { type: null }));
});

test('formats: only what is asked for; one run has no figures of change', async () => {
  const { files } = await writeReport(syntheticComparison({ runs: ['base'] }), folder, { formats: ['svg'] });
  const ofChange = ['forest', 'forest-heads', 'reallocation'];
  expect(files.map((file) => relative(folder, file))).toEqual(
    NAMES.filter((name) => !ofChange.includes(name)).map((name) => `figures/${name}.svg`),
  );
});

test('a figure or table that this comparison has not, and an earlier one had, is removed; other formats are left', async () => {
  const regimes = syntheticComparison({ runs: ['base', 'sft', 'grpo'], steps: [0, 1, 2] });
  await writeReport(regimes, folder, { formats: ['svg', 'png', 'csv'] });
  const earlier = await readdir(join(folder, 'figures'));
  expect(earlier).toEqual(expect.arrayContaining(['trajectory.svg', 'trajectory.png', 'contrasts.svg']));
  const alone = await writeReport(syntheticComparison({ runs: ['base'] }), folder, {
    formats: ['svg', 'csv'],
  });
  const left = (await readdir(folder, { recursive: true })).filter((name) => /(svg|csv)$/.test(name));
  expect(left.sort()).toEqual(alone.files.map((file) => relative(folder, file)).sort());
  expect(await readdir(join(folder, 'figures'))).toContain('trajectory.png');
});

test('a folder that cannot be made is an OutputError, and nothing is left behind', async () => {
  await writeFile(join(folder, 'file'), '');
  await expect(writeReport(syntheticComparison(), join(folder, 'file', 'out'))).rejects.toThrow(OutputError);
  expect(await readdir(folder)).toEqual(['file']);
});

test('a build without the page’s script says which file is missing and how to get it', async () => {
  const comparison = syntheticComparison();
  const page = buildPage(comparison, buildFigures(comparison), join(folder, 'absent.js'));
  await expect(page).rejects.toThrow(BabelscopeError);
  await expect(page).rejects.toThrow(/absent\.js.*missing from this build[\s\S]*npm run build/);
});
