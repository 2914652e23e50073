import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { BlockHook } from '../../src/hooks/points.js';
import type { Tap } from '../../src/hooks/taps.js';
import { openOnnx } from '../../src/models/exported/open.js';
import { ModelRunner } from '../../src/runtime/index.js';
import { expectFiring, isNearZero } from '../support/firing.js';
import { FIXTURES, TOLERANCE } from './fixture.js';
import { type Recorded, readRecorded } from './run-model.js';

const EXPORTS = fileURLToPath(new URL('../fixtures/onnx/', import.meta.url));
const NAMES = readdirSync(EXPORTS).filter((name) => !name.endsWith('.md'));

function graphOf(name: string): string {
  const places = ['model.onnx', 'onnx/model.onnx', 'onnx/model_quantized.onnx'];
  return join(EXPORTS, name, places.find((place) => existsSync(join(EXPORTS, name, place)))!);
}

function recordedOf(name: string): Promise<ReadonlyMap<string, Recorded>> {
  const reference = join(EXPORTS, name, 'reference.txt');
  const folder = existsSync(reference)
    ? join(FIXTURES, readFileSync(reference, 'utf8').trim())
    : join(EXPORTS, name);
  return readRecorded(join(folder, 'expected.safetensors'));
}

const HOOKS: readonly BlockHook[] = [
  'hook_resid_pre',
  'attn.hook_z',
  'hook_resid_mid',
  'mlp.hook_pre',
  'mlp.hook_post',
  'hook_resid_post',
];

const OF_PATTERN: readonly Tap[] = [
  { hook: 'attn.hook_pattern', statistic: 'entropy.sum' },
  { hook: 'attn.hook_pattern', statistic: 'first.sum' },
  { hook: 'attn.hook_pattern', statistic: 'previous.sum' },
];

/** Exports whose exporter fused attention into one operator, which does not put its weights out. */
const FUSED: Readonly<Record<string, string>> = {
  'tiny-random-gpt2': 'Attention',
  'genai-llama': 'GroupQueryAttention',
  'genai-int4-llama': 'GroupQueryAttention',
};

const REDUCING: readonly Tap[] = [
  { hook: 'mlp.hook_pre', statistic: 'fire' },
  { hook: 'mlp.hook_post', statistic: 'sum' },
  { hook: 'mlp.hook_post', statistic: 'sumsq' },
  { hook: 'mlp.hook_post', statistic: 'max' },
  { hook: 'mlp.hook_post', statistic: 'last' },
  { hook: 'attn.hook_z', statistic: 'norm.sum' },
  { hook: 'attn.hook_z', statistic: 'norm.sumsq' },
];

test.each(NAMES)('%s: every hook point, reduction and logit is what its model computes', async (name) => {
  const recorded = await recordedOf(name);
  const lengths = [...recorded.get('lengths')!.values];
  const ids = recorded.get('input_ids')!;
  const seq = ids.shape[1]!;
  const counted = recorded.get('counted')!.values;
  const prompts = lengths.map((length, row) => ({
    ids: Int32Array.from(ids.values.slice(row * seq, row * seq + length)),
    counted: Uint8Array.from(counted.slice(row * seq, row * seq + length)),
  }));
  const subject = await openOnnx(graphOf(name));
  const { shape, hooks } = subject.model;
  const fused = FUSED[name];
  const patterned = fused === undefined;
  expect(new Set(hooks.map(({ hook }) => hook))).toEqual(
    new Set([...HOOKS, ...(patterned ? ['attn.hook_pattern'] : [])]),
  );
  expect(subject.model.hidden).toEqual(
    patterned
      ? []
      : [
          {
            hook: 'attn.hook_pattern',
            layers: [...Array(shape.layers).keys()],
            statistics: 'all',
            why: `attention is fused into one ${fused}`,
          },
        ],
  );
  const runner = await ModelRunner.start(subject, subject.model, {
    device: 'cpu',
    threads: 1,
    memoryBytes: 2 ** 30,
  });
  const patternTaps: Tap[] = patterned
    ? [{ hook: 'attn.hook_pattern', statistic: 'full' }, ...OF_PATTERN]
    : [];
  const taps = [...HOOKS.map((hook): Tap => ({ hook, statistic: 'full' })), ...REDUCING, ...patternTaps];
  const found = await runner.activations(prompts, taps, { logits: true }).finally(() => runner.close());

  const worst = new Map<string, number>();
  const compare = (label: string, values: Float32Array, expected: ArrayLike<number>, scale: number) => {
    expect(values.length, label).toBe(expected.length);
    const difference = values.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i]!)), 0);
    // NaN on either side must not slip through a comparison.
    expect(values.some(Number.isNaN), label).toBe(false);
    worst.set(label, Math.max(worst.get(label) ?? 0, difference / scale));
  };
  for (const [row, length] of lengths.entries()) {
    const own = ({ values, shape: [, , ...rest] }: Recorded): Float32Array => {
      const width = rest.reduce((product, size) => product * size, 1);
      return values.slice(row * seq * width, (row * seq + length) * width);
    };
    const logits = recorded.get('logits')!;
    compare('logits', found[row]!.logits!.values, own(logits), largest(logits.values));
    for (let layer = 0; layer < shape.layers; layer++) {
      const at = (hook: string): Recorded | undefined => recorded.get(`blocks.${layer}.${hook}`);
      for (const hook of HOOKS) {
        const expected = at(hook);
        if (expected === undefined) continue; // not every tensor of a quantised graph was recorded
        const { values } = found[row]!.hooks.get(`blocks.${layer}.${hook}`)!;
        compare(hook, values, own(expected), largest(expected.values));
      }
      if (patterned) {
        const pattern = cutPattern(at('attn.hook_pattern')!, row, length);
        const read = (statistic: string) =>
          found[row]!.hooks.get(`blocks.${layer}.attn.hook_pattern${statistic}`)!;
        compare('attn.hook_pattern', read('').values, pattern, 1);
        for (const { hook, statistic } of OF_PATTERN) {
          const sums = summarize(pattern, length, prompts[row]!.counted, statistic);
          compare(`${hook}/${statistic}`, read(`/${statistic}`).values, sums, Math.max(1, largest(sums)));
        }
      }
      for (const { hook, statistic } of REDUCING) {
        const source = own(at(statistic.startsWith('norm.') ? 'attn.head_norm' : hook)!);
        const sums = reduce(source, prompts[row]!.counted, statistic);
        const { values } = found[row]!.hooks.get(`blocks.${layer}.${hook}/${statistic}`)!;
        if (statistic === 'fire') {
          const near = source.map((value) => Number(isNearZero(value, largest(source))));
          const nearBy = reduce(near, prompts[row]!.counted, 'sum');
          expectFiring(values, sums, nearBy, `${hook} ${layer}`);
        } else if (prompts[row]!.counted.includes(1))
          compare(`${hook}/${statistic}`, values, sums, largest(sums));
      }
    }
  }
  console.log(name, [...worst].map(([label, value]) => `${label} ${value.toExponential(1)}`).join(', '));
  for (const [label, value] of worst) expect(value, label).toBeLessThanOrEqual(TOLERANCE);
});

/** Of [batch, heads, query, key], a prompt's [heads, query, key] without padding. */
function cutPattern({ values, shape }: Recorded, row: number, length: number): Float32Array {
  const [, heads = 0, seq = 0] = shape;
  const cut = new Float32Array(heads * length * length);
  for (let h = 0; h < heads; h++)
    for (let q = 0; q < length; q++)
      for (let k = 0; k < length; k++)
        cut[(h * length + q) * length + k] = values[((row * heads + h) * seq + q) * seq + k]!;
  return cut;
}

/** Over counted tokens as queries of [heads, query, key] → [heads], in double precision. */
function summarize(
  pattern: Float32Array,
  length: number,
  counted: Uint8Array,
  statistic: Tap['statistic'],
): Float64Array {
  const result = new Float64Array(pattern.length / length ** 2);
  for (const h of result.keys())
    for (const [q, counts] of counted.entries()) {
      if (counts === 0) continue;
      const keys = pattern.subarray((h * length + q) * length, (h * length + q + 1) * length);
      if (statistic === 'first.sum') result[h]! += keys[0]!;
      else if (statistic === 'previous.sum') result[h]! += q === 0 ? 0 : keys[q - 1]!;
      else result[h]! -= keys.reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0);
    }
  return result;
}

/** Over counted tokens of [seq, width] → [width], in double precision. */
function reduce(values: Float32Array, counted: Uint8Array, statistic: Tap['statistic']): Float64Array {
  const width = values.length / counted.length;
  const kind = statistic.split('.').at(-1);
  const result = new Float64Array(width).fill(kind === 'max' ? Number.NEGATIVE_INFINITY : 0);
  for (const [t, counts] of counted.entries()) {
    if (counts === 0) continue;
    for (let i = 0; i < width; i++) {
      const value = values[t * width + i]!;
      if (kind === 'fire') result[i]! += Number(value > 0);
      else if (kind === 'sumsq') result[i]! += value * value;
      else if (kind === 'max') result[i] = Math.max(result[i]!, value);
      else if (kind === 'last') result[i] = value;
      else result[i]! += value;
    }
  }
  return result;
}

function largest(values: ArrayLike<number>): number {
  let max = 1e-12;
  for (let i = 0; i < values.length; i++) max = Math.max(max, Math.abs(values[i]!));
  return max;
}
