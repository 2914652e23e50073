import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

test('the package holds what a user needs, and not what the checkpoints were trained on', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files }] = JSON.parse(output) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  for (const needed of [
    'dist/index.js',
    'dist/index.d.ts',
    'dist/cli/main.js',
    'dist/runtime/worker.js',
    'dist/report/page-client.bundle.js',
    'probes/facts/items.jsonl',
    'probes/pud/items.jsonl',
    'probes/pydocs/items.jsonl',
    'demo/checkpoints/base/model.safetensors',
    'demo/checkpoints/sft/model.safetensors',
    'LICENSE',
    'README.md',
  ]) {
    expect(paths).toContain(needed);
  }
  expect(
    paths.filter((path) => /^(demo\/(corpus|train)|test|bench|scripts|src|figures)\//.test(path)),
  ).toEqual([]);
});

test('the lockfile names no registry', () => {
  const lock = readFileSync(`${ROOT}/package-lock.json`, 'utf8');
  expect(lock).not.toMatch(/"resolved"|https?:\/\/[^"]*\.tgz/);
});

test('every dependency is pinned to one version', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8'));
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+(-[\w.]+)?$/)]);
  }
});

test('the library offers the verbs of the command line', async () => {
  const library = await import('../src/index.js');
  for (const verb of [
    'openCheckpoint',
    'inspect',
    'loadProbes',
    'capture',
    'score',
    'compare',
    'report',
  ] as const) {
    expect(library[verb]).toBeTypeOf('function');
  }
});
