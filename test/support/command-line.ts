import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export const DEMO_CHECKPOINTS = fileURLToPath(new URL('../../demo/checkpoints', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the built command line as a user would. `fileSizeLimit` (KiB) makes writes past it fail, as on a full disk;
 * `interruptAfterMs` presses Ctrl-C.
 */
export function babelscope(
  args: readonly string[],
  options: { fileSizeLimit?: number; interruptAfterMs?: number } = {},
): Promise<Outcome> {
  const child =
    options.fileSizeLimit === undefined
      ? spawn(process.execPath, [MAIN, ...args])
      : spawn('bash', [
          '-c',
          `ulimit -f ${options.fileSizeLimit}; exec "$@"`,
          '-',
          process.execPath,
          MAIN,
          ...args,
        ]);
  const { interruptAfterMs } = options;
  if (interruptAfterMs !== undefined) setTimeout(() => child.kill('SIGINT'), interruptAfterMs);
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

/** A folder that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'babelscope-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
