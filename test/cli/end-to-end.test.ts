import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parquetReadObjects } from 'hyparquet';
import { asyncBufferFromFile } from 'hyparquet/src/node.js';
import { describe, expect, test } from 'vitest';
import {
  babelscope,
  babelscopeProcess,
  DEMO_CHECKPOINTS,
  type Outcome,
  temporaryFolder,
} from '../support/command-line.js';
import { documentedFields } from '../support/documented.js';
import { fieldsOfValue } from '../support/field-paths.js';
import { copyOfGraph, fuseActivations } from '../support/foreign-graphs.js';
import { sharedFolder } from '../support/temporary-folder.js';

const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));
const LAYERS = 8;
const HEADS = 6;

async function succeed(args: readonly string[]): Promise<Outcome> {
  const outcome = await babelscope(args);
  expect(outcome.stderr).not.toContain('babelscope: ');
  expect(outcome.code).toBe(0);
  return outcome;
}

function captureArguments(regime: string, out: string, ...more: string[]): string[] {
  const checkpoint = join(DEMO_CHECKPOINTS, regime);
  return [
    'capture',
    checkpoint,
    '--probes',
    'facts',
    '--languages',
    'en,ja,uk',
    '--limit',
    '60',
    '--out',
    out,
    ...more,
  ];
}

/** sha256 of every file of a run but the timings, by path. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !path.endsWith('timings.json'))
      .sort()
      .map((path) => [
        path.slice(folder.length),
        createHash('sha256').update(readFileSync(path)).digest('hex'),
      ]),
  );
}

describe('from two checkpoints to a report', () => {
  const suite = sharedFolder();
  /** A capture in one go, which the same folder answers at once the second time. */
  const wholeRun = async (): Promise<string> => {
    await succeed(captureArguments('base', join(suite, 'whole')));
    return join(suite, 'whole');
  };

  test('capture, score, compare and report leave what the next step and the reader need', async () => {
    const folder = temporaryFolder();
    const [base, sft] = ['base', 'sft'].map((regime) => join(folder, regime)) as [string, string];
    for (const [regime, run] of [
      ['base', base],
      ['sft', sft],
    ] as const) {
      const { stderr } = await succeed(captureArguments(regime, run, '--hooks', 'hook_resid_post'));
      expect(stderr).toMatch(/ja\s+Japanese\s+60/);
      const scores = run === sft ? ['--scores', 'alignment'] : [];
      expect((await succeed(['score', run, ...scores])).stderr).toContain('alignment.parquet');
    }

    const units = await parquetReadObjects({ file: await asyncBufferFromFile(join(base, 'units.parquet')) });
    const dMlp = JSON.parse(
      readFileSync(join(DEMO_CHECKPOINTS, 'base/config.json'), 'utf8'),
    ).intermediate_size;
    expect(units.filter((unit) => unit.type === 'neuron')).toHaveLength(LAYERS * dMlp);
    expect(units.filter((unit) => unit.type === 'head')).toHaveLength(LAYERS * HEADS);
    for (const unit of units.filter(({ type }) => type !== 'residual')) {
      if (unit.lape === null) expect(unit.dead).toBe(true);
      else {
        expect(unit.lape).toBeGreaterThanOrEqual(0);
        expect(unit.lape).toBeLessThanOrEqual(Math.log(3) + 1e-6);
      }
    }

    const aligned = await parquetReadObjects({
      file: await asyncBufferFromFile(join(base, 'alignment.parquet')),
    });
    expect(aligned).toHaveLength(LAYERS * 3);
    for (const { items, mexa, mexa_low, mexa_high, margin, margin_low, margin_high } of aligned) {
      expect(items).toBe(60);
      expect(mexa >= mexa_low && mexa <= mexa_high && mexa >= 0 && mexa <= 1).toBe(true);
      expect(margin >= margin_low && margin <= margin_high).toBe(true);
    }

    const comparison = join(folder, 'comparison');
    const { stdout } = await succeed(['compare', base, sft, '--labels', 'base,sft', '--out', comparison]);
    expect(stdout).toMatch(/jaccard/);
    expect(stdout).toMatch(/residual +sft +alignment_margin[\s\S]*residual +sft +alignment_mexa/);
    const { stderr } = await succeed(['report', comparison, '--out', join(folder, 'report')]);
    expect(stderr).toContain('report.html');
    expect(statSync(join(folder, 'report/report.html')).size).toBeGreaterThan(100_000);
    const figures = readdirSync(join(folder, 'report/figures'));
    for (const name of [
      'specialized-neurons',
      'entropy-distribution',
      'head-map',
      'reallocation',
      'depth-profile',
      'forest',
      'alignment',
    ]) {
      expect(figures).toContain(`${name}.svg`);
      expect(figures).toContain(`${name}.png`);
    }
  });

  test("inspect's memory is that of a capture, give or take a third", async () => {
    const run = join(temporaryFolder(), 'run');
    // A process of its own: its memory is that of the capture alone.
    expect((await babelscopeProcess(captureArguments('base', run))).code).toBe(0);
    const [{ peakMemoryBytes }] = JSON.parse(readFileSync(join(run, 'timings.json'), 'utf8'));
    const { stdout } = await succeed(['inspect', join(DEMO_CHECKPOINTS, 'base'), '--json']);
    const { memory } = JSON.parse(stdout).capture;
    expect(peakMemoryBytes).toBeGreaterThan(memory.least / 1.33);
    expect(peakMemoryBytes).toBeLessThan(memory.fastest * 1.33);
  });

  test('shards captured apart and merged are the same bytes as one capture', async () => {
    const sharded = join(temporaryFolder(), 'sharded');
    await succeed(captureArguments('base', sharded, '--shard', '1/2'));
    expect(existsSync(join(sharded, 'layers'))).toBe(false);
    const early = await babelscope(['merge', sharded]);
    expect(early.code).toBe(2);
    expect(early.stderr).toMatch(/missing/);
    await succeed(captureArguments('base', sharded, '--shard', '2/2'));
    if (!existsSync(join(sharded, 'layers'))) await succeed(['merge', sharded]);
    expect(contents(sharded)).toEqual(contents(await wholeRun()));
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s stops with %i and the same command resumes to the same bytes', async (signal, status) => {
    const stopped = join(temporaryFolder(), 'stopped');
    const outcome = await babelscopeProcess(captureArguments('base', stopped), {
      interruptOnce: join(stopped, 'manifest.json'),
      interruptWith: signal,
    });
    expect(outcome.code).toBe(status);
    expect(outcome.stderr).toContain('interrupted');
    await succeed(captureArguments('base', stopped));
    expect(contents(stopped)).toEqual(contents(await wholeRun()));
  });
});

describe('inspect', () => {
  test.each([
    ['dense', 'Qwen2.5-0.5B', 494_032_768, 24],
    ['mixtures', 'Mixtral-8x7B-v0.1', 46_702_792_704, 32],
  ])('%s: of the config.json of %s alone, %i parameters', async (group, name, parameters, layers) => {
    const folder = temporaryFolder();
    const published = new URL(`../fixtures/published/${group}.json`, import.meta.url);
    const { config } = JSON.parse(readFileSync(published, 'utf8'))[name];
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const { stdout } = await succeed(['inspect', folder]);
    expect(stdout).toMatch(new RegExp(`parameters\\s+${parameters.toLocaleString('en')}\\n`));
    expect(stdout).toMatch(new RegExp(`layers\\s+${layers}\\n`));
    expect(stdout).toMatch(/neurons\s+[\d,]+\n[\s\S]*heads\s+[\d,]+\n/);
    expect(stdout).toMatch(new RegExp(`blocks\\.\\{l\\}\\.mlp\\.hook_post\\s+0–${layers - 1}`));
    expect(stdout).toContain('weights: none in this folder');
    expect(stdout).toMatch(/memory, at least\s+\d+\.\d GiB/);
    expect(stdout).toMatch(/time, at best\s+about [\d,.]+ tokens\/s/);
  });

  test('--json has the fields that docs/files.md documents, and no other', async () => {
    const adapter = join(FIXTURES, 'adapters/layers-f16');
    const { base_model_name_or_path: base } = JSON.parse(
      readFileSync(join(adapter, 'adapter_config.json'), 'utf8'),
    );
    const printed = await Promise.all(
      [
        [join(DEMO_CHECKPOINTS, 'base')],
        [join(FIXTURES, 'models/qwen2-moe-bf16')],
        [join(FIXTURES, 'models', basename(base)), '--adapter', adapter],
        [copyOfGraph('tiny-random-gpt2', fuseActivations)],
      ].map(async (args) => JSON.parse((await succeed(['inspect', ...args, '--json'])).stdout)),
    );
    const fields = new Set(printed.flatMap((inspection) => fieldsOfValue(inspection)));
    const inner = (field: string) =>
      [...fields].some((other) => new RegExp(`^${field}(\\[\\])?\\.`).test(other));
    // What is null in one is an object in another.
    expect([...fields].filter((field) => !inner(field)).sort()).toEqual(await documentedFields('inspect'));
    const [dense] = printed;
    expect(dense.architecture).toBe('Qwen2ForCausalLM');
    expect(dense.layers).toBe(LAYERS);
    expect(dense.hooks.map((hook: { name: string }) => hook.name)).toContain(
      `blocks.${LAYERS - 1}.mlp.hook_post`,
    );
  });
});

describe('probes', () => {
  test('list names the built-in sets, check passes them', async () => {
    const { stdout } = await succeed(['probes', 'list', '--json']);
    const { sets, formats } = JSON.parse(stdout);
    expect(sets.map(({ name }: { name: string }) => name)).toEqual(['facts', 'pud', 'pydocs']);
    expect(formats.map(({ name }: { name: string }) => name)).toContain('belebele');
    const shown = await succeed(['probes', 'show', 'pud']);
    expect(shown.stdout).toContain('CC-BY-SA');
  });

  test('check and show read a published format, recognised or named', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'mgsm_en.tsv'), 'Two and two?\t4\n');
    writeFileSync(join(folder, 'mgsm_sw.tsv'), 'Mbili na mbili?\t4\n');
    const checked = await succeed(['probes', 'check', folder]);
    expect(checked.stdout).toContain('1 item in 2 languages, usable');
    const shown = await succeed(['probes', 'show', folder, '--format', 'mgsm']);
    expect(shown.stdout).toMatch(/sw +Mbili na mbili\? +→ +4/);
    const refused = await babelscope(['probes', 'check', folder, '--format', 'belebele', '--json']);
    expect(refused.code).toBe(2);
  });
});
