import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { babelscopeProcess, MAIN } from '../support/command-line.js';

const inDataUrl = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;

/** Writes the address of each module that Node loads to standard error. */
const LOADER = `import { writeSync } from "node:fs";
  export const load = (url, context, next) => { writeSync(2, url + "\\n"); return next(url, context); };`;
const SPY = inDataUrl(`import { register } from "node:module"; register("${inDataUrl(LOADER)}");`);

const librariesOf = async (args: string[]): Promise<string[]> => {
  const { stderr } = await babelscopeProcess(args, { env: { NODE_OPTIONS: `--import ${SPY}` } });
  const packages = [...stderr.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)\//g)].map(([, name]) => name!);
  return [...new Set(packages)].sort();
};

test('help and version load no library but those that read arguments and draw progress', async () => {
  const few = ['@commander-js/extra-typings', 'cli-progress'];
  expect(await librariesOf(['--version'])).toEqual(few);
  expect(await librariesOf(['--help'])).toEqual(few);
  expect(await librariesOf(['score', '--help'])).toContain('zod');
});

test.each(['stdout', 'stderr'] as const)('a reader that closes %s early is no fault', async (stream) => {
  const child = spawn(process.execPath, [MAIN, 'inspect', '/nowhere'], { stdio: 'pipe' });
  child[stream].destroy();
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(2);
});
