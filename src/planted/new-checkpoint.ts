import { copyFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Checkpoint } from '../checkpoint/index.js';
import { UsageError } from '../errors.js';
import { toOutputError } from '../store/index.js';
import { makeFolders } from '../system-errors.js';

/** Files of a checkpoint folder that are no part of a Hugging Face checkpoint as babelscope reads it. */
const LEFT_BEHIND = /\.(bin|pt|pth|gguf|onnx|onnx_data|msgpack|h5)$/;
const WEIGHTS = /\.safetensors(\.index\.json)?$/;

/**
 * Makes a folder that exists whole or not at all: `fill` writes into a folder beside it, which is then renamed.
 *
 * @throws UsageError if there is something at `out` already; OutputError if it cannot be written
 */
export async function makeWholeFolder<T>(out: string, fill: (folder: string) => Promise<T>): Promise<T> {
  const target = resolve(out);
  if ((await stat(target).catch(() => null)) !== null) {
    throw new UsageError({
      what: 'there is something at the place for the new checkpoint',
      where: target,
      remedy: 'remove it, or write elsewhere',
    });
  }
  const partial = join(dirname(target), `.${basename(target)}.${process.pid}.partial`);
  try {
    await makeFolders(partial);
    const made = await fill(partial);
    await rename(partial, target);
    return made;
  } catch (cause) {
    throw toOutputError(cause, target);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Copies the files of a checkpoint, links followed; without its weights on request. */
export async function copyCheckpoint(
  { folder }: Checkpoint,
  to: string,
  { weights }: { readonly weights: boolean },
): Promise<void> {
  for (const name of await readdir(folder)) {
    if (LEFT_BEHIND.test(name) || (!weights && WEIGHTS.test(name))) continue;
    const path = join(folder, name);
    if ((await stat(path)).isFile()) await copyFile(path, join(to, name));
  }
}

/** Sets fields of the config.json of a copied checkpoint. */
export async function writeConfig(folder: string, config: Readonly<Record<string, unknown>>): Promise<void> {
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}
