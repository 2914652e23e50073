import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { capture, mergeRun } from '../../src/capture/index.js';
import { runTaps } from '../../src/capture/plan/recording.js';
import type { CaptureOptions, CaptureProgress } from '../../src/capture/types.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { InterruptedError, OutputError, ProbeError, RunError, UsageError } from '../../src/errors.js';
import { openModel } from '../../src/models/open-model.js';
import { loadProbes } from '../../src/probes/load-probes.js';
import { memoryNeeds, PROCESS_BYTES } from '../../src/runtime/memory/memory.js';
import { partPath } from '../../src/store/run/run-folder.js';
import { loadTokenizer } from '../../src/tokenizer/load-tokenizer.js';
import { expectFiring } from '../support/firing.js';
import {
  spoilWeight,
  TINY_PROBES,
  temporaryFolder,
  tinyCheckpoint,
  writeTinyCheckpoint,
} from '../support/tiny-checkpoint.js';
import { activationsOf, expectClose, expectNeurons, neuronsByLoops, readLayer } from './plain-loops.js';

const CHILD = fileURLToPath(new URL('../support/capture-child.mjs', import.meta.url));
const MIB = 2 ** 20;

function options(more: Partial<CaptureOptions> = {}): CaptureOptions {
  return {
    checkpoint: tinyCheckpoint(),
    probes: TINY_PROBES,
    out: join(temporaryFolder(), 'run'),
    threads: 1,
    ...more,
  };
}

/** sha256 of every file of a run but the timings, by path. */
function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('timings.json'))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
    .sort();
  const digest = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  return Object.fromEntries(names.map((name) => [name, digest(name)]));
}

describe('a run', () => {
  test('holds what plain loops make of the full activations of every prompt', async () => {
    const request = options();
    const { folder, manifest, complete } = await capture(request);
    expect(complete).toBe(true);
    expect(manifest.warnings).toEqual([
      expect.stringMatching(/not what lies beside it: expected\.safetensors/),
      expect.stringMatching(/^transformers 4\.57 and 5\.24 set this tokenizer up differently/),
      '1 item of 23 without uk: kenya',
      expect.stringMatching(/^prompts begin alike[\s\S]*en 34 of 603 tokens/),
    ]);
    const { plan } = manifest;
    expect(plan.folds).toBe(20);
    expect(plan.languages).toEqual(['en', 'de', 'uk']);
    const { cells, full } = await activationsOf(request, manifest, [
      { hook: 'mlp.hook_pre', statistic: 'full' },
      { hook: 'mlp.hook_post', statistic: 'full' },
      { hook: 'attn.hook_z', statistic: 'full' },
      { hook: 'attn.hook_z', statistic: 'norm.sum' },
    ]);
    const tokens = [0, 0, 0];
    for (const { language, ids } of cells) tokens[language]! += ids.length - 1;
    expect(manifest.languages.map((language) => language.tokens)).toEqual(tokens);
    expect(manifest.languages.map((language) => language.prompts)).toEqual([23, 23, 22]);

    for (let layer = 0; layer < 3; layer++) {
      const arrays = await readLayer(folder, layer);
      const neurons = neuronsByLoops(cells, full, layer, manifest);
      const norm = new Float64Array(20 * 3 * 4);
      const counts = new Uint32Array(20 * 3);
      const heads = new Float32Array(23 * 3 * 40).fill(Number.NaN);
      for (const [c, { item, fold, language, ids }] of cells.entries()) {
        const of = (name: string) => full[c]!.hooks.get(`blocks.${layer}.${name}`)!.values;
        const place = fold * 3 + language;
        const length = ids.length - 1;
        counts[place]! += length;
        for (let h = 0; h < 4; h++) norm[place * 4 + h]! += of('attn.hook_z/norm.sum')[h]!;
        for (let i = 0; i < 40; i++) {
          let promptSum = 0;
          for (let t = 1; t <= length; t++) promptSum += of('attn.hook_z')[t * 40 + i]!;
          heads[(item * 3 + language) * 40 + i] = promptSum / length;
        }
      }
      expectNeurons(arrays, neurons);
      expect(arrays.tokens).toEqual(counts);
      expectClose(arrays['head.norm.sum']!, norm, 1e-5);
      expectClose(arrays['head.items']!, heads, 1e-3); // half precision
    }
  });

  test.each(['max', 'last'] as const)(
    'pools by %s, and records residual stream and patterns where asked to',
    async (pooling) => {
      const request = options({ pooling, extraHooks: ['attn.hook_pattern', 'hook_resid_post'], limit: 6 });
      const { folder, manifest } = await capture(request);
      const { plan } = manifest;
      expect(plan.pooling).toBe(pooling);
      const hooks = ['mlp.hook_post', 'attn.hook_z', 'hook_resid_post', 'attn.hook_pattern'] as const;
      const { cells, full } = await activationsOf(
        request,
        manifest,
        hooks.map((hook) => ({ hook, statistic: 'full' })),
      );
      const [K, dMlp, dZ, dModel, heads] = [3, 37, 40, manifest.shape.dModel!, 4];
      for (let layer = 0; layer < 3; layer++) {
        const arrays = await readLayer(folder, layer);
        const resid = new Float64Array(plan.folds * K * dModel);
        const patterns = {
          entropy: resid.slice(0, plan.folds * K * heads),
          first: resid.slice(0, plan.folds * K * heads),
          previous: resid.slice(0, plan.folds * K * heads),
        };
        for (const [c, { item, language, fold, counted }] of cells.entries()) {
          const at = item * K + language;
          const pool = (hook: string, width: number, how: 'mean' | 'max' | 'last') =>
            Array.from({ length: width }, (_, j) => {
              const values = [...counted.keys()]
                .filter((t) => counted[t] === 1)
                .map((t) => full[c]!.hooks.get(`blocks.${layer}.${hook}`)!.values[t * width + j]!);
              if (how === 'max') return Math.max(...values);
              return how === 'last' ? values.at(-1)! : values.reduce((a, b) => a + b, 0) / values.length;
            });
          const close = (name: string, width: number, expected: number[]) => {
            const found = Array.from({ length: width }, (_, j) => arrays[name]![at * width + j]!);
            for (const [j, value] of expected.entries()) {
              expect(Math.abs(found[j]! - value), `${name} ${j}`).toBeLessThan(
                2e-3 * Math.max(1, Math.abs(value)),
              );
            }
          };
          close('mlp.items', dMlp, pool('mlp.hook_post', dMlp, pooling));
          close('resid.items', dModel, pool('hook_resid_post', dModel, pooling));
          close('head.items', dZ, pool('attn.hook_z', dZ, pooling === 'max' ? 'mean' : 'last'));
          const length = counted.length;
          const { values } = full[c]!.hooks.get(`blocks.${layer}.attn.hook_pattern`)!;
          for (let t = 0; t < length; t++) {
            if (counted[t] === 0) continue;
            for (let j = 0; j < dModel; j++) {
              resid[(fold * K + language) * dModel + j]! += full[c]!.hooks.get(
                `blocks.${layer}.hook_resid_post`,
              )!.values[t * dModel + j]!;
            }
            for (let h = 0; h < heads; h++) {
              const row = values.subarray((h * length + t) * length, (h * length + t + 1) * length);
              const to = (fold * K + language) * heads + h;
              patterns.first[to]! += row[0]!;
              patterns.previous[to]! += row[t - 1]!;
              patterns.entropy[to]! -= row.reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0);
            }
          }
        }
        const closeSums = (name: string, expected: Float64Array) => {
          for (const [j, value] of expected.entries()) {
            expect(Math.abs(arrays[name]![j]! - value), `${name} ${j}`).toBeLessThan(
              1e-3 * Math.max(1, Math.abs(value)),
            );
          }
        };
        closeSums('resid.sum', resid);
        closeSums('head.pattern.entropy.sum', patterns.entropy);
        closeSums('head.pattern.first.sum', patterns.first);
        closeSums('head.pattern.previous.sum', patterns.previous);
      }
    },
  );

  test('keeps fold sums alone when asked to, and they are the same', async () => {
    const request = options();
    await capture(request);
    const folds = { ...request, out: join(temporaryFolder(), 'folds'), keep: 'folds' as const };
    const { manifest } = await capture(folds);
    expect(manifest.plan.hooks).not.toContain('attn.hook_z/sum');
    const [all, sums] = [await readLayer(request.out, 1), await readLayer(folds.out, 1)];
    expect(Object.keys(sums).some((name) => name.includes('items'))).toBe(false);
    for (const [name, values] of Object.entries(sums)) expect(values).toEqual(all[name]);
  });

  test('counts only the tokens asked for', async () => {
    const request = options();
    const tokens = async (more: Partial<CaptureOptions>) => {
      const { manifest } = await capture({ ...request, out: join(temporaryFolder(), 'run'), ...more });
      return manifest.languages.map((language) => language.tokens);
    };
    const all = await tokens({});
    expect(await tokens({ positions: 'last' })).toEqual([23, 23, 22]);
    const withoutBos = await tokens({ bos: 'off' });
    expect(withoutBos).toEqual(all.map((count, k) => count - [23, 23, 22][k]!));
    expect(await tokens({ bos: 'off', countFirst: true })).toEqual(all);
    const answers = await tokens({ positions: 'answer' });
    const probes = await loadProbes(TINY_PROBES);
    const characters = probes.items.reduce((n, { prompts }) => n + prompts.get('en')!.answer!.length, 0);
    expect(answers[0]!).toBeGreaterThan(characters / 2);
    expect(answers[0]!).toBeLessThanOrEqual(characters);
  });

  test('takes a language or a few items of a set', async () => {
    const { manifest } = await capture(options({ languages: ['uk', 'en'], limit: 7 }));
    expect(manifest.plan.languages).toEqual(['en', 'uk']);
    expect(manifest.plan.items).toHaveLength(7);
    expect(manifest.plan.folds).toBe(7);
    expect(manifest.warnings.join()).toMatch(/only 7 items/);
  });

  test('tells of prompts that were cut, have nothing to count, or do not come back from the tokenizer', async () => {
    const request = options();
    const folder = temporaryFolder();
    cpSync(TINY_PROBES, folder, { recursive: true });
    const items = join(folder, 'items.jsonl');
    const long = { text: 'very long '.repeat(10), answer: 'a', candidates: ['a', 'b'] };
    const odd = { text: 'so ☃', answer: 'a', candidates: ['a', 'b'] };
    const row = { id: 'long', prompts: { en: long, de: odd } };
    writeFileSync(items, `${readFileSync(items, 'utf8')}${JSON.stringify(row)}\n`);
    const { manifest } = await capture({ ...request, probes: folder, positions: 'last' });
    expect(manifest.languages[0]!.truncated).toBeGreaterThan(0);
    const told = manifest.warnings.join('\n');
    expect(told).toMatch(/en: 1 prompts are longer than the model's positions/);
    expect(told).toMatch(/de: 1 of 24 prompts do not come back from the tokenizer, for example "so ☃"/);
    expect(told).toMatch(/en: 1 prompts have no counted token, for example item long/);
    const arrays = await readLayer(request.out, 0);
    const last = manifest.plan.items.length - 1;
    expect(Array.from(arrays['mlp.items']!).slice(last * 3 * 37, (last * 3 + 1) * 37)).toEqual(
      new Array(37).fill(Number.NaN),
    );
  });
});

describe('the same bytes come', () => {
  const suite = mkdtempSync(join(tmpdir(), 'babelscope-test-'));
  afterAll(() => rmSync(suite, { recursive: true, force: true }));
  const request: CaptureOptions = {
    checkpoint: join(suite, 'tiny'),
    probes: TINY_PROBES,
    out: join(suite, 'whole'),
    threads: 1,
  };
  let expected: Record<string, string>;
  beforeAll(async () => {
    writeTinyCheckpoint(request.checkpoint);
    await capture(request);
    expected = contents(request.out);
    expect(Object.keys(expected)).toEqual([
      '/layers/00.safetensors',
      '/layers/01.safetensors',
      '/layers/02.safetensors',
      '/manifest.json',
    ]);
  });

  test('with other threads', async () => {
    const out = join(temporaryFolder(), 'run');
    await capture({ ...request, out, threads: 2 });
    expect(contents(out)).toEqual(expected);
  });

  test('but for the last bits of sums, with memory for short chunks only', async () => {
    const probes = await loadProbes(TINY_PROBES);
    const checkpoint = await openCheckpoint(request.checkpoint);
    const tokenizer = await loadTokenizer(checkpoint);
    const texts = probes.items.flatMap(({ prompts }) => [...prompts.values()].map(({ text }) => text));
    const lengths = (await tokenizer.encodeAll(texts)).map(({ ids }) => ids.length);
    const { passingBytes, workBytes, bytesPerToken } = memoryNeeds(
      openModel(checkpoint),
      runTaps({ keep: 'items', pooling: 'mean', extraHooks: [], mixture: false }),
      {
        longestPrompt: Math.max(...lengths),
        tokensPerPrompt: lengths.reduce((a, b) => a + b) / lengths.length,
      },
    );
    const memoryBytes = PROCESS_BYTES + passingBytes + workBytes + 120 * bytesPerToken;
    const out = join(temporaryFolder(), 'run');
    const { manifest } = await capture({ ...request, out, memoryBytes });
    expect(manifest.plan.chunks).toHaveLength(23); // one item each
    const { 'mlp.fire': found, ...others } = await readLayer(out, 2);
    const { 'mlp.fire': fire, ...whole } = await readLayer(request.out, 2);
    const hooks = ['mlp.hook_pre', 'mlp.hook_post'] as const;
    const { cells, full } = await activationsOf(
      request,
      manifest,
      hooks.map((hook) => ({ hook, statistic: 'full' })),
    );
    expectFiring(found!, fire!, neuronsByLoops(cells, full, 2, manifest).nearZero);
    for (const [name, values] of Object.entries(whole)) expectClose(others[name]!, values, 1e-6);
    // A run is gone on with whatever the memory: the chunks it was begun with are kept.
    expect((await capture({ ...request, out })).manifest).toEqual(manifest);
  });

  test('from shards, merged', async () => {
    const out = join(temporaryFolder(), 'run');
    for (const index of [2, 1, 3]) {
      await expect(mergeRun(out)).rejects.toThrow(RunError);
      const { complete } = await capture({ ...request, out, shard: { index, count: 3 } });
      expect(complete).toBe(false);
      expect(existsSync(join(out, 'layers'))).toBe(false);
    }
    await mergeRun(out);
    expect(contents(out)).toEqual(expected);
  });

  test('after an abort in the middle', async () => {
    const out = join(temporaryFolder(), 'run');
    const controller = new AbortController();
    const running = capture({
      ...request,
      out,
      signal: controller.signal,
      onProgress: ({ chunk }) => chunk >= 3 && controller.abort(),
    });
    await expect(running).rejects.toThrow(InterruptedError);
    expect(readdirSync(join(out, 'parts')).length).toBeGreaterThanOrEqual(1);
    expect(readdirSync(join(out, 'parts')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await capture({ ...request, out });
    expect(contents(out)).toEqual(expected);
  });

  test('after kill -9 in the middle, again and again', async () => {
    const out = join(temporaryFolder(), 'run');
    // The manifest's name, a part's, and a merged layer's.
    for (const files of [0, 12, 12]) expect(await runChild({ ...request, out }, files)).toBe('SIGKILL');
    expect(readdirSync(join(out, 'layers'))).toContain('00.safetensors');
    await capture({ ...request, out });
    expect(contents(out)).toEqual(expected);
  });

  test('when the same capture is repeated, which computes nothing', async () => {
    let told = 0;
    const { complete } = await capture({ ...request, onProgress: () => told++ });
    expect(complete).toBe(true);
    expect(told).toBe(0);
    expect(contents(request.out)).toEqual(expected);
  });

  test('when a merge is cut short after its layers, or between its parts', async () => {
    const out = join(temporaryFolder(), 'run');
    await capture({ ...request, out, keepParts: true });
    const parts = readdirSync(join(out, 'parts')).sort();
    expect(parts).toHaveLength(20);
    rmSync(join(out, 'layers/02.safetensors'));
    await capture({ ...request, out, keepParts: true });
    rmSync(join(out, 'parts', parts[0]!));
    await capture({ ...request, out });
    expect(contents(out)).toEqual(expected);
  });
});

test('progress rises to the number of tokens, found parts included', async () => {
  const request = options();
  const seen: CaptureProgress[] = [];
  await capture({ ...request, shard: { index: 1, count: 2 } });
  await capture({ ...request, onProgress: (progress) => seen.push(progress) });
  const { tokensDone, tokensTotal, chunks, layers } = seen.at(-1)!;
  expect(tokensDone).toBe(tokensTotal);
  expect({ chunks, layers }).toEqual({ chunks: 20, layers: 3 });
  expect(seen[0]!.tokensDone).toBeGreaterThan(tokensTotal / 4);
  expect(seen.every((p, i) => i === 0 || p.tokensDone >= seen[i - 1]!.tokensDone)).toBe(true);
});

describe('refusals name the thing and the way out', () => {
  test('a folder with a run of another plan', async () => {
    const request = options();
    await capture(request);
    for (const [more, name] of [
      [{ seed: 7 }, /seed/],
      [{ languages: ['en', 'de'] }, /languages/],
      [{ positions: 'last' as const }, /positions/],
      [{ keep: 'folds' as const }, /keep/],
      [{ limit: 21 }, /number of items/],
    ] as const) {
      const running = capture({ ...request, ...more });
      await expect(running).rejects.toThrow(RunError);
      await expect(running).rejects.toThrow(name);
      await expect(running).rejects.toThrow(/remedy/);
    }
    await spoilWeight(request.checkpoint, 'model.layers.1.mlp.down_proj.weight', 0, 1);
    await expect(capture(request)).rejects.toThrow(/weights/);
  });

  test('parts of another plan, when they are merged and when they are resumed', async () => {
    const [one, other] = [options(), options({ seed: 1 })];
    await capture({ ...one, keepParts: true });
    await capture({ ...other, keepParts: true });
    copyFileSync(partPath(other.out, 4, 20), partPath(one.out, 4, 20));
    rmSync(join(one.out, 'layers'), { recursive: true });
    await expect(mergeRun(one.out)).rejects.toThrow(/04-of-20.*different plan/);
    await expect(capture(one)).rejects.toThrow(/04-of-20.*different plan/);
    rmSync(partPath(one.out, 4, 20));
    await expect(mergeRun(one.out)).rejects.toThrow(/1 of 20 parts are missing[\s\S]*04-of-20/);
    await capture(one);
  });

  test('a folder that holds something else', async () => {
    const out = temporaryFolder();
    writeFileSync(join(out, 'thesis.tex'), '');
    await expect(capture(options({ out }))).rejects.toThrow(/thesis\.tex/);
    expect(readdirSync(out)).toEqual(['thesis.tex']);
  });

  test('a folder that cannot be made', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await expect(capture(options({ out: join(file, 'run') }))).rejects.toThrow(OutputError);
  });

  test('a part that cannot be written: finished parts stay', async () => {
    const request = options();
    await capture({ ...request, shard: { index: 1, count: 4 } });
    mkdirSync(partPath(request.out, 2, 20)); // a folder stands where the file shall
    rmSync(partPath(request.out, 0, 20));
    const before = readdirSync(join(request.out, 'parts')).length;
    await expect(capture({ ...request, shard: { index: 3, count: 4 } })).rejects.toThrow();
    expect(readdirSync(join(request.out, 'parts')).length).toBeGreaterThanOrEqual(before);
    rmSync(partPath(request.out, 2, 20), { recursive: true });
    expect((await capture(request)).complete).toBe(true);
  });

  test('a language the set lacks, and one without prompts', async () => {
    await expect(capture(options({ languages: ['en', 'sw'] }))).rejects.toThrow(/sw/);
    const set = await loadProbes(TINY_PROBES);
    const kenya = { ...set, items: set.items.filter(({ id }) => id === 'kenya') };
    await expect(capture(options({ probes: kenya }))).rejects.toThrow(ProbeError);
    await expect(capture(options({ probes: kenya }))).rejects.toThrow(/language uk/);
  });

  test('memory that does not hold a layer: how much would', async () => {
    await expect(capture(options({ memoryBytes: MIB }))).rejects.toThrow(
      /--memory[\s\S]*at least \d+MiB\n {2}found: +1MiB/,
    );
  });

  test('options without sense', async () => {
    await expect(capture(options({ shard: { index: 0, count: 2 } }))).rejects.toThrow(UsageError);
    await expect(capture(options({ threads: 0 }))).rejects.toThrow(UsageError);
    const probes = await loadProbes(TINY_PROBES);
    await expect(capture(options({ probes, limit: 3 }))).rejects.toThrow(UsageError);
  });

  test('a device that is not there: nothing is left behind', async () => {
    const request = options({ device: 'cuda' });
    await expect(capture(request)).rejects.toThrow(UsageError);
    expect(existsSync(request.out)).toBe(false);
  });
});

/** Captures in a child process that dies about to name its n-th file. @returns the signal it ended with */
function runChild(request: CaptureOptions, filesBeforeDeath: number): Promise<string | null> {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(request), String(filesBeforeDeath)]);
  return new Promise((resolve, reject) => {
    let stderr = '';
    child.stderr.on('data', (bytes: Buffer) => {
      stderr += bytes;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (signal === null && code !== 0) reject(new Error(stderr));
      else resolve(signal);
    });
  });
}
