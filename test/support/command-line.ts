import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TRANSPILED } from './transpile-sources.js';

export { temporaryFolder } from './temporary-folder.js';

export const MAIN = join(TRANSPILED, 'cli/main.js');

export const DEMO_CHECKPOINTS = fileURLToPath(new URL('../../demo/checkpoints', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the command line from the sources, otherwise as a user would. `fileSizeLimit` (KiB) makes writes past it fail, as on a full disk;
 * `interruptOnce` presses Ctrl-C as soon as that file exists; `env` is set besides the environment of the tests.
 */
export function babelscope(
  args: readonly string[],
  options: { fileSizeLimit?: number; interruptOnce?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  const command = [process.execPath, MAIN, ...args];
  const limited = ['bash', '-c', `ulimit -f ${options.fileSizeLimit}; exec "$@"`, '-', ...command];
  const [program, ...rest] = options.fileSizeLimit === undefined ? command : limited;
  const child = spawn(program!, rest, { env: { ...process.env, ...options.env } });
  const { interruptOnce } = options;
  if (interruptOnce !== undefined) {
    const poll = setInterval(() => {
      if (!existsSync(interruptOnce)) return;
      clearInterval(poll);
      child.kill('SIGINT');
    }, 20);
    child.once('exit', () => clearInterval(poll));
  }
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (bytes) => {
      stdout += bytes;
    });
    child.stderr.on('data', (bytes) => {
      stderr += bytes;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
