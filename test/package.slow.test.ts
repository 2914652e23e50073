import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { sharedFolder } from './support/temporary-folder.js';

// Slow because it builds the package, in a folder of its own so that no test beside it loses `dist/`.

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A copy of what the package is made of, built. */
const built = join(sharedFolder(), 'babelscope');
/** A user's project that has installed it: the package and its dependencies, and nothing else. */
const project = join(dirname(built), 'project');

/** Runs a program and throws with all it said where it fails. */
function run(program: string, args: string[], cwd: string): string {
  try {
    return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`);
  }
}

beforeAll(() => {
  const files = run('git', ['ls-files', '--cached', '--others', '--exclude-standard'], ROOT).split('\n');
  for (const file of files.filter((name) => !/^$|^(test|bench|docs|notebooks|figures)\//.test(name)))
    cpSync(join(ROOT, file), join(built, file));
  symlinkSync(join(ROOT, 'node_modules'), join(built, 'node_modules'));
  run('npm', ['run', 'build'], built);

  const installed = join(project, 'node_modules/babelscope');
  for (const part of ['dist', 'package.json'])
    cpSync(join(built, part), join(installed, part), { recursive: true });
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    const link = join(project, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
});

test('the package holds what a user needs, and not what the checkpoints were trained on', () => {
  const output = run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], built);
  const [{ files }] = JSON.parse(output) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  for (const needed of [
    'dist/index.js',
    'dist/index.d.ts',
    'dist/cli/main.js',
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
    paths.filter((path) =>
      /^(demo\/(corpus|train|seeds)|test|bench|scripts|src|figures|validation)\//.test(path),
    ),
  ).toEqual([]);
});

test('a strict TypeScript project gets the types of arrays', () => {
  writeFileSync(
    join(project, 'arrays.ts'),
    `import { openRun } from 'babelscope';
    const run = await openRun('runs/base');
    const layer = await run.layer(0);
    const array = await layer.array('mlp.fire');
    const shape: number[] = array.shape;
    const value: number = array.get(0, 0, 0);
    // @ts-expect-error A shape is no text: its type is known.
    const text: string = array.shape;
    export { shape, text, value };
    `,
  );
  const flags = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
  run(join(ROOT, 'node_modules/.bin/tsc'), [...flags, 'arrays.ts'], project);
});

test('the built package runs where only its dependencies are installed', () => {
  writeFileSync(join(project, 'version.js'), "import { VERSION } from 'babelscope'; console.log(VERSION);");
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(run(process.execPath, ['version.js'], project).trim()).toBe(version);
});
