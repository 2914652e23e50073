import { ImportError, UsageError } from '../../errors.js';
import { checkShapes, checkValues, type ImportedSums, type RunKind, valuesOf } from '../imported-run.js';
import { readPytorch } from '../pytorch/read-pytorch.js';
import { TorchTensor } from '../pytorch/tensor.js';
import { type ImportedSelection, Members, UNKNOWN_RULE } from '../selection.js';
import { placeFiles, TAG, TAG_ALONE } from '../source-files.js';
import { assertSaid, type Said } from './facts.js';
import { describe, type ImportFormat, unusableFile } from './format.js';

const KIND: RunKind = {
  name: 'lahis',
  array: 'head.importance.sum',
  hook: 'imported head importance',
  caveat:
    'imported importances of heads: a mean over texts that the files do not number, so every file weighs the same, and `tokens` counts files.',
};

/** `aya_en.pth`, `en.pth`. */
const NAMES = [new RegExp(`_(${TAG})\\.[^_]*$`), TAG_ALONE];

/** A matrix of means in which more values than this are one number is none: a mask starts as ones, most of which stay. */
const SAME_VALUES = 0.5;
/** Importances are skewed: in 94 released matrices the largest is 14 to 198 times the median. */
const SKEW = 5;
/** Those matrices reach 20 to 838. Gates reach 1, multipliers and logits some units. */
const LARGEST_OF_MASKS = 10;
/** At most 4.6 % of those importances are negative; of logits half may be. */
const NEGATIVE = 0.1;

/**
 * LAHIS matrices (attn_matrix.py of Linuxin-xxx/LAHIS; Liu et al., 2025): one file a language, a tensor [layer, head].
 * Importances become a run with `head.importance.sum`; several files of a language are folds. A trained mask of heads has
 * the same shape: with a threshold it becomes a selection. Where the values do not tell which it is, it must be said.
 */
export const lahis: ImportFormat = {
  name: 'lahis',
  title: 'importances of heads become a run; with --kind mask, heads above a threshold become a selection',
  files: 'a tensor [layer, head]: {model}_{lang}.pth',
  languages: 'each',
  options: ['layers', 'heads', 'kind', 'threshold', 'counts', 'rule'],
  recognise: (sample) =>
    sample.kind === 'pytorch' && sample.value instanceof TorchTensor && sample.value.shape.length === 2,
  async read({ files }, said) {
    const sums: ImportedSums[] = [];
    for (const file of placeFiles(files, NAMES, 'model_en.pth')) {
      const matrix = await readPytorch(file.path);
      if (!(matrix instanceof TorchTensor)) {
        throw unusableFile(
          'the file holds no importance matrix',
          file.path,
          'a tensor [layer, head]',
          'give what attn_matrix.py saved, or name another --format',
        )(describe(matrix));
      }
      sums.push({ file, sums: matrix, tokens: 1 });
    }
    const [layers, heads] = checkShapes(sums);
    assertSaid(said, { layers, heads });
    for (const one of sums) checkValues(KIND, one);
    if (said.facts.kind === 'mask') {
      return { becomes: 'selection', ...headsAbove(sums, said, layers, heads) };
    }
    for (const name of ['threshold', 'rule', 'counts'] as const) {
      if (said.facts[name] === undefined) continue;
      throw new UsageError({
        what: 'importances are not selected from, so this would change nothing',
        where: said.where(name),
        remedy: 'leave it out, or say that the files hold masks with --kind mask',
      });
    }
    for (const one of sums) assertImportances(one, said);
    return { becomes: 'run', kind: KIND, sums };
  },
};

/**
 * Trained masks of heads have the shape of importances. Values of which most are one number are no importances. Values
 * that no mask has are: few are negative, and the largest is far above the median and what a mask reaches.
 *
 * @throws ImportError of a mask; UsageError where the values do not tell, and nobody said.
 */
function assertImportances({ file: { path }, sums }: ImportedSums, { facts }: Said): void {
  const values = valuesOf(sums, path).sort();
  const times = new Map<number, number>();
  for (const value of values) times.set(value, (times.get(value) ?? 0) + 1);
  const kept = [...times].find(([value, n]) => value !== 0 && n > 1 && n > SAME_VALUES * sums.size);
  if (kept !== undefined) {
    throw new ImportError({
      what: 'the file holds a mask of heads, no importances',
      where: path,
      expected: 'means over texts, hardly two of which are equal, as attn_matrix.py saves them',
      found: `${kept[1]} of ${sums.size} values are ${kept[0]}`,
      remedy: 'give the importance matrices; or select heads of the mask with --kind mask --threshold <x>',
    });
  }
  if (facts.kind === 'importances') return;
  const median = values[values.length >> 1]!;
  const largest = values.at(-1)!;
  const negative = values.filter((value) => value < 0).length;
  if (largest > Math.max(LARGEST_OF_MASKS, SKEW * median) && negative <= NEGATIVE * values.length) return;
  const number = (value: number) => String(Number(value.toPrecision(3)));
  throw new UsageError({
    what: 'the values do not tell whether they are importances or a trained mask of heads',
    where: path,
    expected: `importances, whose largest is above ${LARGEST_OF_MASKS} and more than ${SKEW} times the median`,
    found: `values from ${number(values[0]!)} to ${number(largest)}, median ${number(median)}, ${negative} of ${values.length} negative`,
    remedy:
      'say --kind importances; or of gates, multipliers or logits --kind mask --threshold <x>, which selects the heads above x',
  });
}

/** The heads of masks that are above the threshold, each mask's for its language. @throws UsageError */
function headsAbove(
  masks: readonly ImportedSums[],
  { facts, where }: Said,
  layers: number,
  heads: number,
): ImportedSelection {
  const { threshold } = facts;
  if (threshold === undefined) {
    throw new UsageError({
      what: 'a mask becomes a selection by a threshold, and none is given',
      where: where('threshold'),
      expected: 'a number above which a head is selected: such as 0.5 of gates, 0 of logits',
      remedy: 'add --threshold <x>',
    });
  }
  const second = masks.find(({ file }) => file.fold > 0);
  if (second !== undefined) {
    throw new UsageError({
      what: 'a language has two masks',
      where: second.file.path,
      found: second.file.language,
      remedy: 'import each into a folder of its own, and compare the folders',
    });
  }
  const members = new Members();
  for (const [k, { file, sums }] of masks.entries()) {
    for (const [i, value] of valuesOf(sums, file.path).entries()) {
      if (value > threshold) members.add(Math.floor(i / heads), i % heads, k);
    }
  }
  const rule = facts.rule ?? UNKNOWN_RULE;
  return {
    unit: 'head',
    languages: masks.map(({ file }) => file.language),
    layers,
    layersKnown: true,
    width: heads,
    rule: `${rule === UNKNOWN_RULE ? 'trained mask' : rule} > ${threshold}`,
    members,
    counts: null,
    notes: [],
  };
}
