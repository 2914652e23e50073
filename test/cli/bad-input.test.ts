import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  babelscope,
  babelscopeProcess,
  DEMO_CHECKPOINTS,
  type Outcome,
  temporaryFolder,
} from '../support/command-line.js';

/** A copy of the base checkpoint that a test may spoil. */
function spoiledCheckpoint(spoil: (folder: string) => void): string {
  const folder = join(temporaryFolder(), 'checkpoint');
  cpSync(join(DEMO_CHECKPOINTS, 'base'), folder, { recursive: true });
  spoil(folder);
  return folder;
}

function capture(checkpoint: string, out: string, ...more: string[]): Promise<Outcome> {
  return babelscope([
    'capture',
    checkpoint,
    '--probes',
    'facts',
    '--languages',
    'en,ja',
    '--limit',
    '20',
    '--out',
    out,
    ...more,
  ]);
}

/** Exit 2, every phrase in the message, no stack trace, and no trace of a half-written file. */
function expectRefusal(outcome: Outcome, phrases: readonly (string | RegExp)[], out?: string): void {
  for (const phrase of phrases) expect(outcome.stderr).toMatch(phrase);
  expect(outcome.stderr).toContain('remedy:');
  expect(outcome.stderr).not.toMatch(/^\s+at /m);
  expect(outcome.code).toBe(2);
  if (out !== undefined && existsSync(out)) {
    expect(
      readdirSync(out, { recursive: true }).filter((name) =>
        /\.(safetensors|parquet|json)$/.test(String(name)),
      ),
    ).toEqual([]);
  }
}

describe('a checkpoint that cannot be used is refused with exit 2, the file and the remedy', () => {
  test('a truncated safetensors file', async () => {
    const checkpoint = spoiledCheckpoint((folder) =>
      truncateSync(join(folder, 'model.safetensors'), 1_000_000),
    );
    const out = join(temporaryFolder(), 'run');
    expectRefusal(await capture(checkpoint, out), ['model.safetensors'], out);
  });

  test('a header that claims 10 GB', async () => {
    const checkpoint = spoiledCheckpoint((folder) => {
      const path = join(folder, 'model.safetensors');
      const bytes = readFileSync(path);
      bytes.writeBigUInt64LE(10_000_000_000n, 0);
      writeFileSync(path, bytes);
    });
    const out = join(temporaryFolder(), 'run');
    expectRefusal(await capture(checkpoint, out), ['model.safetensors', /10[,.]?000[,.]?000[,.]?000/], out);
  });

  test('a configuration of an unknown architecture', async () => {
    const checkpoint = spoiledCheckpoint((folder) => {
      const path = join(folder, 'config.json');
      const config = JSON.parse(readFileSync(path, 'utf8'));
      writeFileSync(
        path,
        JSON.stringify({ ...config, model_type: 'mamba9', architectures: ['Mamba9ForCausalLM'] }),
      );
    });
    const out = join(temporaryFolder(), 'run');
    expectRefusal(
      await capture(checkpoint, out),
      ['config.json', 'Mamba9ForCausalLM', 'Qwen2ForCausalLM'],
      out,
    );
  });

  test('a missing tokenizer', async () => {
    const checkpoint = spoiledCheckpoint((folder) => rmSync(join(folder, 'tokenizer.json')));
    const out = join(temporaryFolder(), 'run');
    expectRefusal(await capture(checkpoint, out), ['tokenizer.json'], out);
  });

  test('a folder that does not exist', async () => {
    expectRefusal(await capture('/nowhere/at-all', join(temporaryFolder(), 'run')), ['/nowhere/at-all']);
  });
});

describe('a probe set that cannot be used is refused with exit 2, the file and the remedy', () => {
  const base = join(DEMO_CHECKPOINTS, 'base');

  test('an empty probe set', async () => {
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, 'probe.json'),
      JSON.stringify({
        name: 'empty',
        version: '1',
        kind: 'text',
        licence: 'CC0-1.0',
        source: 'a test',
        languages: [{ tag: 'en', name: 'English', script: 'Latn', family: 'Indo-European' }],
      }),
    );
    writeFileSync(join(folder, 'items.jsonl'), '');
    const out = join(temporaryFolder(), 'run');
    expectRefusal(
      await babelscope(['capture', base, '--probes', folder, '--out', out]),
      ['items.jsonl'],
      out,
    );
  });

  test('a language absent everywhere', async () => {
    const out = join(temporaryFolder(), 'run');
    expectRefusal(
      await babelscope(['capture', base, '--probes', 'pydocs', '--languages', 'en,sw', '--out', out]),
      ['sw'],
      out,
    );
  });

  test('a name that is neither a built-in set nor a folder', async () => {
    const out = join(temporaryFolder(), 'run');
    expectRefusal(
      await babelscope(['capture', base, '--probes', 'fcats', '--out', out]),
      ['fcats', 'facts'],
      out,
    );
  });
});

describe('a place that cannot be written is refused with exit 2 and the remedy', () => {
  const base = join(DEMO_CHECKPOINTS, 'base');

  test('an output folder below a file', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expectRefusal(await capture(base, join(file, 'run')), [file]);
  });

  const isRoot = process.getuid?.() === 0;
  if (isRoot) console.log('skipped: an output folder without write permission (root may write everywhere)');
  test.skipIf(process.platform !== 'linux')(
    'a file system that takes no folders, without going on for ever',
    async () => {
      const args = ['capture', join(DEMO_CHECKPOINTS, 'base'), '--probes', 'facts', '--limit', '2', '--out'];
      for (const folder of ['/proc/babelscope', '/proc/babelscope/run']) {
        const outcome = await babelscope([...args, folder]);
        expect(outcome.code).toBe(2);
        expect(outcome.stderr).toMatch(/cannot be made[\s\S]*takes no folders/);
      }
      const outcome = await babelscope([...args, join(temporaryFolder(), 'n'.repeat(300))]);
      expect(outcome.code).toBe(2);
      expect(outcome.stderr).toMatch(/longer than the file system allows[\s\S]*shorter path/);
    },
  );

  test.skipIf(isRoot)('an output folder without write permission', async () => {
    const folder = join(temporaryFolder(), 'locked');
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    expectRefusal(await capture(base, join(folder, 'run')), ['locked']);
  });

  test('a disk that fills up while parts are written: nothing half-written stays, and the same command resumes', async () => {
    const out = join(temporaryFolder(), 'run');
    const args = [
      'capture',
      base,
      '--probes',
      'facts',
      '--languages',
      'en,ja',
      '--limit',
      '40',
      '--out',
      out,
    ];
    const full = await babelscopeProcess(args, { fileSizeLimit: 64 });
    expect(full.stderr).toMatch(/disk|space|large/i);
    expect(full.stderr).toContain('remedy:');
    expect(full.code).toBe(2);
    const left = readdirSync(out, { recursive: true }).map(String);
    expect(left.filter((name) => name.endsWith('.safetensors') || /tmp|temp|partial/.test(name))).toEqual([]);
    const again = await babelscope(args);
    expect(again.stderr).not.toMatch(/babelscope: /);
    expect(again.code).toBe(0);
  });
});

describe('arguments that cannot be used exit with 2', () => {
  test.each([
    [['inspect'], /missing required argument/],
    [['frobnicate'], /unknown command/],
    [['capture', 'x', '--probes', 'facts', '--out', 'y', '--memory', 'lots'], /expected a size/],
    [
      ['capture', 'x', '--probes', 'facts', '--out', 'y', '--positions', 'first'],
      /Allowed choices are all, last, answer/,
    ],
    [['compare', 'a', 'b', '--labels', 'one', '--out', 'c'], /--labels[\s\S]*found:\s+1: one/],
    [['compare', 'a', 'b', '--steps', '1,x', '--out', 'c'], /x is no training step/],
    [['compare', 'a', 'b', '--contrast', 'sft', '--out', 'c'], /expected two labels/],
    [['compare', 'a', 'b', '--seeds', 'sft', '--out', 'c'], /expected label=run,run/],
    [['compare', 'a', 'b', '--seeds', 'sft=x', '--out', 'c'], /no run has this label[\s\S]*sft/],
    [['compare', 'a', 'b', '--contrasts', 'a,b', '--out', 'c'], /unknown option[\s\S]*Add --help/],
    [['report', '/nowhere', '--out', 'x'], /\/nowhere[\s\S]*no such folder/],
    [['score', '/nowhere'], /\/nowhere[\s\S]*no such folder/],
    [
      ['import', 'en=/nowhere.pt', '--format', 'lape-counts', '--out', 'x'],
      /^babelscope: \/nowhere.pt: there is no such file/,
    ],
    [['merge', '/nowhere'], /\/nowhere/],
  ] as const)('%j', async (args, message) => {
    const outcome = await babelscope(args);
    expect(outcome.stderr).toMatch(message);
    expect(outcome.code).toBe(2);
  });

  test('--help and --version are a success', async () => {
    const help = await babelscope(['--help']);
    expect(help.code).toBe(0);
    for (const command of ['inspect', 'probes', 'capture', 'merge', 'score', 'compare', 'report', 'demo']) {
      expect(help.stdout).toContain(command);
    }
    const version = await babelscope(['--version']);
    expect(version.code).toBe(0);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
