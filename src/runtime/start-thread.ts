import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * Starts a worker thread from a file of ours. The file lies beside its caller as `.js` in the package and as `.ts` in
 * the sources, where the thread loads tsx first.
 *
 * The thread gets none of this process's own flags: V8's flags and `--input-type` would make it fail.
 *
 * @param script The built file, `new URL('./name.js', import.meta.url)`.
 * @param workerData What the thread is started with.
 */
export function startThread(script: URL, workerData: unknown): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(script, { workerData, execArgv: [] });
  const source = script.href.replace(/\.js$/, '.ts');
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')).href.replace(
    /cjs$/,
    'mjs',
  );
  const code = `import('${tsx}').then(({ register }) => { register(); return import('${source}'); });`;
  return new Worker(code, { eval: true, workerData, execArgv: [] });
}
