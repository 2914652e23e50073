import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { TRANSPILED } from '../support/transpile-sources.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CHILD = join(TRANSPILED, 'fuzz-child.mjs');

/** Kilobytes of data a process may have, and megabytes of JavaScript's heap. */
const MOST_DATA_KB = 3_000_000;
const MOST_HEAP_MB = 512;
/** Seconds without a word after which a process is taken to hang. */
const MOST_SILENCE_S = 120;

export interface Outcomes {
  readonly read: number;
  readonly refused: number;
  /** What went wrong: an error that is none of ours, a crash, a hang. */
  readonly faults: readonly string[];
  /** Longest processor time of a seed. */
  readonly milliseconds: number;
  /** Most memory of the process. */
  readonly bytes: number;
}

/** The sources that the child uses are those transpiled for threads; what tests add is bundled into one file beside them. */
export async function buildChild(): Promise<void> {
  await build({
    entryPoints: [join(ROOT, 'test/fuzz/child.ts')],
    outfile: CHILD,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    plugins: [
      {
        name: 'transpiled sources',
        setup({ onResolve }) {
          onResolve({ filter: /\/src\// }, ({ path }) => ({
            path: join(TRANSPILED, path.slice(path.indexOf('/src/') + 5)),
            external: true,
          }));
        },
      },
    ],
  });
}

/** Damages and reads files of a kind, in a process with limits of memory and time. */
export function fuzz(kind: string, firstSeed: number, seeds: number): Promise<Outcomes> {
  const node = [process.execPath, `--max-old-space-size=${MOST_HEAP_MB}`, CHILD];
  const args = [kind, String(firstSeed), String(seeds), join(ROOT, 'test/fixtures')];
  const limited = `ulimit -d ${MOST_DATA_KB}; exec "$@"`;
  const child = spawn('bash', ['-c', limited, '-', ...node, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const result = { read: 0, refused: 0, faults: [] as string[], milliseconds: 0, bytes: 0 };
  let seed = 'none';
  let done = false;
  let words = '';
  child.stderr.on('data', (text) => {
    words = (words + text).slice(-3_000);
  });
  let silence: NodeJS.Timeout | undefined;
  const listen = () => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      result.faults.push(`seed ${seed}: silent for ${MOST_SILENCE_S} s`);
      child.kill('SIGKILL');
    }, MOST_SILENCE_S * 1000);
  };
  listen();
  createInterface({ input: child.stdout }).on('line', (line) => {
    listen();
    const said = JSON.parse(line) as Record<string, unknown>;
    if (said.seed !== undefined) seed = String(said.seed);
    if (typeof said.fault === 'string') result.faults.push(said.fault);
    if (said.outcome === 'read') result.read++;
    if (said.outcome === 'refused') result.refused++;
    if (typeof said.milliseconds === 'number')
      result.milliseconds = Math.max(result.milliseconds, said.milliseconds);
    if (said.done === true) {
      done = true;
      result.bytes = Number(said.bytes);
    }
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(silence);
      if (!done) result.faults.push(`seed ${seed}: ended with ${signal ?? code}\n${words}`);
      resolve(result);
    });
  });
}
