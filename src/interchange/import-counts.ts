import { ImportError } from '../errors.js';
import { tapOutput } from '../hooks/index.js';
import type { RunManifest } from '../store/index.js';
import { type ImportedSums, type RunFormat, valuesOf, writeImportedRun } from './import-run.js';
import type { PickleValue } from './pytorch/pickle-objects.js';
import { readPytorch } from './pytorch/read-pytorch.js';
import { TorchTensor } from './pytorch/tensor.js';
import { type PlacedFile, placeFiles, type SourceFile } from './source-files.js';

const LAPE_COUNTS: RunFormat = {
  name: 'lape-counts',
  array: 'mlp.fire',
  hook: tapOutput({ hook: 'mlp.hook_pre', statistic: 'fire' }),
  caveat:
    'imported counts: which checkpoint and which text they are of is not in the files; positions are taken to be all tokens, the first included, as the released activation.py counts them.',
};

const LAHIS: RunFormat = {
  name: 'lahis',
  array: 'head.importance.sum',
  hook: 'imported head importance',
  caveat:
    'imported importances of heads: a mean over texts that the files do not number, so every file weighs the same, and `tokens` counts files.',
};

/** `en.pt`, `eng_Latn.pt`: the whole name is a tag, or a code of FLORES-200. */
const ONLY_TAG = /^([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*(?:_(?:[A-Z][a-z]{3}|[A-Z]{2}))?)\.[A-Za-z]+$/;
/** `activation.en.train.pt`, `activations_en.pt`, `act_en.pt`, `en_activation.pt`, `en.pt`. */
const COUNTS_NAMES = [
  /^(?:.*\.)?activations?\.([^.]+)\./,
  /^(?:.*[._-])?act(?:ivation)?s?[._-]([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*(?:_(?:[A-Z][a-z]{3}|[A-Z]{2}))?)[._]/,
  /^([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*(?:_(?:[A-Z][a-z]{3}|[A-Z]{2}))?)[._]act(?:ivation)?s?[._]/,
  ONLY_TAG,
];
/** `aya_en.pth`, `en.pth`. */
const MATRIX_NAMES = [/_([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*(?:_(?:[A-Z][a-z]{3}|[A-Z]{2}))?)\.[^_]*$/, ONLY_TAG];
/** A matrix of means in which more values than this are one number is none: a mask starts as ones, most of which stay. */
const SAME_VALUES = 0.5;

/**
 * Imports LAPE's activation counts (activation.py of RUCAIBox/Language-Specific-Neurons; Tang et al., ACL 2024): one file a
 * language, `activation.{lang}.….pt`, a dict of `over_zero` [layer, neuron] and `n` (or `total_tokens`), as a run with
 * `mlp.fire`. Several files of a language, of parts of its text, are folds.
 */
export async function importLapeCounts(
  sources: readonly SourceFile[],
  out: string,
  model?: string,
): Promise<RunManifest> {
  const imported: ImportedSums[] = [];
  for (const file of placeFiles(sources, COUNTS_NAMES, 'activation.en.train.pt')) {
    const value = await readPytorch(file.path);
    const field = (name: string): PickleValue | undefined =>
      value instanceof Map ? (value as ReadonlyMap<unknown, PickleValue>).get(name) : undefined;
    const sums = field('over_zero');
    const tokens = scalar(field('n') ?? field('total_tokens'), file);
    if (!(sums instanceof TorchTensor) || tokens === null) {
      throw new ImportError({
        what: 'the file holds no activation counts',
        where: file.path,
        expected: 'a dict of n (or total_tokens) and the tensor over_zero [layer, neuron]',
        found: describe(value),
        remedy: 'give what activation.py saved, or name another --format',
      });
    }
    imported.push({ file, sums, tokens });
  }
  return writeImportedRun(out, LAPE_COUNTS, imported, model);
}

/**
 * Imports LAHIS matrices (attn_matrix.py of Linuxin-xxx/LAHIS; Liu et al., 2025): one file a language,
 * `{model}_{lang}.pth`, a tensor [layer, head], as a run with `head.importance.sum`. Several files of a language are folds.
 */
export async function importLahis(
  sources: readonly SourceFile[],
  out: string,
  model?: string,
): Promise<RunManifest> {
  const imported: ImportedSums[] = [];
  for (const file of placeFiles(sources, MATRIX_NAMES, 'model_en.pth')) {
    const sums = await readPytorch(file.path);
    if (!(sums instanceof TorchTensor)) {
      throw new ImportError({
        what: 'the file holds no importance matrix',
        where: file.path,
        expected: 'a tensor [layer, head]',
        found: describe(sums),
        remedy: 'give what attn_matrix.py saved, or name another --format',
      });
    }
    if (sums.shape.length === 2) assertNoMask(sums, file.path);
    imported.push({ file, sums, tokens: 1 });
  }
  return writeImportedRun(out, LAHIS, imported, model);
}

/**
 * LAHIS trains masks of the same shape as the importances, of which only some heads learn: the others keep one number.
 *
 * @throws ImportError
 */
function assertNoMask(sums: TorchTensor, path: string): void {
  const times = new Map<number, number>();
  for (const value of valuesOf(sums, path)) times.set(value, (times.get(value) ?? 0) + 1);
  const kept = [...times].find(([value, n]) => value !== 0 && n > 1 && n > SAME_VALUES * sums.size);
  if (kept === undefined) return;
  throw new ImportError({
    what: 'the file holds a mask of heads, no importances',
    where: path,
    expected: 'means over texts, hardly two of which are equal, as attn_matrix.py saves them',
    found: `${kept[1]} of ${sums.size} values are ${kept[0]}`,
    remedy:
      'give the importance matrices; a trained mask says by how much heads are scaled, not what they are for',
  });
}

/** A number, or a tensor of one. */
function scalar(value: PickleValue | undefined, { path }: PlacedFile): number | null {
  if (typeof value === 'number') return value;
  if (value instanceof TorchTensor && value.size === 1) return valuesOf(value, path)[0]!;
  return null;
}

/** The kind of a value, in words. */
export function describe(value: PickleValue): string {
  if (value instanceof TorchTensor) return `a tensor ${value.dtype} [${value.shape.join(', ')}]`;
  if (value instanceof Map)
    return `a dict of ${[...value.keys()].slice(0, 8).map(String).join(', ') || 'nothing'}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return value === null ? 'None' : `a ${typeof value}`;
}
