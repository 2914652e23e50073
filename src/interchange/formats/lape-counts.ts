import { basename } from 'node:path';
import { UsageError } from '../../errors.js';
import { tapOutput } from '../../hooks/index.js';
import { checkShapes, checkValues, type ImportedSums, type RunKind, valuesOf } from '../imported-run.js';
import type { PickleValue } from '../pytorch/pickle-objects.js';
import { readPytorch } from '../pytorch/read-pytorch.js';
import { TorchTensor } from '../pytorch/tensor.js';
import { type PlacedFile, placeFiles, type SourceFile, TAG, TAG_ALONE } from '../source-files.js';
import { assertSaid } from './facts.js';
import { describe, type ImportFormat, unusableFile } from './format.js';

const KIND: RunKind = {
  name: 'lape-counts',
  array: 'mlp.fire',
  hook: tapOutput({ hook: 'mlp.hook_pre', statistic: 'fire' }),
  caveat:
    'imported counts: which checkpoint and which text they are of is not in the files; positions are taken to be all tokens, the first included, as the released activation.py counts them.',
};

/** `activation.en.train.pt`, `activations_en.pt`, `act_en.pt`, `en_activation.pt`, `en.pt`. */
const NAMES = [
  /^(?:.*\.)?activations?\.([^.]+)\./,
  new RegExp(`^(?:.*[._-])?act(?:ivation)?s?[._-](${TAG})[._]`),
  new RegExp(`^(${TAG})[._]act(?:ivation)?s?[._]`),
  TAG_ALONE,
];
const EXAMPLE = 'activation.en.train.pt';
/** NJUNLP/Language-Neurons-Alignment calls counts of prompts without answers so. */
const PREFIX_NAME = /^prefix\./;

/**
 * LAPE's activation counts (activation.py of RUCAIBox/Language-Specific-Neurons; Tang et al., ACL 2024): one file a
 * language, a dict of `over_zero` [layer, neuron] and `n` (or `total_tokens`), become a run with `mlp.fire`. Several files
 * of a language, of parts of its text, are folds. Counts of prefixes are subtracted, as NJUNLP/Language-Neurons-Alignment
 * does: what is left are the counts of the answers.
 */
export const lapeCounts: ImportFormat = {
  name: 'lape-counts',
  title: 'counts of firing neurons become a run; several files of a language are its folds',
  files: 'a dict of n (or total_tokens) and over_zero [layer, neuron]: activation.{lang}.….pt',
  languages: 'each',
  options: ['layers', 'neurons', 'prefix'],
  recognise: (sample) =>
    sample.kind === 'pytorch' && sample.value instanceof Map && sample.value.has('over_zero'),
  async read({ files, prefix }, said) {
    const isPrefix = ({ path }: SourceFile) => PREFIX_NAME.test(basename(path));
    const whole = await readAll(files.filter((file) => !isPrefix(file)));
    const prefixes = await readAll([...files.filter(isPrefix), ...prefix]);
    if (whole.length === 0) {
      throw new UsageError({
        what: 'there are counts of prefixes alone',
        expected: 'the counts of whole texts, from which those of their prefixes are subtracted',
        found: prefixes.map(({ file }) => file.path).join(', '),
        remedy: 'give the files of whole texts too, or rename these if they are no prefixes',
      });
    }
    const [layers, neurons] = checkShapes([...whole, ...prefixes]);
    assertSaid(said, { layers, neurons });
    if (prefixes.length === 0) return { becomes: 'run', kind: KIND, sums: whole };
    const { sums, negative, beyond } = subtract(whole, prefixes);
    return {
      becomes: 'run',
      kind: KIND,
      sums,
      subtracted: prefixes.map(({ file }) => file),
      warnings: [
        `counts of prefixes are subtracted: tokens and firings are those after the prefix. Of ${layers * neurons * whole.length} differences, ${negative} were below 0 and are 0, ${beyond} were above the tokens left and are those.`,
      ],
    };
  },
};

async function readAll(sources: readonly SourceFile[]): Promise<ImportedSums[]> {
  const read: ImportedSums[] = [];
  for (const file of placeFiles(sources, NAMES, EXAMPLE)) {
    const value = await readPytorch(file.path);
    const field = (name: string): PickleValue | undefined =>
      value instanceof Map ? (value as ReadonlyMap<unknown, PickleValue>).get(name) : undefined;
    const sums = field('over_zero');
    const tokens = scalar(field('n') ?? field('total_tokens'), file);
    if (!(sums instanceof TorchTensor) || tokens === null) {
      throw unusableFile(
        'the file holds no activation counts',
        file.path,
        'a dict of n (or total_tokens) and the tensor over_zero [layer, neuron]',
        'give what activation.py saved, or name another --format',
      )(describe(value));
    }
    read.push({ file, sums, tokens });
  }
  return read;
}

/**
 * Counts of whole texts minus those of their prefixes, language by language and fold by fold, cut to what the tokens left
 * can have: a prefix alone is tokenised, and fires, a little differently at its end.
 *
 * @throws UsageError where one has no counterpart, or a prefix has as many tokens as the whole.
 */
function subtract(
  whole: readonly ImportedSums[],
  prefixes: readonly ImportedSums[],
): { readonly sums: ImportedSums[]; readonly negative: number; readonly beyond: number } {
  const same = (a: PlacedFile) => (b: ImportedSums) =>
    b.file.language === a.language && b.file.fold === a.fold;
  const unpaired = (side: readonly ImportedSums[], other: readonly ImportedSums[]) =>
    side.find(({ file }) => !other.some(same(file)));
  const alone = unpaired(whole, prefixes) ?? unpaired(prefixes, whole);
  if (alone !== undefined) {
    throw new UsageError({
      what: 'prefixes are subtracted from whole texts, file by file, and one has no counterpart',
      where: alone.file.path,
      expected: 'a file of the prefixes for each file of a language, in the same order',
      found: `${alone.file.language}, fold ${alone.file.fold + 1}`,
      remedy: 'give both files of every language, or no prefix at all',
    });
  }
  let [negative, beyond] = [0, 0];
  const sums = whole.map((one): ImportedSums => {
    const prefix = prefixes.find(same(one.file))!;
    for (const side of [one, prefix]) checkValues(KIND, side);
    if (prefix.tokens >= one.tokens) {
      throw new UsageError({
        what: 'the prefixes have as many tokens as the whole texts',
        where: prefix.file.path,
        expected: `fewer than the ${one.tokens} of ${one.file.path}`,
        found: String(prefix.tokens),
        remedy: 'check which files are of prefixes: theirs begin with prefix., or follow --prefix',
      });
    }
    const tokens = one.tokens - prefix.tokens;
    const left = valuesOf(one.sums, one.file.path);
    const less = valuesOf(prefix.sums, prefix.file.path);
    for (let i = 0; i < left.length; i++) {
      const difference = left[i]! - less[i]!;
      if (difference < 0) negative++;
      if (difference > tokens) beyond++;
      left[i] = Math.min(tokens, Math.max(0, difference));
    }
    const [, width = 0] = one.sums.shape;
    const storage = {
      dtype: 'float64',
      bytes: new Uint8Array(left.buffer),
      length: left.length,
    } as const;
    return {
      file: one.file,
      sums: new TorchTensor(storage, 0, one.sums.shape, [width, 1]),
      tokens,
    };
  });
  return { sums, negative, beyond };
}

/** A number, or a tensor of one. */
function scalar(value: PickleValue | undefined, { path }: PlacedFile): number | null {
  if (typeof value === 'number') return value;
  if (value instanceof TorchTensor && value.size === 1) return valuesOf(value, path)[0]!;
  return null;
}
