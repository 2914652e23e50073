import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin, transform } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SRC = join(ROOT, 'src');

/** The sources as JavaScript, for what Node runs itself under tests: worker threads and the command line. */
export const TRANSPILED = join(ROOT, '.transpiled');

/** Scripts of threads. The suite starts hundreds of threads, so each script holds what it uses of the sources. */
const THREADS = [
  'runtime/worker/worker.ts',
  'scores/engine/score-worker.ts',
  'compare/units/change-worker.ts',
];

/**
 * Transpiles each source into the same place under `.transpiled/`, which lies as deep as `dist/` so that paths from a
 * module to the package's other files hold. A file newer than its source is left alone; a file without one is deleted.
 */
export async function transpileSources(): Promise<void> {
  mkdirSync(TRANSPILED, { recursive: true });
  const sources = filesOf(SRC).filter((name) => name.endsWith('.ts'));
  const alone = sources.filter((name) => !THREADS.includes(name));
  await Promise.all([
    bundleThreads(),
    ...alone.map(async (name) => {
      const target = join(TRANSPILED, name.replace(/\.ts$/, '.js'));
      if (existsSync(target) && statSync(target).mtimeMs > statSync(join(SRC, name)).mtimeMs) return;
      const { code } = await transform(readFileSync(join(SRC, name), 'utf8'), {
        loader: 'ts',
        target: 'es2022',
        sourcefile: join(SRC, name),
      });
      place(target, code);
    }),
  ]);
  const wanted = new Set(sources.map((name) => name.replace(/\.ts$/, '.js')));
  for (const name of filesOf(TRANSPILED).filter((name) => name.endsWith('.js') && !wanted.has(name)))
    rmSync(join(TRANSPILED, name), { force: true });
}

/** A thread that loads its few modules from one file starts in a fifth of the time. */
async function bundleThreads(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: THREADS.map((name) => join(SRC, name)),
    outbase: SRC,
    outdir: TRANSPILED,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    write: false,
    plugins: [USED_SOURCES],
  });
  for (const { path, text } of outputFiles) place(path, text);
}

/** Packages stay outside a bundle, and a module that nothing is used of is left out. A module keeps its own address. */
const USED_SOURCES: Plugin = {
  name: 'used-sources',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\./ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(/\.js$/, '.ts')),
      sideEffects: false,
    }));
    onResolve({ filter: /^[^./]/ }, () => ({ external: true, sideEffects: false }));
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const { href } = pathToFileURL(join(TRANSPILED, path.slice(SRC.length).replace(/\.ts$/, '.js')));
      const code = readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(href));
      return { contents: code, loader: 'ts' };
    });
  },
};

/** A test run beside this one never reads half a file. */
function place(target: string, code: string): void {
  mkdirSync(dirname(target), { recursive: true });
  const partial = `${target}.${process.pid}`;
  writeFileSync(partial, code);
  renameSync(partial, target);
}

/** Every file in `folder` and its folders, relative to it. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
