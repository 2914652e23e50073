import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { asyncBufferFromFile } from 'hyparquet/src/node.js';
import { expect, test } from 'vitest';
import type { ModelProto } from '../../src/graph/onnx/onnx_pb.js';
import { babelscope, type Outcome } from '../support/command-line.js';
import { copyOfGraph, fuseActivations, hideAttentionOutputs, hideMlps } from '../support/foreign-graphs.js';
import { TINY_PROBES, temporaryFolder, writeTinyTokenizer } from '../support/tiny-checkpoint.js';

/** Microsoft's fused GPT-2 with a tokenizer beside it. */
function graphWithTokenizer(change?: (model: ModelProto) => void): string {
  const path = copyOfGraph('tiny-random-gpt2', change);
  writeTinyTokenizer(dirname(path));
  return path;
}

function capture(graph: string, out: string, ...more: string[]): Promise<Outcome> {
  return babelscope(['capture', graph, '--probes', TINY_PROBES, '--threads', '1', '--out', out, ...more]);
}

async function rowsOf(run: string, table: string): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file: await asyncBufferFromFile(join(run, table)) });
}

function expectRefusal({ code, stderr }: Outcome, ...phrases: RegExp[]): void {
  for (const phrase of phrases) expect(stderr).toMatch(phrase);
  expect(stderr).toContain('remedy:');
  expect(code).toBe(2);
}

test("a graph that somebody else's exporter fused goes from capture to scores of every unit", async () => {
  const run = join(temporaryFolder(), 'run');
  const captured = await capture(graphWithTokenizer(), run);
  expect(captured.stderr).not.toContain('not recorded');
  expect(captured.code).toBe(0);
  const scored = await babelscope(['score', run]);
  expect(scored.stderr).not.toContain('the run recorded no');
  expect(scored.code).toBe(0);
  const units = await rowsOf(run, 'units.parquet');
  expect(units.filter(({ type }) => type === 'neuron')).toHaveLength(5 * 128);
  expect(units.filter(({ type }) => type === 'head')).toHaveLength(5 * 4);
  for (const { type, lape } of units) if (type === 'head') expect(lape).toBeGreaterThan(0);
  expect(units.filter(({ type, lape }) => type === 'neuron' && lape !== null).length).toBeGreaterThan(500);
});

test('inspect lists what a fused graph shows, what fusion hid, and that it runs whole', async () => {
  const { stdout, code } = await babelscope(['inspect', graphWithTokenizer(fuseActivations)]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/blocks\.\{l\}\.mlp\.hook_post\s+0–4\s+128/);
  expect(stdout).not.toMatch(/blocks\.\{l\}\.mlp\.hook_pre\s+0–4/);
  expect(stdout).toMatch(
    /not there: blocks\.\{l\}\.mlp\.hook_pre in layers 0–4: the activation function is fused into a projection/,
  );
  expect(stdout).toMatch(/not there: blocks\.\{l\}\.attn\.hook_pattern in layers 0–4: attention is fused/);
  expect(stdout).toContain('it runs whole, not layer by layer');
});

test('capture records what is there, warns of what is not, and score says what it cannot compute', async () => {
  const run = join(temporaryFolder(), 'run');
  const captured = await capture(graphWithTokenizer(fuseActivations), run);
  expect(captured.stderr).toMatch(/warning: not recorded: how often neurons fire[\s\S]*no mlp\.hook_pre/);
  expect(captured.code).toBe(0);
  const { plan, warnings } = JSON.parse(readFileSync(join(run, 'manifest.json'), 'utf8'));
  expect(plan.hooks).not.toContain('mlp.hook_pre/fire');
  expect(plan.hooks).toContain('mlp.hook_post/sum');
  expect(warnings[0]).toContain('mlp.hook_pre');

  const scored = await babelscope(['score', run]);
  expect(scored.stderr).toMatch(
    /not computed: lape, .* of neurons: the run recorded no firing of neurons \(mlp\.hook_pre\)/,
  );
  expect(scored.code).toBe(0);
  const units = await rowsOf(run, 'units.parquet');
  expect(new Set(units.map(({ type }) => type))).toEqual(new Set(['head']));
});

test('where all MLPs are hidden, heads are captured and scored, and inspect says what is not there', async () => {
  const graph = graphWithTokenizer(hideMlps);
  const inspected = await babelscope(['inspect', graph]);
  expect(inspected.code).toBe(0);
  expect(inspected.stdout).toMatch(/neurons\s+0\n[\s\S]*heads\s+20\n/);
  expect(inspected.stdout).toMatch(
    /not there: blocks\.\{l\}\.mlp\.hook_post in layers 0–4: no projection that ends an MLP was found among/,
  );
  const run = join(temporaryFolder(), 'run');
  const captured = await capture(graph, run);
  expect(captured.stderr).toMatch(
    /warning: not recorded: how often neurons fire[\s\S]*no projection that ends/,
  );
  expect(captured.code).toBe(0);
  const scored = await babelscope(['score', run]);
  expect(scored.stderr).toMatch(/not computed: lape, .* of neurons: the run recorded no firing of neurons/);
  expect(scored.code).toBe(0);
  const units = await rowsOf(run, 'units.parquet');
  expect(units.map(({ type }) => type)).toEqual(Array(5 * 4).fill('head'));
  for (const { lape } of units) expect(lape).toBeGreaterThan(0);
});

test('capture refuses a hidden hook that was asked for, and a graph that hides what all units are scored by', async () => {
  const run = join(temporaryFolder(), 'run');
  expectRefusal(
    await capture(graphWithTokenizer(), run, '--hooks', 'attn.hook_pattern'),
    /no blocks\.0\.attn\.hook_pattern: attention is fused into one Attention/,
    /in layer 0: hook_resid_pre, attn\.hook_z, hook_resid_mid, mlp\.hook_pre, mlp\.hook_post/,
  );
  const everything = graphWithTokenizer((model) => {
    fuseActivations(model);
    hideAttentionOutputs(model);
  });
  expectRefusal(
    await capture(everything, run),
    /hides what neurons and heads are scored by/,
    /mlp\.hook_pre: the activation function is fused[\s\S]*attn\.hook_z: the weight behind/,
  );
  expect((await babelscope(['inspect', everything])).code).toBe(0);
});

test('an adapter is not applied to a graph, and nothing is written', async () => {
  const graph = graphWithTokenizer();
  const run = join(temporaryFolder(), 'run');
  const refused =
    /adapter cannot be applied to the graph of another exporter[\s\S]*merge the adapter before exporting/;
  expectRefusal(await capture(graph, run, '--adapter', dirname(graph)), refused);
  expectRefusal(await babelscope(['inspect', graph, '--adapter', dirname(graph)]), refused);
});
