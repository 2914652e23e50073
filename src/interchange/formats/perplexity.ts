import { extname } from 'node:path';
import { parse } from 'csv-parse/sync';
import { ImportError, messageOf, UsageError } from '../../errors.js';
import { readWholeFile } from '../../read-file.js';
import { isObject, readJson } from '../../read-json.js';
import type { PickleValue } from '../pytorch/pickle-objects.js';
import { readPytorch } from '../pytorch/read-pytorch.js';
import { LanguageCodes, languageOf, placeFiles, type SourceFile, TAG, TAG_ALONE } from '../source-files.js';
import type { MatrixQuantity, Said } from './facts.js';
import { type ImportFormat, type Sample, unusableFile } from './format.js';

/** Numbers by the code of the language tested. */
type Row = ReadonlyMap<string, number | null>;
/** Rows by the code of the language intervened on. */
type Rows = ReadonlyMap<string, Row>;
/** The contents of a file. `own`: its fields say what the numbers are. */
interface Read {
  readonly rows: Rows | null;
  readonly row: Row | null;
  readonly baseline: Row | null;
  readonly own: boolean;
}
type Unusable = ReturnType<typeof unusableFile>;

/** `ppl_bul_Cyrl.pt`, `en.json`. */
const NAMES = [new RegExp(`[_.-](${TAG})\\.[A-Za-z]+$`), TAG_ALONE];
/** Names of the row without an intervention. */
const NO_INTERVENTION = /^(none|null|baseline|normal|)$/i;
const REMEDY = 'give the matrix as it was released, or name another --format';
/** A matrix of all languages of the world has some MB. */
const MAX_TABLE_BYTES = 2 ** 24; // 16 MiB
/** The field of a cell that has more than a number: the mean over texts. */
const MEAN = 'mean_perplexity';

/** A pickled dict as a JSON object; whatever else there is stays. */
function plain(value: PickleValue | unknown): unknown {
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([key, entry]) => [String(key), plain(entry)]));
}

const isCell = (value: unknown) =>
  value === null || typeof value === 'number' || (isObject(value) && typeof value[MEAN] === 'number');
const isRow = (value: unknown) =>
  isObject(value) && Object.keys(value).length > 0 && Object.values(value).every(isCell);

/** The object of a sample; undefined where it holds none. */
function objectOf(sample: Sample): Record<string, unknown> | undefined {
  const value = sample.kind === 'text' ? undefined : plain(sample.value);
  return isObject(value) ? value : undefined;
}

/**
 * Matrices of perplexities, intervened language × tested language: `{baseline: {…}, masked: {en: {…}, …}}` in JSON, as
 * jvonrad/Lost-in-Mistranslation released it; dicts of rows in JSON or as pickled by NJUNLP/Language-Neurons-Alignment;
 * CSV with the tested languages in its head, as kinit-sk/language-neuron-detection writes it; a file a row of
 * `{mean_perplexity}` by language, as LyzanderAndrylie/language-specific-features released it.
 */
export const perplexity: ImportFormat = {
  name: 'perplexity',
  title: 'perplexities under an intervention, intervened × tested language, become a matrix',
  files:
    '{"baseline": {"en": 15.4, …}, "masked": {"en": {…}, …}}, {"en": {"en": 33.6, …}, …}, a CSV of such rows, or a file a row',
  languages: 'each',
  options: ['quantity', 'baseline', 'rule'],
  recognise(sample) {
    if (sample.kind === 'text') {
      const [head, row] = sample.lines.map((line) => line.split(','));
      return (
        head !== undefined &&
        row !== undefined &&
        head.length > 1 &&
        head.length === row.length &&
        head.slice(1).every(isLanguage) &&
        row.slice(1).every((cell) => cell.trim() === '' || Number.isFinite(Number(cell)))
      );
    }
    const object = objectOf(sample);
    if (object === undefined || Object.keys(object).some((key) => /^\d+$/.test(key))) return false;
    if (isRow(object)) return Object.values(object).some(isObject);
    const rows = Object.values(isObject(object.masked) ? object.masked : object);
    return rows.length > 0 && rows.every(isRow);
  },
  async read({ files, baseline: baselineFile }, said) {
    const named = new Map<string, Row>();
    let baseline: Row | null = null;
    let own = true;
    for (const file of files) {
      const read = await readOne(file.path, files.length === 1 && file.language === null);
      own &&= read.own;
      if (read.rows !== null) {
        for (const [code, row] of read.rows) named.set(code, row);
        baseline = read.baseline;
      } else {
        const { language } = placeFiles([file], NAMES, 'ppl_en.pt')[0]!;
        if (named.has(language)) {
          throw new UsageError({
            what: 'a language has two rows',
            where: file.path,
            found: language,
            remedy: 'give one file for each language that was intervened on',
          });
        }
        named.set(language, read.row!);
      }
    }
    if (baselineFile !== null) {
      if (baseline !== null) {
        throw new UsageError({
          what: 'the file has a row without an intervention already',
          where: '--baseline',
          found: baselineFile.path,
          remedy: 'leave it out',
        });
      }
      const { row, own: ownBaseline } = await readOne(baselineFile.path, false);
      baseline = row;
      own &&= ownBaseline;
    }
    return {
      becomes: 'matrix',
      ...arrange(files, named, baseline, quantityOf(files[0]!, own, said)),
      rule: said.facts.rule ?? null,
    };
  },
};

/** @param several whether the file may hold rows, rather than one. */
async function readOne(path: string, several: boolean): Promise<Read> {
  const unusable = unusableFile(
    'the file holds no matrix of languages',
    path,
    several
      ? 'numbers by intervened and tested language: {"en": {"en": 33.6, …}, …}, with a baseline; or CSV of such rows'
      : 'numbers by tested language: {"en": 33.6, …}, or {"en": {"mean_perplexity": 33.6}, …}',
  );
  const extension = extname(path).toLowerCase();
  if (extension === '.csv' || extension === '.tsv') return readCsv(path, extension, several, unusable);
  const value = plain(
    extension === '.json' ? await readJson(path, REMEDY, ImportError) : await readPytorch(path),
  );
  if (!isObject(value)) throw unusable('no object');
  if (isRow(value)) {
    const own = Object.values(value).some(isObject);
    return { rows: null, row: rowOf(value, path, unusable), baseline: null, own };
  }
  if (!several) throw unusable('no row of numbers');
  const published = isObject(value.masked);
  const rows = new Map<string, Row>();
  let baseline = published && isObject(value.baseline) ? rowOf(value.baseline, path, unusable) : null;
  let own = true;
  for (const [code, row] of Object.entries(published ? (value.masked as object) : value)) {
    if (!isRow(row)) throw unusable(`no row of numbers for ${code}`);
    own &&= published || Object.values(row as object).some(isObject);
    const read = rowOf(row as Record<string, unknown>, path, unusable);
    if (NO_INTERVENTION.test(code)) baseline = read;
    else rows.set(languageOf(code, path), read);
  }
  if (rows.size === 0) throw unusable('no row of an intervention');
  return { rows, row: null, baseline, own };
}

async function readCsv(path: string, extension: string, several: boolean, unusable: Unusable): Promise<Read> {
  let records: string[][];
  try {
    const delimiter = extension === '.tsv' ? '\t' : ',';
    records = parse(await readWholeFile(path, MAX_TABLE_BYTES), {
      bom: true,
      delimiter,
      trim: true,
      skip_empty_lines: true,
    });
  } catch (cause) {
    throw unusable(messageOf(cause), cause);
  }
  const [head, ...body] = records;
  if (head === undefined || head.length < 2 || body.length === 0) throw unusable('no row under a head');
  const rows = new Map<string, Row>();
  let baseline: Row | null = null;
  for (const [code = '', ...cells] of body) {
    const row = Object.fromEntries(
      head.slice(1).map((tested, j) => [tested, cells[j] === '' ? null : Number(cells[j])]),
    );
    const read = rowOf(row, path, unusable);
    if (NO_INTERVENTION.test(code)) baseline = read;
    else {
      const tag = languageOf(code, path);
      if (rows.has(tag)) throw unusable(`two rows of ${code}`);
      rows.set(tag, read);
    }
  }
  if (several && rows.size > 0) return { rows, row: null, baseline, own: false };
  const [only] = [...rows.values(), ...(baseline === null ? [] : [baseline])];
  return { rows: null, row: only!, baseline: null, own: false };
}

/** A row by tag; every number is finite. */
function rowOf(row: Readonly<Record<string, unknown>>, path: string, unusable: Unusable): Row {
  const codes = new LanguageCodes(path);
  return new Map(
    Object.entries(row).map(([code, cell]): [string, number | null] => {
      const tag = codes.tags[codes.index(code, unusable)]!;
      const value = isObject(cell) ? (cell[MEAN] as number) : (cell as number | null);
      if (value !== null && !Number.isFinite(value)) throw unusable(`${value} for ${code}`);
      return [tag, value];
    }),
  );
}

function isLanguage(code: string): boolean {
  try {
    languageOf(code.trim(), code);
    return true;
  } catch {
    return false;
  }
}

/** @throws UsageError where nobody said what the numbers are. */
function quantityOf({ path }: SourceFile, own: boolean, { facts, where }: Said): MatrixQuantity {
  if (own) {
    if (facts.quantity === undefined || facts.quantity === 'perplexity') return 'perplexity';
    throw new UsageError({
      what: 'the fields of the file say that its numbers are perplexities',
      where: where('quantity'),
      expected: 'perplexity',
      found: facts.quantity,
      remedy: 'leave it out',
    });
  }
  if (facts.quantity !== undefined) return facts.quantity;
  throw new UsageError({
    what: 'what the numbers of the matrix are is not in the file',
    where: path,
    expected:
      '--quantity perplexity, nll (nats a token), log-ratio (ln of perplexity after / before) or difference (of perplexities)',
    remedy: 'say it with --quantity, or in the sidecar',
  });
}

/** Rows and baseline over one order of tested languages, that of the first row. */
function arrange(files: readonly SourceFile[], rows: Rows, baseline: Row | null, quantity: MatrixQuantity) {
  const { path } = files[0]!;
  const languages = [...new Set([...rows.values()].flatMap((row) => [...row.keys()]))];
  const least = quantity === 'perplexity' ? 1 : quantity === 'nll' ? 0 : Number.NEGATIVE_INFINITY;
  const over = (row: Row) => languages.map((tag) => row.get(tag) ?? null);
  for (const [code, row] of [...rows, ...(baseline === null ? [] : [['baseline', baseline] as const])]) {
    const low = [...row].find(([, value]) => value !== null && value < least);
    if (low === undefined) continue;
    throw unusableFile(
      `the file holds what is no ${quantity}`,
      path,
      `numbers from ${least} on`,
      'say what the numbers are with --quantity',
    )(`${low[1]} for ${code}, tested in ${low[0]}`);
  }
  if (baseline !== null && (quantity === 'log-ratio' || quantity === 'difference')) {
    throw new UsageError({
      what: 'changes have no baseline',
      where: path,
      found: quantity,
      remedy: 'leave the baseline out, or say another --quantity',
    });
  }
  return {
    intervened: [...rows.keys()],
    languages,
    quantity,
    values: [...rows.values()].map(over),
    baseline: baseline === null ? null : over(baseline),
  };
}
