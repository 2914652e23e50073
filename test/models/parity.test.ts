import { readdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { readParity } from '../../scripts/models-page.js';
import { BLOCK_HOOKS, type BlockHook } from '../../src/hooks/points.js';
import { statisticsOf, type Tap, tapOutput } from '../../src/hooks/taps.js';
import { openModel } from '../../src/models/open-model.js';
import type { Model } from '../../src/models/types.js';
import { expectFiring, isNearZero, largestOf } from '../support/firing.js';
import { deviation, FIXTURES, openFixture, TOLERANCE } from './fixture.js';
import { type Prompts, runModel } from './run-model.js';

const CHECKPOINTS = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const HOOKS = Object.keys(BLOCK_HOOKS) as BlockHook[];

const table: string[][] = [['checkpoint', ...HOOKS, 'logits']];
afterAll(() => {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  '));
  // How scripts/make-models-page.ts gets at the figures.
  if (process.env.PARITY_TABLE)
    writeFileSync(process.env.PARITY_TABLE, `${JSON.stringify(table, null, 1)}\n`);
  console.log(`largest |Δ| / largest value, over layers\n${lines.join('\n')}`);
});

describe.each(CHECKPOINTS)('%s', (name) => {
  it('gives what transformers gives, at every hook point, on a padded batch', async () => {
    const { checkpoint, recorded, prompts, lengths } = await openFixture(name);
    const model = openModel(checkpoint);
    const points = [...recorded.keys()].filter((key) => /hook_/.test(key));
    expect(model.hooks.map((hook) => hook.name).sort()).toEqual(points.sort());
    const outputs = await runModel(checkpoint, model, prompts, full(model));
    const worst = new Map<string, number>();
    const compare = (column: string, point: string, found: Float32Array): void => {
      const distance = deviation(found, recorded.get(point)!, column, lengths);
      worst.set(column, Math.max(distance, worst.get(column) ?? 0));
    };
    for (const { layer, hook, name: point } of model.hooks) {
      compare(hook, point, outputs.layers[layer]!.get(`${hook}/full`)!);
    }
    compare('logits', 'logits', outputs.logits);
    table.push([name, ...table[0]!.slice(1).map((column) => worst.get(column)?.toExponential(1) ?? '–')]);
    for (const [column, value] of worst) expect(value, column).toBeLessThanOrEqual(TOLERANCE);
    if (!process.env.PARITY_TABLE) expectAsPublished(name, worst);
  });

  it('gives a prompt alone what it gives the prompt in a padded batch', async () => {
    const { checkpoint, prompts, lengths } = await openFixture(name);
    const model = openModel(checkpoint);
    const together = await runModel(checkpoint, model, prompts, full(model));
    for (const [index, length] of lengths.entries()) {
      const from = index * prompts.seq;
      const alone = await runModel(
        checkpoint,
        model,
        {
          batch: 1,
          seq: length,
          ids: prompts.ids.slice(from, from + length),
          counted: prompts.counted.slice(from, from + length),
          lengths: [length],
        },
        full(model),
      );
      // The rows of a prompt come first in its stretch of the batch, padding after them.
      const stretch = together.logits.subarray(index * prompts.seq * model.shape.vocab);
      expect(largestDifference(alone.logits, stretch)).toBeLessThan(1e-5 * largestOf(alone.logits));
      for (const [layer, readings] of alone.layers.entries()) {
        const batch = together.layers[layer]!.get('hook_resid_post/full')!;
        const post = readings.get('hook_resid_post/full')!;
        const own = batch.subarray(index * prompts.seq * model.shape.dModel);
        expect(largestDifference(post, own)).toBeLessThan(1e-5 * largestOf(post));
      }
    }
  });

  it('reduces to what its full activations in transformers sum to over counted tokens', async () => {
    const { checkpoint, recorded, prompts } = await openFixture(name);
    const model = openModel(checkpoint);
    const taps = (layer: number): Tap[] =>
      hooksOf(model, layer).flatMap((hook) =>
        statisticsOf(hook)
          .filter((statistic) => statistic !== 'full' && hook !== 'attn.hook_pattern')
          .map((statistic) => ({ hook, statistic })),
      );
    const outputs = await runModel(checkpoint, model, prompts, taps);
    for (const [layer, readings] of outputs.layers.entries()) {
      for (const tap of taps(layer)) {
        const norm = tap.statistic.startsWith('norm.');
        const activation =
          tap.statistic === 'count'
            ? { values: chosenExperts(recorded.get(`blocks.${layer}.mlp.hook_pre`)!.values, model) }
            : recorded.get(`blocks.${layer}.${norm ? 'attn.head_norm' : tap.hook}`)!;
        const expected = reduceRows(activation.values, prompts, tap.statistic.split('.').at(-1) as Reduction);
        const found = readings.get(tapOutput(tap))!;
        expect(found.length).toBe(expected.sums.length);
        const label = `layer ${layer} ${tapOutput(tap)}`;
        if (tap.statistic === 'fire') {
          expectFiring(found, expected.sums, expected.nearZero, label);
          continue;
        }
        for (const [i, sum] of expected.sums.entries()) {
          expect(Math.abs(found[i]! - sum), `${label} [${i}]`).toBeLessThanOrEqual(
            TOLERANCE * expected.scale,
          );
        }
      }
    }
  });
});

describe.each(CHECKPOINTS)('%s', (name) => {
  it('sums up the rows of transformers’ attention patterns: entropy, mass on the first and on the previous token', async () => {
    const { checkpoint, recorded, prompts, lengths } = await openFixture(name);
    const statistics = ['entropy', 'first', 'previous'] as const;
    const taps = statistics.map((s): Tap => ({ hook: 'attn.hook_pattern', statistic: `${s}.sum` }));
    const outputs = await runModel(checkpoint, openModel(checkpoint), prompts, () => taps);
    for (const [layer, readings] of outputs.layers.entries()) {
      const { values, shape } = recorded.get(`blocks.${layer}.attn.hook_pattern`)!;
      for (const [s, statistic] of statistics.entries()) {
        const expected = summarizePatterns(values, shape[1]!, prompts, lengths, statistic);
        const found = readings.get(tapOutput(taps[s]!))!;
        expect(largestDifference(found, Float32Array.from(expected)), `${layer} ${statistic}`).toBeLessThan(
          TOLERANCE * largestOf(expected),
        );
      }
    }
  });
});

/** By how much rounding may differ between machines. */
const OTHER_MACHINES = 30;

/** What docs/models.md says of a checkpoint is what was measured here, but for rounding. */
function expectAsPublished(name: string, worst: ReadonlyMap<string, number>): void {
  const [[, ...columns] = [], ...rows] = readParity();
  const [, ...cells] = rows.find(([checkpoint]) => checkpoint === name) ?? [];
  const remedy = 'docs/models.md is stale: npm run make-models-page';
  for (const [i, column] of columns.entries()) {
    const measured = worst.get(column);
    if (measured === undefined) expect(cells[i], `${column}; ${remedy}`).toBe('–');
    else expect(measured, `${column}; ${remedy}`).toBeLessThan(OTHER_MACHINES * Number(cells[i]));
  }
}

function hooksOf(model: Model, layer: number): BlockHook[] {
  return model.hooks.filter((hook) => hook.layer === layer).map(({ hook }) => hook);
}

/** [token, expert]: 1 where hook_pre of the expert's neurons was recorded, 0 where it is NaN. */
function chosenExperts(pre: Float32Array, { shape: { experts, mixture } }: Model): Float32Array {
  const { dExpert, dShared } = mixture!;
  const width = experts! * dExpert + dShared;
  return Float32Array.from({ length: (pre.length / width) * experts! }, (_, i) => {
    const [token, expert] = [Math.floor(i / experts!), i % experts!];
    return Number.isNaN(pre[token * width + expert * dExpert]) ? 0 : 1;
  });
}

function full(model: Model): (layer: number) => Tap[] {
  return (layer) => hooksOf(model, layer).map((hook) => ({ hook, statistic: 'full' }));
}

type Reduction = 'fire' | 'count' | 'sum' | 'sumsq' | 'max' | 'last';

/** What a prompt without counted tokens has for a maximum. */
const LOWEST_FLOAT32 = -3.4028234663852886e38;

const REDUCE: Readonly<Record<Reduction, (sofar: number, value: number) => number>> = {
  fire: (sofar, value) => sofar + Number(value > 0),
  count: (sofar, value) => sofar + value,
  sum: (sofar, value) => sofar + value,
  sumsq: (sofar, value) => sofar + value * value,
  max: Math.max,
  last: (_, value) => value,
};

/** Reduces [batch, seq, width] over counted tokens → [batch, width], in double precision. */
function reduceRows(
  values: Float32Array,
  { batch, seq, counted }: Prompts,
  statistic: Reduction,
): { sums: Float64Array; nearZero: Float64Array; scale: number } {
  const width = values.length / (batch * seq);
  const sums = new Float64Array(batch * width).fill(statistic === 'max' ? LOWEST_FLOAT32 : 0);
  const nearZero = new Float64Array(batch * width);
  const most = largestOf(values);
  for (let token = 0; token < batch * seq; token++) {
    if (counted[token] === 0) continue;
    const row = Math.floor(token / seq) * width;
    for (let i = 0; i < width; i++) {
      const value = values[token * width + i]!;
      // A token that was not routed there counts as 0.
      sums[row + i] = REDUCE[statistic](sums[row + i]!, Number.isNaN(value) ? 0 : value);
      if (isNearZero(value, most)) nearZero[row + i]! += 1;
    }
  }
  return { sums, nearZero, scale: largestOf(sums.filter((sum) => sum !== LOWEST_FLOAT32)) };
}

/** [batch, head]: sums over counted queries of what is said of rows of [batch, head, query, key]. */
function summarizePatterns(
  pattern: Float32Array,
  heads: number,
  { seq, counted }: Prompts,
  lengths: readonly number[],
  statistic: 'entropy' | 'first' | 'previous',
): number[] {
  return lengths.flatMap((length, b) =>
    Array.from({ length: heads }, (_, head) => {
      let sum = 0;
      for (let q = 0; q < length; q++) {
        if (counted[b * seq + q] === 0) continue;
        const start = ((b * heads + head) * seq + q) * seq;
        const row = [...pattern.subarray(start, start + seq)];
        if (statistic === 'entropy') for (const p of row) sum -= p > 0 ? p * Math.log(p) : 0;
        else if (statistic === 'first') sum += row[0]!;
        else sum += q > 0 ? row[q - 1]! : 0;
      }
      return sum;
    }),
  );
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0);
}
