import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Starts a process from a file of ours, which lies beside its caller as `.js` in the package and as `.ts` in the sources,
 * where the process loads tsx first. What it writes to its standard error comes through a pipe.
 *
 * @param script The built file, `new URL('./name.js', import.meta.url)`.
 */
export function startChild(script: URL): ChildProcess {
  if (!import.meta.url.endsWith('.ts')) return forked(script, []);
  const resolved = createRequire(import.meta.url).resolve('tsx/esm/api');
  const tsx = pathToFileURL(resolved).href.replace(/cjs$/, 'mjs');
  // tsx registers nothing by itself in a process whose parent it started.
  const register = `data:text/javascript,import { register } from '${tsx}'; register();`;
  return forked(new URL(script.href.replace(/\.js$/, '.ts')), ['--import', register]);
}

/** @param execArgv flags of Node; it gets none of this process's own. */
function forked(script: URL, execArgv: string[]): ChildProcess {
  return fork(fileURLToPath(script), {
    execArgv,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, RUST_BACKTRACE: '0' },
  });
}
