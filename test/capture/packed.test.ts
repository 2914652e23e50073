import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { capture } from '../../src/capture/capture.js';
import { equaliseTokens } from '../../src/capture/prompts/equalise-tokens.js';
import type { Cell, Grid, GridRequest } from '../../src/capture/prompts/grid.js';
import { packGrid } from '../../src/capture/prompts/pack-grid.js';
import type { CaptureOptions } from '../../src/capture/types.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { loadProbes } from '../../src/probes/load-probes.js';
import { scoreRun } from '../../src/scores/engine/score-run.js';
import { openRun } from '../../src/store/run/open-run.js';
import { loadTokenizer } from '../../src/tokenizer/load-tokenizer.js';
import { temporaryFolder, tinyCheckpoint } from '../support/tiny-checkpoint.js';

/** English lines of many lengths, and fewer German ones. */
function textFolder(): string {
  const folder = join(temporaryFolder(), 'texts');
  mkdirSync(folder);
  const line = (words: string, i: number) => `${words.repeat(1 + (i % 3))}.`;
  const lines = (words: string, count: number) =>
    Array.from({ length: count }, (_, i) => line(words, i)).join('\n');
  writeFileSync(join(folder, 'en.txt'), lines('the mill and the sea ', 60));
  writeFileSync(join(folder, 'de.txt'), lines('das meer und die see ', 25));
  return folder;
}

async function requestFor(over: Partial<GridRequest> = {}): Promise<GridRequest> {
  return {
    probes: await loadProbes(textFolder(), { format: 'unaligned-text' }),
    rule: { positions: 'all', countFirst: false, bos: 'auto' },
    tokenizer: await loadTokenizer(await openCheckpoint(tinyCheckpoint())),
    vocab: 101,
    maxPositions: 64,
    signal: undefined,
    ...over,
  };
}

const options = (over: Partial<CaptureOptions> = {}): CaptureOptions => ({
  checkpoint: tinyCheckpoint(),
  probes: textFolder(),
  format: 'unaligned-text',
  out: join(temporaryFolder(), 'run'),
  sequenceLength: 16,
  ...over,
});

describe('packGrid', () => {
  test('cuts the texts of a language, a line feed between them, into sequences of one length', async () => {
    const request = await requestFor();
    const { grid, sequenceLength } = await packGrid(request, 16);
    expect(sequenceLength).toBe(16);
    for (const [k, tag] of ['de', 'en'].entries()) {
      const sequences = grid.cells.flatMap((row) => row[k] ?? []);
      const texts = request.probes.items.flatMap(({ prompts }) => prompts.get(tag)?.text ?? []);
      const encoded = await request.tokenizer.encodeAll(texts, { bos: 'off' });
      const { ids: feed } = await request.tokenizer.encode('\n', { bos: 'off' });
      const stream = encoded.flatMap(({ ids }, i) => (i === 0 ? [...ids] : [...feed, ...ids]));
      const whole = Math.floor(stream.length / 15) * 15;
      expect(sequences.map(({ ids }) => ids[0])).toEqual(sequences.map(() => 1)); // <s>
      expect(sequences.flatMap(({ ids }) => [...ids.slice(1)])).toEqual(stream.slice(0, whole));
    }
    const [first] = grid.cells[0]!;
    expect([...first!.counted]).toEqual([0, ...Array(15).fill(1)]);
    expect(grid.probes.items[0]).toMatchObject({ id: 'de/0' });
    expect(grid.cells.every((row) => row.filter((cell) => cell !== null).length === 1)).toBe(true);
  });

  test('without special tokens the first token of a sequence does not count, unless asked to', async () => {
    const rule = { positions: 'all', countFirst: false, bos: 'off' } as const;
    const { grid } = await packGrid(await requestFor({ rule }), 16);
    expect(grid.cells[0]![0]!.countedTokens).toBe(15);
    const all = await packGrid(await requestFor({ rule: { ...rule, countFirst: true } }), 16);
    expect(all.grid.cells[0]![0]!.countedTokens).toBe(16);
  });

  test.each([
    [2, /sequence length does not fit/],
    [65, /3 to 64 tokens/],
  ])('refuses a length of %i', async (length, message) => {
    await expect(packGrid(await requestFor(), length)).rejects.toThrow(message);
  });
});

describe('equaliseTokens', () => {
  const cell = (counted: number[]): Cell => ({
    ids: Int32Array.from(counted, (_, t) => t),
    counted: Uint8Array.from(counted),
    truncated: 0,
    countedTokens: counted.reduce((a, b) => a + b, 0),
  });
  const probes = {
    languages: [{ tag: 'en' }, { tag: 'de' }],
    items: [{ id: 'a' }, { id: 'b' }, { id: 'c' }],
  } as unknown as Grid['probes'];
  const grid: Grid = {
    probes,
    cells: [
      [cell([0, 1, 1, 1]), cell([0, 1])],
      [cell([0, 1, 0, 1]), cell([0, 1, 1])],
      [cell([0, 1]), null],
    ],
  };

  test('keeps the first counted tokens of every language, the smallest giving the number', () => {
    const { grid: cut, tokensPerLanguage } = equaliseTokens(grid, 'min');
    expect(tokensPerLanguage).toBe(3);
    expect(cut.probes.items.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(cut.cells.map((row) => row.map((one) => one && [...one.counted]))).toEqual([
      [
        [0, 1, 1, 1],
        [0, 1],
      ],
      [null, [0, 1, 1]],
    ]);
  });

  test('leaves a prompt whole whose counted tokens are all wanted', () => {
    const whole = [[cell([0, 1, 1]), cell([0, 1, 1, 0])]];
    expect(equaliseTokens({ probes, cells: whole }, 'min').grid.cells).toEqual(whole);
  });

  test('cuts the last prompt after its last counted token', () => {
    const { grid: cut } = equaliseTokens(grid, 2);
    expect(cut.cells[0]![0]).toMatchObject({ countedTokens: 2, counted: Uint8Array.of(0, 1, 1) });
    expect(cut.cells[1]![1]).toMatchObject({ countedTokens: 1, ids: Int32Array.of(0, 1) });
  });

  test('refuses more tokens than a language has, and tells how many each has', () => {
    expect(() => equaliseTokens(grid, 4)).toThrow(/en 6, de 3/);
  });
});

describe('a run on unaligned text', () => {
  test('has equal tokens a language, every language in every fold, and no scores of a grid', async () => {
    const { folder, manifest } = await capture(options());
    const { plan, languages, probe } = manifest;
    expect(probe.parallel).toBe(false);
    expect(plan).toMatchObject({ sequenceLength: 16, keep: 'folds', folds: 20 });
    expect(languages.map(({ tokens }) => tokens)).toEqual([plan.tokensPerLanguage, plan.tokensPerLanguage]);
    const layer = await (await openRun(folder)).layer(0);
    const tokens = await layer.readTokens();
    await layer.close();
    expect([...tokens].every((count) => count > 0)).toBe(true);
    const { skipped, units } = await scoreRun(folder);
    expect(units.map(({ tang2024 }) => tang2024 !== null)).toEqual([true, expect.anything()]);
    const reasons = skipped.filter(({ score }) => score === 'twoWay').map(({ reason }) => reason);
    expect(reasons).toEqual([
      expect.stringContaining('items of a language are its own'),
      expect.stringContaining('items of a language are its own'),
    ]);
  });

  test('of a parallel set can be cut to equal tokens too, not packed', async () => {
    const probes = join(import.meta.dirname, '../fixtures/probes-tiny');
    const base = { probes, format: undefined, sequenceLength: undefined };
    const { manifest } = await capture(options({ ...base, tokensPerLanguage: 100 }));
    expect(manifest.languages.map(({ tokens }) => tokens)).toEqual([100, 100, 100]);
    expect(manifest.plan.tokensPerLanguage).toBe(100);
    await expect(capture(options({ ...base, sequenceLength: 16 }))).rejects.toThrow(
      /parallel set are run as they are/,
    );
    await expect(capture(options({ positions: 'last' }))).rejects.toThrow(/neither last tokens nor answers/);
  });
});
