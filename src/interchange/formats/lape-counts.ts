import { basename } from 'node:path';
import { UsageError } from '../../errors.js';
import { tapOutput } from '../../hooks/index.js';
import { checkShapes, checkValues, type ImportedSums, type RunKind, valuesOf } from '../imported-run.js';
import type { PickleValue } from '../pytorch/pickle-objects.js';
import { readPytorch } from '../pytorch/read-pytorch.js';
import { TorchTensor } from '../pytorch/tensor.js';
import { type PlacedFile, placeFiles, type SourceFile, TAG, TAG_ALONE } from '../source-files.js';
import { assertSaid } from './facts.js';
import { describe, type Imported, type ImportFormat, unusableFile } from './format.js';

const KIND: RunKind = {
  name: 'lape-counts',
  array: 'mlp.fire',
  hook: tapOutput({ hook: 'mlp.hook_pre', statistic: 'fire' }),
  caveat:
    'imported counts: which checkpoint and which text they are of is not in the files; positions are taken to be all tokens, the first included, as the released activation.py counts them.',
};

const RATES: RunKind = {
  name: 'lape-counts',
  array: 'mlp.rate.sum',
  hook: tapOutput({ hook: 'mlp.hook_pre', statistic: 'fire' }),
  caveat:
    'imported rates: which checkpoint and which text they are of is not in the files. How many tokens they are of is not either: sequences stand for tokens, and weigh the folds.',
};

/** The rates of kinit-sk/language-neuron-detection, [layer, neuron], beside `n` sequences. */
const RATE_FIELD = 'mlp_over_threshold_rate';
const THRESHOLD_FIELD = 'mlp_activation_threshold';

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
 * does: what is left are the counts of the answers. Rates of kinit-sk/language-neuron-detection, means over `n` sequences,
 * become a run with `mlp.rate.sum`.
 */
export const lapeCounts: ImportFormat = {
  name: 'lape-counts',
  title: 'counts, or rates, of firing neurons become a run; several files of a language are its folds',
  files:
    'a dict of n (or total_tokens) and over_zero, or mlp_over_threshold_rate, [layer, neuron]: activation.{lang}.….pt',
  languages: 'each',
  options: ['layers', 'neurons', 'prefix'],
  recognise: (sample) =>
    sample.kind === 'pytorch' &&
    sample.value instanceof Map &&
    (sample.value.has('over_zero') || sample.value.has(RATE_FIELD)),
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
    const rates = [...whole, ...prefixes].filter(({ threshold }) => threshold !== null);
    if (rates.length > 0) return importedRates(rates, [...whole, ...prefixes], prefixes.length > 0);
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

/** The contents of a file, with the threshold of its rates; null where it holds counts. */
interface ReadSums extends ImportedSums {
  readonly threshold: number | null;
}

/** Rates become a run where all files hold them, of one threshold. @throws UsageError */
function importedRates(rates: readonly ReadSums[], all: readonly ReadSums[], hasPrefixes: boolean): Imported {
  const [first] = rates as [ReadSums];
  const counts = all.find(({ threshold }) => threshold === null);
  const other = rates.find(({ threshold }) => threshold !== first.threshold);
  if (counts !== undefined || other !== undefined || hasPrefixes) {
    throw new UsageError({
      what: hasPrefixes
        ? 'rates of prefixes cannot be subtracted from rates: how many tokens each is of is not in the files'
        : 'the files hold different things',
      where: (counts ?? other ?? first).file.path,
      expected: `rates of activations above ${first.threshold}, as in ${first.file.path}`,
      found: counts !== undefined ? 'counts' : `rates of activations above ${(other ?? first).threshold}`,
      remedy: 'give files that one program recorded with the same options, or counts of all',
    });
  }
  const above =
    first.threshold === 0
      ? []
      : [
          `rates are of activations above ${first.threshold}, not above 0: no firing rates as Tang et al. define them.`,
        ];
  return { becomes: 'run', kind: RATES, sums: rates, warnings: above };
}

/** Σ over sequences of a rate: the rate times their number. */
function timesSequences(rates: TorchTensor, sequences: number, path: string): TorchTensor {
  const sums = Float64Array.from(valuesOf(rates, path));
  const outside = sums.findIndex((rate) => !(rate >= 0 && rate <= 1));
  if (outside !== -1) {
    throw unusableFile(
      'the file holds what is no rate',
      path,
      'numbers from 0 to 1',
    )(`${sums[outside]} at ${outside}`);
  }
  for (let i = 0; i < sums.length; i++) sums[i]! *= sequences;
  const storage = { dtype: 'float64', bytes: new Uint8Array(sums.buffer), length: sums.length } as const;
  return new TorchTensor(storage, 0, rates.shape, [rates.shape[1] ?? 0, 1]);
}

async function readAll(sources: readonly SourceFile[]): Promise<ReadSums[]> {
  const read: ReadSums[] = [];
  for (const file of placeFiles(sources, NAMES, EXAMPLE)) {
    const value = await readPytorch(file.path);
    const field = (name: string): PickleValue | undefined =>
      value instanceof Map ? (value as ReadonlyMap<unknown, PickleValue>).get(name) : undefined;
    const rates = field(RATE_FIELD);
    const sums = field('over_zero');
    const tokens = scalar(field('n') ?? field('total_tokens'), file);
    if (
      rates instanceof TorchTensor &&
      rates.shape.length === 2 &&
      tokens !== null &&
      !(sums instanceof TorchTensor)
    ) {
      const threshold = field(THRESHOLD_FIELD);
      read.push({
        file,
        sums: timesSequences(rates, tokens, file.path),
        tokens,
        threshold: typeof threshold === 'number' ? threshold : 0,
      });
      continue;
    }
    if (!(sums instanceof TorchTensor) || tokens === null) {
      throw unusableFile(
        'the file holds no activation counts',
        file.path,
        `a dict of n (or total_tokens) and the tensor over_zero, or ${RATE_FIELD}, [layer, neuron]`,
        'give what activation.py saved, or name another --format',
      )(describe(value));
    }
    read.push({ file, sums, tokens, threshold: null });
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
