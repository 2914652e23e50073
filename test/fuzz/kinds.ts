import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { openCheckpoint } from '../../src/checkpoint/index.js';
import {
  COMPARISON_SCHEMA_VERSION,
  compareRuns,
  readComparison,
  writeComparison,
} from '../../src/compare/index.js';
import { exportCsv, exportLapeMask, importFiles, parseSource } from '../../src/interchange/index.js';
import { readPytorch } from '../../src/interchange/pytorch/read-pytorch.js';
import { TorchTensor } from '../../src/interchange/pytorch/tensor.js';
import { readSelection } from '../../src/interchange/selection.js';
import { openOnnx } from '../../src/models/exported/open.js';
import { openModel } from '../../src/models/index.js';
import { checkProbes } from '../../src/probes/index.js';
import { writeReport } from '../../src/report/index.js';
import { scoreRun } from '../../src/scores/index.js';
import type { Random } from '../../src/stats/index.js';
import { openRun, readTable, recordedArrays } from '../../src/store/index.js';
import { sha256OfFile } from '../../src/store/integrity/checksum.js';
import { RECORDS, writeRecord } from '../../src/store/integrity/record.js';
import { loadTokenizer } from '../../src/tokenizer/index.js';
import { type Json, mutateBytes, mutateJson } from '../support/mutate-json.js';
import { syntheticComparison } from '../support/synthetic-comparison.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

/** A kind of input: a folder of sound files, of which some are damaged, and what reads them. */
export interface Kind {
  readonly name: string;
  /** Writes the sound files into an empty folder. */
  readonly make: (folder: string, fixtures: string) => void | Promise<void>;
  /** Names of files that are damaged: JSON by its values or its bytes, others by their bytes. */
  readonly damaged: (names: readonly string[]) => readonly string[];
  readonly read: (folder: string, random: Random) => unknown;
  /** Starts processes: fewer of it are tried at once. */
  readonly slow?: true;
}

const ending = (end: string) => (names: readonly string[]) => names.filter((name) => name.endsWith(end));
const named = (name: string) => () => [name];
const copy =
  (...path: string[]) =>
  (folder: string, fixtures: string) =>
    cpSync(join(fixtures, ...path), folder, { recursive: true });

async function openWhole(folder: string, adapter?: string): Promise<void> {
  const checkpoint = await openCheckpoint(folder, { adapter });
  const model = openModel(checkpoint);
  model.embed();
  model.layer(0, [{ hook: 'mlp.hook_pre', statistic: 'fire' }]);
  model.unembed();
}

async function encode(folder: string): Promise<void> {
  const tokenizer = await loadTokenizer({
    folder,
    tokenizerJson: join(folder, 'tokenizer.json'),
    tokenizerConfig: join(folder, 'tokenizer_config.json'),
  });
  await tokenizer.encodeAll(['', 'hello world', 'ein Käse – 你好 🙂 '.repeat(20), 'a'.repeat(2_000)]);
}

async function readRun(folder: string): Promise<void> {
  const run = await openRun(folder);
  const { shape } = run.manifest;
  for (let index = 0; index < shape.layers; index++) {
    const layer = await run.layer(index);
    try {
      await layer.readTokens();
      for (const name of layer.names) {
        if (name === 'mlp.fire') await layer.readStatistic(name);
        if (name === 'mlp.items' || name === 'head.items') {
          const { unitStart, unitEnd } = layer.unitsWith(name);
          await layer.readItems(name, unitStart, unitEnd);
        }
      }
    } finally {
      await layer.close();
    }
  }
  await recordedArrays(run);
}

const makeRun = (folder: string) =>
  writeSyntheticRun(folder, { layers: 2, neurons: 12, heads: 2, items: 8, folds: 4 }).then(() => undefined);

const probes = (name: string, write: (folder: string) => void, format?: string): Kind => ({
  name,
  make: write,
  damaged: (names) => names,
  read: async (folder) => {
    const [error] = (await checkProbes(folder, format)).errors;
    if (error !== undefined) throw error;
  },
});

/** An import becomes a folder beside, which goes. */
const imported = (
  name: string,
  files: readonly string[],
  options: { format: string; languages?: string[] },
): Kind => ({
  name,
  make: (folder, fixtures) => {
    for (const file of files) cpSync(join(fixtures, file), join(folder, basename(file)));
  },
  damaged: (names) => names,
  read: async (folder) => {
    const out = `${folder}-import`;
    rmSync(out, { recursive: true, force: true });
    const sources = readdirSync(folder).map((file) => parseSource(join(folder, file)));
    await importFiles(sources, { out, ...options });
  },
});

function writeNeurons(folder: string): void {
  const result = { '1': { en: [0, 3], fr: [2] }, '2': { en: [], fr: [1, 5] } };
  writeFileSync(join(folder, 'lape.json'), JSON.stringify(result));
}

function valuesIn(value: unknown): void {
  if (value instanceof TorchTensor) {
    try {
      value.values();
    } catch (error) {
      // An int64 beyond ±2⁵³, as the class says.
      if (!(error instanceof RangeError && error.message.includes('no exact float64'))) throw error;
    }
  } else if (value instanceof Map || Array.isArray(value)) for (const one of value.values()) valuesIn(one);
}

const ROWS = [1, 2, 3, 4].map((i) => ({
  id: `${i}`,
  text: { en: `the house ${i} is red`, de: `das Haus ${i} ist rot` },
}));
const HEADER = {
  name: 'p',
  version: '1',
  kind: 'text',
  licence: 'CC0-1.0',
  source: 'made for this test',
  languages: [
    { tag: 'en', name: 'English', script: 'Latn', family: 'Germanic' },
    { tag: 'de', name: 'German', script: 'Latn', family: 'Germanic' },
  ],
};
const lines = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

export const KINDS: readonly Kind[] = [
  {
    name: 'config.json',
    make: copy('models', 'qwen2-tied-bf16'),
    damaged: named('config.json'),
    read: (folder) => openWhole(folder),
  },
  {
    name: 'safetensors and index',
    make: copy('models', 'llama-llama3-sharded-bf16'),
    damaged: (names) => names.filter((name) => /index\.json$|00[12]-of/.test(name)),
    read: (folder) => openWhole(folder),
  },
  {
    name: 'adapter',
    make: (folder, fixtures) => {
      cpSync(join(fixtures, 'adapters', 'patterns-bf16'), folder, { recursive: true });
      cpSync(join(fixtures, 'models', 'qwen2-tied-bf16'), join(dirname(folder), 'base'), { recursive: true });
    },
    damaged: (names) => names.filter((name) => name.startsWith('adapter')),
    read: (folder) => openWhole(join(dirname(folder), 'base'), folder),
  },
  ...['byte-level', 'digits', 'llama2', 'tiny', 'unigram', 'wordpiece'].map(
    (name): Kind => ({
      name: `tokenizer ${name}`,
      slow: true,
      make: (folder, fixtures) => {
        cpSync(join(fixtures, 'tokenizer', `${name}.tokenizer.json`), join(folder, 'tokenizer.json'));
        const config = { bos_token: '<s>', tokenizer_class: 'LlamaTokenizer', add_bos_token: true };
        writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
      },
      damaged: (names) => names,
      read: encode,
    }),
  ),
  {
    name: 'ONNX graph',
    make: copy('onnx', 'optimum-llama'),
    damaged: (names) => names.filter((name) => /\.onnx$|config\.json$/.test(name)),
    read: async (folder) => {
      const { model } = await openOnnx(join(folder, 'model.onnx'));
      model.graph([{ hook: 'mlp.hook_post', statistic: 'sum' }], false);
    },
  },
  probes('probe set of its own format', (folder) => {
    writeFileSync(join(folder, 'probe.json'), JSON.stringify(HEADER));
    writeFileSync(join(folder, 'items.jsonl'), lines(ROWS));
  }),
  probes(
    'texts, packed',
    (folder) => {
      for (const tag of ['en', 'de'] as const)
        writeFileSync(
          join(folder, `${tag}.txt.gz`),
          gzipSync(ROWS.map(({ text }) => `${text[tag]}\n`).join('')),
        );
    },
    'aligned-text',
  ),
  ...['xquad', 'global-mmlu', 'polyfact', 'polyfact-languages'].map(
    (name): Kind => ({
      ...probes(`probes of ${name}`, () => undefined),
      make: copy('probes-published', name),
    }),
  ),
  { ...probes('probes of MGSM', () => undefined), make: copy('mgsm'), damaged: ending('.tsv') },
  probes('JSON of prompts', (folder) => {
    const rows = ROWS.map(({ id, text }) => ({
      id,
      prompts: { en: { text: text.en }, de: { text: text.de } },
    }));
    writeFileSync(join(folder, 'prompts.json'), JSON.stringify(rows));
  }),
  ...['mask.pt', 'activation.en.0.pt', 'state-dict.pt', 'values-2.pt', 'views.pt', 'dtypes.pt'].map(
    (file): Kind => ({
      name: `pickle ${file}`,
      make: (folder, fixtures) => cpSync(join(fixtures, 'pytorch', file), join(folder, file)),
      damaged: (names) => names,
      read: async (folder) => valuesIn(await readPytorch(join(folder, file))),
    }),
  ),
  {
    name: 'opcodes of a pickle',
    make: (folder) => {
      mkdirSync(join(folder, 'raw'));
      const opcodes = [0x80, 2, 0x5d, 0x71, 0, 0x28, 0x4b, 1, 0x8c, 1, 0x61, 0x7d, 0x65, 0x2e];
      writeFileSync(join(folder, 'raw', 'data.pkl'), Uint8Array.from(opcodes));
    },
    damaged: named('raw/data.pkl'),
    read: async (folder) => {
      const path = join(folder, 'a.pt');
      const pickle = new Uint8Array(readFileSync(join(folder, 'raw', 'data.pkl')));
      writeFileSync(path, zipSync({ 'a/data.pkl': pickle }, { level: 0 }));
      valuesIn(await readPytorch(path));
    },
  },
  imported('import of a mask', ['pytorch/mask.pt'], { format: 'lape-mask', languages: ['en', 'fr', 'zh'] }),
  { ...imported('import of neurons in JSON', [], { format: 'lape-json' }), make: writeNeurons },
  imported('import of expertise', ['selfcond/en.csv', 'selfcond/fr.csv'], { format: 'selfcond' }),
  imported(
    'import of counts',
    ['en', 'fr', 'zh'].map((tag) => `pytorch/activation.${tag}.0.pt`),
    { format: 'lape-counts' },
  ),
  { name: 'manifest', make: makeRun, damaged: named('manifest.json'), read: readRun },
  { name: 'layers of a run', make: makeRun, damaged: ending('.safetensors'), read: readRun },
  {
    name: 'tables and scores',
    make: async (folder) => {
      await makeRun(folder);
      await scoreRun(folder, { scores: ['lape'], splits: 2 });
    },
    damaged: (names) => names.filter((name) => /parquet$|scores\.json$/.test(name)),
    read: async (folder) => {
      await readTable(join(folder, 'units.parquet'));
      await exportLapeMask(folder, join(folder, 'out.pt'));
      await exportCsv(folder, join(folder, 'csv'));
    },
  },
  {
    name: 'comparison.json',
    make: (folder) =>
      writeComparison(folder, {
        ...syntheticComparison({ layers: 2, neurons: 8 }),
        schemaVersion: COMPARISON_SCHEMA_VERSION,
      }),
    damaged: named('comparison.json'),
    read: (folder) => readComparison(folder),
  },
  {
    name: 'comparison, reported',
    make: (folder) =>
      writeComparison(folder, {
        ...syntheticComparison({ layers: 2, neurons: 8 }),
        schemaVersion: COMPARISON_SCHEMA_VERSION,
      }),
    damaged: named('comparison.json'),
    read: async (folder) => {
      await writeReport(await readComparison(folder), `${folder}-report`, { formats: ['html', 'csv'] });
    },
  },
  {
    name: 'runs, scored and compared',
    make: makeRun,
    damaged: (names) => names.filter((name) => /manifest\.json$|safetensors$/.test(name)),
    read: async (folder) => {
      await scoreRun(folder, { scores: ['lape'], splits: 2, overwrite: true });
      await compareRuns([{ folder, label: 'a' }], { splits: 2 });
    },
  },
  {
    name: 'selection.json',
    make: async (folder) => {
      const source = `${folder}-source`;
      mkdirSync(source);
      writeNeurons(source);
      rmSync(folder, { recursive: true });
      await importFiles([parseSource(join(source, 'lape.json'))], { out: folder, format: 'lape-json' });
    },
    damaged: named('selection.json'),
    read: (folder) => readSelection(folder),
  },
];

/**
 * Gives damaged records checksums that fit, as whoever means harm would: what reads their values is tried too.
 */
export async function seal(folder: string): Promise<void> {
  for (const name of Object.keys(RECORDS)) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    try {
      const value = JSON.parse(readFileSync(path, 'utf8')) as {
        checksums: Record<string, unknown>;
        command: string;
      };
      const files = Object.keys(value.checksums).filter((file) => existsSync(join(folder, file)));
      const sums = await Promise.all(
        files.map(async (file) => [file, await sha256OfFile(join(folder, file))] as const),
      );
      await writeRecord(path, value, { files: Object.fromEntries(sums), command: value.command });
    } catch {
      // It is no record any more.
    }
  }
}

/** Damages one or two of the files, in a way that the seed decides. */
export function damage(
  folder: string,
  files: readonly string[],
  sound: ReadonlyMap<string, Uint8Array>,
  random: Random,
): void {
  const chosen = files.filter(() => random.integer(files.length) === 0);
  if (chosen.length === 0) chosen.push(files[random.integer(files.length)]!);
  for (const file of chosen) {
    const bytes = sound.get(file)!;
    const json = file.endsWith('.json') && random.integer(4) > 0 ? jsonOf(bytes) : undefined;
    if (json !== undefined) mutateJson(json, random);
    const head = Math.min(bytes.byteLength, 4096);
    const tail = Math.max(0, bytes.byteLength - 4096);
    const place = random.integer(3);
    const damaged =
      json !== undefined
        ? JSON.stringify(json)
        : place === 0 // headers lie at the beginning, footers and directories at the end
          ? Buffer.concat([mutateBytes(bytes.subarray(0, head), random), bytes.subarray(head)])
          : place === 1
            ? Buffer.concat([bytes.subarray(0, tail), mutateBytes(bytes.subarray(tail), random)])
            : mutateBytes(bytes, random);
    writeFileSync(join(folder, file), damaged);
  }
}

function jsonOf(bytes: Uint8Array): { [key: string]: Json } {
  const value = JSON.parse(Buffer.from(bytes).toString()) as Json;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { '0': value };
}
