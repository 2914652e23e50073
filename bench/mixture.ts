/**
 * Captures prompts through layers of a large mixture of experts with random weights. Build first, then:
 *
 *     npx tsx bench/mixture.ts --folder /scratch [--model Qwen3-30B-A3B] [--layers 1] [--chunks 1] [--memory 4GiB] [--threads 1]
 *
 * A chunk holds 256 prompts of 63 tokens, random words of the demo's vocabulary, or fewer where memory is short.
 *
 * The model is one of test/fixtures/published/mixtures.json, with fewer layers and the vocabulary of the demo's tokenizer; its
 * checkpoint is written once and stays in the folder. The capture is a process of its own. Its memory is told in two parts:
 * its own, and pages of the checkpoint's file that it has mapped, which the system takes back whenever it needs them.
 */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { estimateCapture } from '../src/capture/plan/estimate-capture.js';
import { openCheckpoint } from '../src/checkpoint/open-checkpoint.js';
import { parseBytes } from '../src/cli/options.js';
import { Graph } from '../src/graph/graph.js';
import { serialize } from '../src/graph/onnx/serialize.js';
import { gemm } from '../src/graph/operators/index.js';
import { openModel } from '../src/models/open-model.js';
import type { LayeredModel } from '../src/models/types.js';
import { batchTokens } from '../src/runtime/memory/batches.js';
import { onnxruntime } from '../src/runtime/onnxruntime.js';
import { Random } from '../src/stats/sampling/random.js';
import { DIST } from './measure.js';
import { writeRandomCheckpoint } from './random-checkpoint.js';

const { values: options } = parseArgs({
  options: {
    folder: { type: 'string' },
    model: { type: 'string', default: 'Qwen3-30B-A3B' },
    layers: { type: 'string', default: '1' },
    chunks: { type: 'string', default: '1' },
    memory: { type: 'string', default: '8GiB' },
    threads: { type: 'string', default: '1' },
    keep: { type: 'string', default: 'items' },
  },
});
const PUBLISHED = new URL('../test/fixtures/published/mixtures.json', import.meta.url);
const DEMO = fileURLToPath(new URL('../demo/checkpoints/base', import.meta.url));
const SAMPLE_MS = 20;
/** 16 items in 16 languages make a fold, and a fold a chunk. */
const TAGS = 'en de fr es pt it nl pl tr sv da fi cs ro hu id'.split(' ');
const [FOLDS, FOLD_ITEMS, PROMPT_WORDS] = [20, 16, 63];

if (options.folder === undefined) throw new Error('name a folder on a disk with room: --folder <folder>');
const [layers, threads] = [Number(options.layers), Number(options.threads)];
const folder = join(options.folder, `${options.model}-${layers}`);
if (!existsSync(join(folder, 'config.json'))) {
  const { [options.model]: published } = JSON.parse(readFileSync(PUBLISHED, 'utf8'));
  const { vocab_size } = JSON.parse(readFileSync(join(DEMO, 'config.json'), 'utf8'));
  const { quantization_config: _, ...config } = published.config;
  writeRandomCheckpoint(folder, { ...config, vocab_size, num_hidden_layers: layers });
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(join(DEMO, name), join(folder, name));
}

const model = openModel(await openCheckpoint(folder));
const [mib, gib] = [2 ** 20, 2 ** 30];
const weights = (model.shape.parameters - 2 * model.shape.vocab * model.shape.dModel) / layers;
const { memory, flopsPerToken } = estimateCapture(model, threads);
console.log(
  `${options.model}, ${layers} layer(s) of ${(weights / 1e6).toFixed(0)} M parameters: ` +
    `${((2 * weights) / gib).toFixed(2)} GiB in bf16, ${((4 * weights) / gib).toFixed(2)} GiB in fp32`,
);
console.log(
  'estimate, MiB:',
  Object.entries(memory)
    .map(([name, bytes]) => `${name} ${(bytes / mib).toFixed(0)}`)
    .join(', '),
);

const { tokens, processor, start, own, mapped } = await captureAlone();
const processorToken = processor / (tokens * layers);
console.log(
  `capture under --memory ${options.memory}: ${tokens} tokens in ${processor.toFixed(1)} s of processor time after ${start.toFixed(1)} s ` +
    `for the start and the first batch; peak ${own.toFixed(0)} MiB, and ${mapped.toFixed(0)} MiB of the file mapped`,
);
const flops = flopsPerToken! / layers;
const { gflops, routed, all } = await bareProducts(model);
console.log(
  `a token and layer, ms of processor time: capture ${(1e3 * processorToken).toFixed(2)}; by the estimate's ${(flops / 1e9).toFixed(3)} GFLOP ` +
    `at ${gflops.toFixed(0)} GFLOP/s ${(flops / (gflops * 1e6)).toFixed(2)}; bare products of the experts it goes to ` +
    `${(1e3 * routed).toFixed(2)}, of all experts ${(1e3 * all).toFixed(2)} (${(all / routed).toFixed(1)} times)`,
);

interface Measured {
  /** After the first batch. */
  readonly tokens: number;
  /** Seconds of all threads, for these tokens, and for the start and the first batch. */
  readonly processor: number;
  readonly start: number;
  /** MiB at the peak. */
  readonly own: number;
  readonly mapped: number;
}

/** The process tells what it used; what it holds is looked at every few milliseconds. */
async function captureAlone(): Promise<Measured> {
  const out = join(options.folder!, `run-${process.pid}`);
  const request = {
    checkpoint: folder,
    probes: writePrompts(),
    format: 'aligned-text',
    memoryBytes: parseBytes(options.memory),
    keep: options.keep,
    threads,
    shard: { index: 1, count: Math.floor(FOLDS / Number(options.chunks)) },
    out,
  };
  const script = `
    const { capture } = await import('${DIST}capture/index.js');
    let first, last;
    const onProgress = ({ tokensDone }) => {
      const { user, system } = process.cpuUsage();
      last = { tokens: tokensDone, processor: (user + system) / 1e6 };
      first ??= last;
    };
    await capture({ ...${JSON.stringify(request)}, onProgress });
    const tokens = last.tokens - first.tokens;
    console.log(JSON.stringify({ tokens, processor: last.processor - first.processor, start: first.processor }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let [printed, own, mapped] = ['', 0, 0];
  child.stdout.on('data', (text) => {
    printed += text;
  });
  const timer = setInterval(() => {
    const status = readStatus(child.pid!);
    own = Math.max(own, status.own);
    mapped = Math.max(mapped, status.mapped);
  }, SAMPLE_MS);
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`capture ended with ${code}`))));
  });
  clearInterval(timer);
  rmSync(out, { recursive: true });
  return { ...JSON.parse(printed), own, mapped };
}

/** A folder of aligned text. */
function writePrompts(): string {
  const prompts = join(options.folder!, 'prompts');
  rmSync(prompts, { recursive: true, force: true });
  mkdirSync(prompts, { recursive: true });
  const { model: tokenizer } = JSON.parse(readFileSync(join(DEMO, 'tokenizer.json'), 'utf8'));
  const words = Object.keys(tokenizer.vocab).flatMap((token) => /^Ġ([a-z]+)$/.exec(token)?.[1] ?? []);
  const random = new Random(2);
  for (const tag of TAGS) {
    const line = () =>
      Array.from({ length: PROMPT_WORDS }, () => words[random.integer(words.length)]).join(' ');
    const lines = Array.from({ length: FOLDS * FOLD_ITEMS }, line);
    writeFileSync(join(prompts, `${tag}.txt`), `${lines.join('\n')}\n`);
  }
  return prompts;
}

/** MiB that a process holds by itself, and of mapped files. */
function readStatus(pid: number): { own: number; mapped: number } {
  const field = (text: string, name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) / 1024;
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    return { own: field(text, 'RssAnon'), mapped: field(text, 'RssFile') };
  } catch {
    return { own: 0, mapped: 0 };
  }
}

/** Seconds of processor time a token of experts' bare products in fp32: of those that it goes to, and of all. */
async function bareProducts({ shape }: LayeredModel) {
  const { dModel, experts } = shape;
  const { perToken, dExpert } = shape.mixture!;
  const batch = batchTokens(model);
  const random = new Random(1);
  const floats = (length: number) =>
    Float32Array.from({ length }, () => (random.integer(65_536) / 65_536 - 0.5) / 16);
  const graph = new Graph('products of an expert');
  const x = graph.input('x', 'float32', ['tokens', dModel]);
  const h = graph.input('h', 'float32', ['tokens', dExpert]);
  const sizes = [dExpert, dModel] as const;
  graph.output('gate', gemm(x, graph.float(floats(dExpert * dModel), sizes)));
  graph.output('up', gemm(x, graph.float(floats(dExpert * dModel), sizes)));
  graph.output('down', gemm(h, graph.float(floats(dExpert * dModel), [dModel, dExpert])));
  const { InferenceSession, Tensor } = await onnxruntime();
  const session = await InferenceSession.create(serialize(graph), { intraOpNumThreads: 1 });
  /** Seconds an expert; the best of some rounds. */
  const run = async (tokens: number) => {
    const feeds = {
      x: new Tensor('float32', floats(tokens * dModel), [tokens, dModel]),
      h: new Tensor('float32', floats(tokens * dExpert), [tokens, dExpert]),
    };
    let best = Number.POSITIVE_INFINITY;
    const repeats = Math.ceil(batch / tokens);
    for (let round = 0; round < 3; round++) {
      const before = process.cpuUsage();
      for (let repeat = 0; repeat < repeats; repeat++) await session.run(feeds);
      const { user, system } = process.cpuUsage(before);
      best = Math.min(best, (user + system) / (1e6 * repeats));
    }
    return best;
  };
  const tokens = Math.round((batch * perToken) / experts!);
  const routed = await run(tokens);
  const every = await run(batch);
  await session.release();
  const gflops = (6 * batch * dModel * dExpert) / (every * 1e9);
  return { gflops, routed: (routed * experts!) / batch, all: (every * experts!) / batch };
}
