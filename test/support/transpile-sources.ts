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
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SRC = join(ROOT, 'src');

/** The sources as JavaScript, for what Node runs itself under tests: worker threads and the command line. */
export const TRANSPILED = join(ROOT, '.transpiled');

/**
 * Transpiles each source into the same place under `.transpiled/`, which lies as deep as `dist/` so that paths from a
 * module to the package's other files hold. A file newer than its source is left alone; a file without one is deleted.
 */
export async function transpileSources(): Promise<void> {
  mkdirSync(TRANSPILED, { recursive: true });
  const sources = filesOf(SRC).filter((name) => name.endsWith('.ts'));
  await Promise.all(
    sources.map(async (name) => {
      const target = join(TRANSPILED, name.replace(/\.ts$/, '.js'));
      if (existsSync(target) && statSync(target).mtimeMs > statSync(join(SRC, name)).mtimeMs) return;
      const { code } = await transform(readFileSync(join(SRC, name), 'utf8'), {
        loader: 'ts',
        target: 'es2022',
        sourcefile: join(SRC, name),
        sourcemap: 'inline',
      });
      mkdirSync(dirname(target), { recursive: true });
      // A test run beside this one never reads half a file.
      const partial = `${target}.${process.pid}`;
      writeFileSync(partial, code);
      renameSync(partial, target);
    }),
  );
  const wanted = new Set(sources.map((name) => name.replace(/\.ts$/, '.js')));
  for (const name of filesOf(TRANSPILED).filter((name) => name.endsWith('.js') && !wanted.has(name)))
    rmSync(join(TRANSPILED, name), { force: true });
}

/** Every file in `folder` and its folders, relative to it. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
