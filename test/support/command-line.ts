import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
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

interface CommandOptions {
  /** Set besides the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What needs a process of its own. */
export interface ProcessOptions extends CommandOptions {
  /** KiB; a write past it fails, as on a full disk. */
  readonly fileSizeLimit?: number;
  /** Presses Ctrl-C, or sends the signal given instead, as soon as this file exists. */
  readonly interruptOnce?: string;
  readonly interruptWith?: NodeJS.Signals;
  /** Kills the process as with `kill -9` after so many milliseconds. */
  readonly killAfter?: number;
  /** Flags of Node itself. */
  readonly flags?: readonly string[];
}

/** Runs the command line in this process, which is faster than in one of its own and says the same. */
export function babelscope(args: readonly string[], { env = {} }: CommandOptions = {}): Promise<Outcome> {
  const turn = lastTurn.then(() => inThisProcess(args, env));
  lastTurn = turn.catch(() => undefined);
  return turn;
}

/** Output is that of the process: one command line at a time. */
let lastTurn: Promise<unknown> = Promise.resolve();

async function inThisProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const { runCommandLine } = await import('../../src/cli/command-line.js');
  const said = { stdout: '', stderr: '' };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const listeners = SIGNALS.map((signal) => process.listeners(signal));
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      said[stream] += String(text);
      return true;
    }),
  );
  try {
    return { code: await runCommandLine(args), signal: null, ...said };
  } finally {
    process.exitCode = undefined;
    if (Object.keys(env).length > 0) vi.unstubAllEnvs();
    for (const spy of spies) spy.mockRestore();
    SIGNALS.forEach((signal, i) => {
      for (const listener of process.listeners(signal))
        if (!listeners[i]!.includes(listener)) process.removeListener(signal, listener);
    });
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs the command line as a user does: in a process of its own. */
export function babelscopeProcess(args: readonly string[], options: ProcessOptions = {}): Promise<Outcome> {
  const command = [process.execPath, ...(options.flags ?? []), MAIN, ...args];
  const limited = ['bash', '-c', `ulimit -f ${options.fileSizeLimit}; exec "$@"`, '-', ...command];
  const [program, ...rest] = options.fileSizeLimit === undefined ? command : limited;
  const child = spawn(program!, rest, { env: { ...process.env, ...options.env } });
  const { interruptOnce } = options;
  if (interruptOnce !== undefined) {
    const poll = setInterval(() => {
      if (!existsSync(interruptOnce)) return;
      clearInterval(poll);
      child.kill(options.interruptWith ?? 'SIGINT');
    }, 20);
    child.once('exit', () => clearInterval(poll));
  }
  if (options.killAfter !== undefined) {
    const timer = setTimeout(() => child.kill('SIGKILL'), options.killAfter);
    child.once('exit', () => clearTimeout(timer));
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
