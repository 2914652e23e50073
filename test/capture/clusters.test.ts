import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { capture } from '../../src/capture/index.js';
import { clusterings, dealClusters } from '../../src/capture/plan/clusters.js';
import { distinctContexts } from '../../src/capture/prompts/contexts.js';
import { UsageError } from '../../src/errors.js';
import { loadProbes } from '../../src/probes/index.js';
import { Random } from '../../src/stats/index.js';
import { openRun } from '../../src/store/index.js';
import { TINY_PROBES, temporaryFolder, tinyCheckpoint } from '../support/tiny-checkpoint.js';

/** The tiny set, whose rows `change` may alter; with as many rows as it returns. */
function tinySet(change: (rows: Record<string, unknown>[]) => Record<string, unknown>[]): string {
  const folder = temporaryFolder();
  const read = (name: string) => readFileSync(join(TINY_PROBES, name), 'utf8');
  writeFileSync(join(folder, 'probe.json'), read('probe.json'));
  const rows = read('items.jsonl')
    .trim()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line));
  writeFileSync(
    join(folder, 'items.jsonl'),
    change(rows)
      .map((row) => JSON.stringify(row))
      .join('\n'),
  );
  return folder;
}

const inRelations = () =>
  tinySet((rows) =>
    rows.map((row, i) => (i === 0 ? row : { ...row, clusters: { relation: `r${i % 6}`, source: 'one' } })),
  );

const options = (probes: string) => ({
  checkpoint: tinyCheckpoint(),
  probes,
  out: join(temporaryFolder(), 'run'),
  threads: 1,
});

test('clusters that a probe set names are in the manifest, item by item, and its plan is another without them', async () => {
  const { manifest, folder } = await capture(options(inRelations()));
  const { plan } = (await openRun(folder)).manifest;
  const relation = plan.clusters!.find(({ by }) => by === 'relation')!;
  expect(plan.clusters!.map(({ by }) => by)).toEqual(['relation', 'source']);
  expect(relation.of[0]).toBeNull();
  expect(relation.of.map((cluster) => (cluster === null ? null : relation.names[cluster]))).toEqual(
    plan.items.map((_, i) => (i === 0 ? null : `r${i % 6}`)),
  );
  expect(plan.foldsBy).toBeUndefined();
  const { planSha256 } = (await capture(options(TINY_PROBES))).manifest;
  expect(planSha256).not.toBe(manifest.planSha256);
});

test('with foldsBy no cluster lies in two folds, and the manifest and its warnings say so', async () => {
  const { manifest } = await capture({ ...options(inRelations()), foldsBy: 'relation' });
  const { plan } = manifest;
  expect(plan.foldsBy).toBe('relation');
  // Six relations, and an item by itself.
  expect(plan.folds).toBe(7);
  const { of } = plan.clusters!.find(({ by }) => by === 'relation')!;
  const folds = new Map<number | null, Set<number>>();
  for (const [i, { fold }] of plan.items.entries())
    folds.set(of[i]!, (folds.get(of[i]!) ?? new Set()).add(fold));
  expect([...folds.values()].map(({ size }) => size)).toEqual([...folds.values()].map(() => 1));
  expect(manifest.warnings.join()).toMatch(/only 7 clusters by relation: 7 folds/);
});

test('foldsBy names what the probe set has, or is refused with what it has', async () => {
  const refused = capture({ ...options(inRelations()), foldsBy: 'template' });
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(/relation, source/);
  await expect(capture({ ...options(TINY_PROBES), foldsBy: 'relation' })).rejects.toThrow(
    /items with a field/,
  );
});

test('clusters are dealt whole, into folds as even as they allow, whatever the order of items', () => {
  const items = Array.from({ length: 300 }, (_, i) => ({
    id: `i${i}`,
    clusters: { document: `d${(i * i) % 47}` },
  }));
  const probes = items.map((item) => ({ ...item, prompts: new Map(), meta: {} }));
  const { folds, foldOf } = dealClusters(items, clusterings(probes)[0]!, 3);
  expect(folds).toBe(20);
  const sizes = Array.from(
    { length: folds },
    (_, fold) => [...foldOf.values()].filter((own) => own === fold).length,
  );
  expect(sizes.reduce((a, b) => a + b)).toBe(300);
  const largest = Math.max(
    ...clusterings(probes)[0]!.names.map(
      (_, c) => clusterings(probes)[0]!.of.filter((of) => of === c).length,
    ),
  );
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(largest);
  const back = [...probes].reverse();
  const again = dealClusters(back, clusterings(back)[0]!, 3).foldOf;
  expect(items.map(({ id }) => again.get(id))).toEqual(items.map(({ id }) => foldOf.get(id)));
});

describe('the built-in sets', () => {
  it('name their clusters', async () => {
    const clusters = async (name: string) => {
      const { items } = await loadProbes(name);
      return clusterings(items).map(({ by, names, of }) => [
        by,
        names.length,
        of.filter((c) => c === null).length,
      ]);
    };
    expect(await clusters('facts')).toEqual([['relation', 7, 0]]);
    expect((await clusters('pud'))[0]![0]).toBe('document');
    expect((await clusters('pydocs'))[0]![0]).toBe('section');
  });
});

describe('distinct contexts', () => {
  const prompt = (ids: readonly number[], counted = ids.map(() => 1)) => ({
    ids: Int32Array.from(ids),
    counted: Uint8Array.from(counted),
  });

  it('are counted as a table of all beginnings counts them', () => {
    const random = new Random(4);
    for (let trial = 0; trial < 200; trial++) {
      const prompts = Array.from({ length: 1 + random.integer(12) }, () => {
        const ids = Array.from({ length: 1 + random.integer(6) }, () => random.integer(3));
        return prompt(
          ids,
          ids.map(() => random.integer(2)),
        );
      });
      const table = new Map<string, { tokens: number; prompts: number }>();
      for (const { ids, counted } of prompts) {
        for (let t = 0; t < ids.length; t++) {
          const key = ids.slice(0, t + 1).join();
          const found = table.get(key) ?? { tokens: 0, prompts: 0 };
          table.set(key, { tokens: found.tokens + counted[t]!, prompts: found.prompts + 1 });
        }
      }
      const all = [...table.values()];
      const n = all.reduce((sum, { tokens }) => sum + tokens, 0);
      const squares = all.reduce((sum, { tokens }) => sum + tokens ** 2, 0);
      const { effective, shared } = distinctContexts(prompts);
      expect(effective).toBeCloseTo(n === 0 ? 0 : n ** 2 / squares, 10);
      expect(shared).toBe(all.reduce((sum, { tokens, prompts: of }) => sum + (of > 1 ? tokens : 0), 0));
    }
  });

  it('are as many as tokens where nothing repeats, and as many as positions where all prompts are one', () => {
    expect(distinctContexts([prompt([1, 2]), prompt([3, 2])])).toEqual({ effective: 4, shared: 0 });
    expect(distinctContexts([prompt([1, 2]), prompt([1, 2])])).toEqual({ effective: 2, shared: 4 });
  });
});

test('items that are there twice are counted and named, and languages that have the same text', async () => {
  const probes = tinySet((rows) => {
    const copies = rows.slice(0, 3).map((row) => ({ ...row, id: `${row['id']}-again` }));
    return [...rows, ...copies];
  });
  const { manifest } = await capture(options(probes));
  expect(manifest.warnings.join('\n')).toMatch(
    /3 of 26 items have the texts of an earlier one in every language/,
  );
  expect((await capture(options(TINY_PROBES))).manifest.warnings.join()).not.toMatch(/earlier one|same text/);
  const same = tinySet((rows) =>
    rows.map(({ id, prompts }) => {
      const own = prompts as Record<string, { text: string }>;
      return { id, prompts: { ...own, de: own['en'] } };
    }),
  );
  expect((await capture(options(same))).manifest.warnings.join('\n')).toMatch(
    /languages have the same text, .*: en and de in 23 of 23 items/,
  );
});

test('prompts that begin alike are told with the effective number of contexts, which the manifest has', async () => {
  const probes = tinySet((rows) =>
    rows.map(({ id }, i) => {
      const prompt = (text: string) => ({ text, answer: 'ja' });
      const en = prompt(`the sea is as wide as it is old and it is ${i}`);
      return {
        id,
        prompts: {
          en,
          de: prompt(`${String.fromCharCode(97 + i)} das Meer ist so weit wie alt`),
          uk: prompt(`${i} море`),
        },
      };
    }),
  );
  const { manifest } = await capture(options(probes));
  const [en, de] = manifest.languages;
  expect(en!.contexts!.effective).toBeLessThan(en!.tokens / 10);
  expect(de!.contexts!.effective).toBeGreaterThan(de!.tokens / 10);
  const told = manifest.warnings.find((text) => text.startsWith('prompts begin alike'))!;
  expect(told).toMatch(/ en \d+ of \d+ tokens/);
  expect(told).not.toMatch(/ de \d+ of/);
});
