import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OutputError, RunError } from '../../src/errors.js';
import { BLOCK_MEMORY_BYTES, unitBlocks } from '../../src/store/arrays/unit-layout.js';
import { fromFloat16, toFloat16 } from '../../src/store/files/float16.js';
import { formatJson } from '../../src/store/files/text-files.js';
import { writeRecord } from '../../src/store/integrity/record.js';
import { RUN_SCHEMA_VERSION, type RunManifest } from '../../src/store/run/manifest.js';
import { openRun, rowReader } from '../../src/store/run/open-run.js';
import { layerPath, manifestPath, partPath, readManifest } from '../../src/store/run/run-folder.js';
import { createRunFolder } from '../support/create-run-folder.js';
import { sealRun } from '../support/seal-run.js';
import { type NamedArray, writeSafetensors } from '../support/write-safetensors.js';
import { temporaryFolder } from './temporary-folder.js';

const [FOLDS, LANGUAGES, ITEMS, NEURONS, HEADS, HEAD_DIM] = [2, 3, 5, 7, 2, 4];
const TAGS = ['en', 'de', 'zh-Hant'];

function manifest(): RunManifest {
  return {
    schema: 'babelscope/run',
    schemaVersion: RUN_SCHEMA_VERSION,
    babelscope: '0.1.0',
    onnxruntime: '1.30.0',
    model: {
      name: 'org/model',
      revision: null,
      ref: null,
      adapter: null,
      architecture: 'Qwen2ForCausalLM',
      modelType: 'qwen2',
      parameters: 10,
      dtype: 'BF16',
      configSha256: 'a',
      weightsSha256: 'b',
      tokenizerSha256: null,
    },
    shape: {
      family: 'qwen2',
      layers: 2,
      dModel: 8,
      heads: HEADS,
      kvHeads: 1,
      headDim: HEAD_DIM,
      dMlp: NEURONS,
      experts: null,
      mixture: null,
      vocab: 100,
      maxPositions: 64,
      parameters: 10,
    },
    probe: { name: 'p', version: '1', kind: 'text', licence: 'CC0-1.0', source: 's', sha256: 'c' },
    languages: TAGS.map((tag) => ({
      tag,
      name: tag,
      script: 'Latn',
      family: 'f',
      prompts: 5,
      tokens: 9,
      truncated: 0,
    })),
    plan: {
      languages: TAGS,
      items: Array.from({ length: ITEMS }, (_, i) => ({ id: `item ${i}`, fold: i % FOLDS })),
      folds: FOLDS,
      seed: 1,
      positions: 'all',
      countFirst: false,
      bos: 'auto',
      keep: 'items',
      pooling: 'mean',
      chunks: [
        [0, 2, 4],
        [1, 3],
      ],
      hooks: ['mlp.hook_pre'],
    },
    planSha256: 'd',
    warnings: [],
  };
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const counting = (shape: readonly number[]) => Float32Array.from({ length: product(shape) }, (_, i) => i / 8);

const ITEM_SHAPES = {
  'mlp.items': [ITEMS, LANGUAGES, NEURONS],
  'head.items': [ITEMS, LANGUAGES, HEADS, HEAD_DIM],
  'head.norm.items': [ITEMS, LANGUAGES, HEADS],
} as const;

async function writeRun(
  change: (arrays: NamedArray[]) => NamedArray[] = (arrays) => arrays,
): Promise<string> {
  const folder = await temporaryFolder();
  await createRunFolder(folder);
  const sums = [FOLDS, LANGUAGES, NEURONS];
  const half = (name: 'mlp.items' | 'head.items'): NamedArray => {
    const values = counting(ITEM_SHAPES[name]);
    if (name === 'mlp.items') values[3] = Number.NaN;
    return { name, dtype: 'F16', shape: ITEM_SHAPES[name], data: toFloat16(values).bits };
  };
  const norms = ITEM_SHAPES['head.norm.items'];
  const arrays: NamedArray[] = [
    { name: 'tokens', dtype: 'U32', shape: [FOLDS, LANGUAGES], data: Uint32Array.of(1, 2, 3, 4, 5, 6) },
    { name: 'mlp.fire', dtype: 'U32', shape: sums, data: Uint32Array.from(counting(sums), (v) => v * 8) },
    { name: 'mlp.sum', dtype: 'F64', shape: sums, data: Float64Array.from(counting(sums)) },
    half('mlp.items'),
    half('head.items'),
    { name: 'head.norm.items', dtype: 'F32', shape: norms, data: counting(norms) },
  ];
  await writeSafetensors(layerPath(folder, 0), change(arrays));
  await sealRun(folder, manifest());
  return folder;
}

describe('openRun', () => {
  it('gives the sums of a layer as float64 [fold, language, unit] and its tokens as [fold, language]', async () => {
    const run = await openRun(await writeRun());
    const layer = await run.layer(0);
    expect([...(await layer.readTokens())]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...(await layer.readStatistic('mlp.fire'))]).toEqual(Array.from({ length: 42 }, (_, i) => i));
    expect((await layer.readStatistic('mlp.sum'))[41]).toBe(41 / 8);
    expect(layer.names.has('mlp.sumsq')).toBe(false);
    await expect(layer.readStatistic('mlp.sumsq')).rejects.toThrow(RunError);
    await layer.close();
  });

  it.each(['mlp.items', 'head.items', 'head.norm.items'] as const)(
    'cuts any block of units out of %s, and blocks that together give the whole',
    async (name) => {
      const run = await openRun(await writeRun());
      const layer = await run.layer(0);
      const [items, languages, units, width = 1] = ITEM_SHAPES[name];
      const whole = fromFloat16(toFloat16(counting(ITEM_SHAPES[name])).bits);
      if (name === 'mlp.items') whole[3] = Number.NaN;
      const expected = (start: number, end: number) => {
        const out: number[] = [];
        for (let row = 0; row < items * languages; row++) {
          out.push(...whole.subarray((row * units + start) * width, (row * units + end) * width));
        }
        return Float32Array.from(out);
      };
      for (const [start, end] of [
        [0, units],
        [0, 1],
        [1, 2],
        [units, units],
      ] as const) {
        expect(await layer.readItems(name, start, end)).toEqual(expected(start, end));
      }
      const covered: number[] = [];
      // Three units fit into memory.
      for (const { unitStart, unitEnd } of unitBlocks(layer.unitsWith(name), BLOCK_MEMORY_BYTES / 3)) {
        const block = await layer.readStoredItems(name, unitStart, unitEnd);
        expect('bits' in block.values).toBe(name !== 'head.norm.items');
        expect(unitEnd - unitStart).toBeLessThanOrEqual(3);
        const readRow = rowReader(block, items * languages);
        const rows = Array.from({ length: items * languages }, (_, row) => [...readRow(row)]);
        expect(Float32Array.from(rows.flat())).toEqual(expected(block.unitStart, block.unitEnd));
        for (let unit = block.unitStart; unit < block.unitEnd; unit++) covered.push(unit);
      }
      expect(covered).toEqual(Array.from({ length: units }, (_, i) => i));
      await expect(layer.readItems(name, 0, units + 1)).rejects.toThrow(RangeError);
      await layer.close();
    },
  );

  it('gives any array with its shape as an ndarray: a pick is a strided view of one unit', async () => {
    const layer = await (await openRun(await writeRun())).layer(0);
    const fire = await layer.array('mlp.fire');
    expect(fire.shape).toEqual([FOLDS, LANGUAGES, NEURONS]);
    expect(fire.get(1, 2, 3)).toBe((1 * LANGUAGES + 2) * NEURONS + 3);
    const unit = fire.pick(null, 1, 6);
    expect([unit.get(0), unit.get(1)]).toEqual([NEURONS + 6, (LANGUAGES + 1) * NEURONS + 6]);
    const z = await layer.array('head.items');
    expect(z.shape).toEqual([ITEMS, LANGUAGES, HEADS, HEAD_DIM]);
    expect(z.get(0, 0, 1, 2)).toBe(6 / 8);
    expect((await layer.array('mlp.items')).get(0, 0, 3)).toBeNaN();
    await expect(layer.array('mlp.sumsq')).rejects.toThrow(/does not keep[\s\S]*capture again/);
    await layer.close();
  });

  it('says to keep items where a run has none', async () => {
    const folder = await writeRun((arrays) => arrays.filter(({ name }) => name !== 'mlp.items'));
    const layer = await (await openRun(folder)).layer(0);
    await expect(layer.readItems('mlp.items', 0, 1)).rejects.toThrow(/--keep items/);
    expect(() => layer.unitsWith('mlp.items')).toThrow(RunError);
    await layer.close();
  });

  it('refuses a layer that is missing or does not fit the manifest', async () => {
    const folder = await writeRun((arrays) =>
      arrays.map((array) =>
        array.name === 'mlp.fire'
          ? { name: 'mlp.fire', dtype: 'U32', shape: [1], data: Uint32Array.of(1) }
          : array,
      ),
    );
    const run = await openRun(folder);
    await expect(run.layer(0)).rejects.toThrow(
      /"mlp\.fire" does not fit[\s\S]*U32 \[2, 3, 7\][\s\S]*U32 \[1\]/,
    );
    await expect(run.layer(1)).rejects.toThrow(RunError);
    await expect(run.layer(2)).rejects.toThrow(RangeError);
  });
});

describe('the manifest', () => {
  it('comes back as it was written; equal manifests give equal bytes', async () => {
    const folder = await writeRun();
    expect(await readManifest(folder)).toEqual(manifest());
    const bytes = await readFile(manifestPath(folder), 'utf8');
    const reordered = Object.fromEntries(Object.entries(manifest()).reverse()) as RunManifest;
    await sealRun(folder, reordered);
    expect(await readFile(manifestPath(folder), 'utf8')).toBe(bytes);
    expect(JSON.parse(bytes)).toMatchObject(manifest());
  });

  it('of a newer schema is refused with the advice to update', async () => {
    const folder = await writeRun();
    await writeFile(
      manifestPath(folder),
      JSON.stringify({ schema: 'babelscope/run', schemaVersion: RUN_SCHEMA_VERSION + 1, novelty: 1 }),
    );
    await expect(readManifest(folder)).rejects.toThrow(
      /newer version[\s\S]*found: +3[\s\S]*update babelscope/,
    );
  });

  it.each([
    ['missing', null, /no manifest to read/],
    ['truncated', '{"schema":', /not valid JSON/],
    ['of another kind', '{"schema":"else","schemaVersion":1}', /field "schema"/],
    ['invalid UTF-8', Uint8Array.of(0x7b, 0xff), /not valid UTF-8/],
    ['an item in no fold', { plan: { ...manifest().plan, folds: 1 } }, /fold that does not exist/],
    ['a chunk of no item', { plan: { ...manifest().plan, chunks: [[9]] } }, /item that does not exist/],
    [
      'other languages in the plan',
      { plan: { ...manifest().plan, languages: ['en'] } },
      /languages and plan/,
    ],
  ])('that is wrong (%s) is refused with a RunError', async (_, content, message) => {
    const folder = await temporaryFolder();
    const isText = typeof content === 'string' || content instanceof Uint8Array;
    if (isText) await writeFile(manifestPath(folder), content);
    else if (content !== null)
      await writeRecord(manifestPath(folder), { ...manifest(), ...content }, { files: {}, command: '' });
    await expect(openRun(folder)).rejects.toThrow(RunError);
    await expect(openRun(folder)).rejects.toThrow(message);
  });
});

it('a comparison in the place of a run is called one', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'comparison.json'), '{}');
  await expect(openRun(folder)).rejects.toThrow(/found: +a comparison, which `babelscope report` draws/);
});

describe('the run folder', () => {
  it('has parts/ and layers/ and numbered files', async () => {
    const folder = join(await temporaryFolder(), 'a', 'run');
    await createRunFolder(folder);
    await createRunFolder(folder);
    expect((await readdir(folder)).sort()).toEqual(['layers', 'parts']);
    expect(partPath(folder, 0, 20)).toBe(join(folder, 'parts', '00-of-20.safetensors'));
    expect(partPath(folder, 7, 1000)).toBe(join(folder, 'parts', '007-of-1000.safetensors'));
    expect(layerPath(folder, 7)).toBe(join(folder, 'layers', '07.safetensors'));
  });

  it('that cannot be made is an OutputError', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    await expect(createRunFolder(join(folder, 'file'))).rejects.toThrow(OutputError);
  });
});

describe('formatJson', () => {
  it('is JSON of the same value, with short values on one line', () => {
    const value = {
      a: [1, 2],
      b: Array.from({ length: 60 }, (_, i) => i),
      c: { d: null, e: undefined },
      f: 'ö"',
    };
    expect(JSON.parse(formatJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    expect(formatJson({ a: [1, 2] })).toBe('{"a":[1,2]}');
    expect(formatJson(value).split('\n')[1]).toBe('  "a": [1,2],');
  });
});
