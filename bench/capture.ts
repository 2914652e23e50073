/**
 * How fast a capture runs, and in how much memory. Build first, then:
 *
 *     npx tsx bench/capture.ts                          demo/checkpoints/base over facts and pydocs
 *     npx tsx bench/capture.ts <checkpoint> <probes>…   a checkpoint over probe sets
 *     npx tsx bench/capture.ts --shape 0.5B --layers 4  random weights of a published shape, layers resident and passing
 *
 * Each row is a process of its own, so that its peak memory is its own.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DIST } from './measure.js';
import { writeRandomCheckpoint } from './random-checkpoint.js';

const DEMO = fileURLToPath(new URL('../demo/checkpoints/base', import.meta.url));
const PROMPT_TOKENS = 32;

/** Published sizes; the vocabulary is cut short, since no unembedding runs. */
const SHAPES: Readonly<Record<string, Record<string, number>>> = {
  '0.5B': { hidden_size: 896, intermediate_size: 4864, num_attention_heads: 14, num_key_value_heads: 2 },
  '1.5B': { hidden_size: 1536, intermediate_size: 8960, num_attention_heads: 12, num_key_value_heads: 2 },
  '7B': { hidden_size: 3584, intermediate_size: 18944, num_attention_heads: 28, num_key_value_heads: 4 },
};
const VOCAB = 1000;
const QWEN2 = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  vocab_size: VOCAB,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  hidden_act: 'silu',
  tie_word_embeddings: true,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    shape: { type: 'string' },
    layers: { type: 'string', default: '4' },
    tokens: { type: 'string', default: '4096' },
    memory: { type: 'string', multiple: true },
    threads: { type: 'string', multiple: true },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'babelscope-bench-'));
const threads = (values.threads ?? ['']).map((text) => (text === '' ? undefined : Number(text)));

try {
  if (values.shape === undefined) benchCapture();
  else benchLayers(values.shape, Number(values.layers), Number(values.tokens));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function benchCapture(): void {
  const [checkpoint = DEMO, ...sets] = positionals;
  for (const probes of sets.length === 0 ? ['facts', 'pydocs'] : sets) {
    for (const count of threads) {
      const out = join(folder, `${probes.replaceAll('/', '-')}-${count}`);
      const options = { checkpoint, probes, out, threads: count };
      const script = `
        const { capture } = await import('${DIST}capture/index.js');
        const { readFileSync } = await import('node:fs');
        const start = performance.now();
        await capture(${JSON.stringify(options)});
        const [timing] = JSON.parse(readFileSync(${JSON.stringify(join(out, 'timings.json'))}, 'utf8'));
        report({ ...timing, seconds: (performance.now() - start) / 1000 });`;
      print(`${probes} threads ${count ?? 'default'}`, runAlone(script));
    }
  }
}

function benchLayers(shape: string, layers: number, tokens: number): void {
  const checkpoint = join(folder, shape);
  writeRandomCheckpoint(checkpoint, { ...QWEN2, ...SHAPES[shape], num_hidden_layers: layers });
  for (const memory of values.memory ?? ['64e9', '1']) {
    for (const count of threads) {
      const script = `
        const { openCheckpoint } = await import('${DIST}checkpoint/index.js');
        const { openModel } = await import('${DIST}models/index.js');
        const { ModelRunner } = await import('${DIST}runtime/index.js');
        const { runTaps } = await import('${DIST}capture/plan/recording.js');
        const checkpoint = await openCheckpoint(${JSON.stringify(checkpoint)});
        const options = { device: 'cpu', memoryBytes: ${memory}, threads: ${count} };
        const runner = await ModelRunner.start(checkpoint, openModel(checkpoint), options);
        const ids = Int32Array.from({ length: ${PROMPT_TOKENS} }, (_, t) => (t * 37) % ${VOCAB});
        const counted = new Uint8Array(${PROMPT_TOKENS}).fill(1);
        const prompts = new Array(${Math.ceil(tokens / PROMPT_TOKENS)}).fill({ ids, counted });
        const run = () => runner.runChunk({ prompts, taps: runTaps({ keep: 'items', pooling: 'mean', extraHooks: [] }), onLayer: () => {} });
        await run(); // opens the sessions that stay
        const start = performance.now();
        await run();
        const seconds = (performance.now() - start) / 1000;
        const tokens = prompts.length * ${PROMPT_TOKENS};
        report({ seconds, tokens, tokensPerSecond: tokens / seconds, threads: runner.threads });
        await runner.close();`;
      const result = runAlone(script);
      print(`${shape}, ${layers} layers, memory ${memory}, threads ${count ?? 'default'}`, result);
    }
  }
}

interface Result {
  readonly seconds: number;
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
}

function runAlone(script: string): Result {
  const prelude = `const report = (result) => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    console.log(JSON.stringify({ ...result, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMegabytes: maxRSS / 1024 }));
  };`;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', prelude + script],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Result;
}

function print(name: string, { seconds, tokens, tokensPerSecond, cpuSeconds, peakMegabytes }: Result): void {
  console.log(
    `${name.padEnd(44)} ${tokens} tokens in ${seconds.toFixed(1)} s, ${tokensPerSecond.toFixed(0)} tokens/s, ` +
      `${cpuSeconds.toFixed(1)} s of processor, peak ${peakMegabytes.toFixed(0)} MB`,
  );
}
