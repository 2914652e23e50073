import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { ImportError, messageOf } from '../../errors.js';
import type { LanguageTag } from '../../probes/index.js';
import { streamFile } from '../../read-file.js';
import { SELECTED_FRACTION } from '../../scores/index.js';
import type { TableValue } from '../../store/index.js';
import { Members } from '../selection.js';
import { isUnitIndex, languageOf, MOST_LAYERS } from '../source-files.js';
import type { ImportTable } from '../write-import.js';
import { type ImportFormat, unusableFile } from './format.js';

/** Columns that expertise.csv must have; forcing values may be absent. */
const REQUIRED = ['ap', 'layer', 'unit', 'concept'] as const;
const FORCING = ['off_mean', 'on_p50', 'on_p90'] as const;
/** Modules whose output is hook_pre: the MLP's gate, or its only branch. */
const NEURON_MODULE = /(?:^|\.)(\d+)\.(?:.*\.)?(c_fc|gate_proj|fc1|dense_h_to_4h)(?::0)?$/;
/** Names of modules have some fifty characters; the pattern's time grows with the square of their number. */
const MOST_NAME_CHARACTERS = 1_000;

const REMEDY = 'give expertise.csv as compute_expertise.py wrote it';

/** A quotation mark that is never closed must not make one field of the whole file. */
const MAX_ROW_BYTES = 2 ** 20; // 1 MiB

const COLUMNS: ImportTable['columns'] = [
  { name: 'type', type: 'string', about: 'neuron' },
  { name: 'layer', type: 'int32', about: 'from 0' },
  { name: 'index', type: 'int32', about: 'within the layer, from 0' },
  { name: 'language', type: 'string', about: 'BCP 47 tag: the concept' },
  {
    name: 'ap',
    type: 'float64',
    about:
      'average precision of hook_pre, its largest value over a sentence, for this language against the rest',
  },
  { name: 'off_mean', type: 'float64', about: 'mean of that value over sentences of the rest' },
  { name: 'on_p50', type: 'float64', about: 'its median over sentences of this language' },
  { name: 'on_p90', type: 'float64', about: 'its 90th percentile over them' },
];

/**
 * expertise.csv of apple/ml-selfcond (Suau et al., ICML 2022), one file a language, whose `concept` is its tag or
 * `language=path`: `unit_languages.parquet` with average precisions and forcing values of MLP neurons, and as the selection
 * the 1 % of neurons of highest average precision in each language. Other modules' outputs are no units of ours and are
 * left out.
 */
export const selfcond: ImportFormat = {
  name: 'selfcond',
  title: 'tables of average precisions become a selection of the highest, and a table',
  files: 'expertise.csv with the columns ap, layer, unit, concept, one a language',
  languages: 'each',
  options: ['layers', 'neurons', 'counts'],
  recognise: (sample) =>
    sample.kind === 'text' && REQUIRED.every((name) => sample.lines[0]?.split(',').includes(name)),
  async read({ files }) {
    const rows: TableValue[][] = [];
    const tags: LanguageTag[] = [];
    const members = new Members();
    let layers = 0;
    let leftOut = 0;
    for (const { path, language } of files) {
      const own: { readonly layer: number; readonly index: number; readonly ap: number }[] = [];
      let tag: LanguageTag | null = null;
      for await (const row of expertise(path)) {
        const at = row.layer!.length > MOST_NAME_CHARACTERS ? null : NEURON_MODULE.exec(row.layer!);
        if (at === null) {
          leftOut++;
          continue;
        }
        const said = languageOf(language ?? row.concept!, path);
        if (tag === null && tags.includes(said)) throw twice(said, path);
        tag ??= said;
        if (said !== tag) throw twice(`${tag} and ${said} in one file`, path);
        const layer = layerOf(at[1]!, path);
        const [index, ap] = [number(row, 'unit', path), number(row, 'ap', path)];
        layers = Math.max(layers, layer + 1);
        own.push({ layer, index, ap });
        const forcing = FORCING.map((name) => (row[name] === undefined ? null : number(row, name, path)));
        rows.push(['neuron', layer, index, tag, ap, ...forcing]);
      }
      if (tag === null) {
        throw unusableFile(
          'the file has no neuron',
          path,
          'layers such as transformer.h.0.mlp.c_fc:0 or model.layers.0.mlp.gate_proj:0',
          'give expertise.csv of a model whose MLPs were read',
        )(`${leftOut} rows of other layers`);
      }
      tags.push(tag);
      own.sort((a, b) => b.ap - a.ap || a.layer - b.layer || a.index - b.index);
      for (const { layer, index } of own.slice(0, Math.round(SELECTED_FRACTION * own.length))) {
        members.add(layer, index, tags.length - 1);
      }
    }
    return {
      becomes: 'selection',
      unit: 'neuron',
      languages: tags,
      layers,
      layersKnown: false,
      width: null,
      rule: `the ${100 * SELECTED_FRACTION} % of neurons of highest average precision in each language; ties by index`,
      members,
      counts: null,
      tables: [{ name: 'unit_languages', columns: COLUMNS, rows }],
      notes: leftOut === 0 ? [] : [`left out: ${leftOut} rows of modules whose outputs are no MLP neurons`],
    };
  },
};

/** Rows of expertise.csv by column. */
async function* expertise(path: string): AsyncGenerator<Readonly<Record<string, string>>> {
  const unusable = unusableFile(
    'the file is no expertise table',
    path,
    `CSV with the columns ${REQUIRED.join(', ')}`,
    REMEDY,
  );
  let checked = false;
  try {
    const parser = parse({ columns: true, bom: true, max_record_size: MAX_ROW_BYTES });
    const records = Readable.from(streamFile(path))
      .on('error', (error) => parser.destroy(error))
      .pipe(parser);
    for await (const record of records as AsyncIterable<Record<string, string>>) {
      const lacking = checked ? undefined : REQUIRED.find((name) => record[name] === undefined);
      if (lacking !== undefined)
        throw unusable(`no column ${lacking} among ${Object.keys(record).slice(0, 12).join(', ')}`);
      checked = true;
      yield record;
    }
  } catch (cause) {
    if (cause instanceof ImportError) throw cause;
    throw unusable(messageOf(cause), cause);
  }
  if (!checked) throw unusable('no row');
}

function layerOf(digits: string, path: string): number {
  if (Number(digits) < MOST_LAYERS) return Number(digits);
  throw unusableFile(
    'a layer is unusable',
    path,
    `a number below ${MOST_LAYERS} in the name of the module`,
    REMEDY,
  )(digits);
}

function number(row: Readonly<Record<string, string>>, column: string, path: string): number {
  const text = row[column]!;
  const value = Number(text);
  const { usable, expected } =
    column === 'unit'
      ? { usable: isUnitIndex(value), expected: 'an index from 0 on' }
      : column === 'ap'
        ? { usable: value >= 0 && value <= 1, expected: 'a number from 0 to 1' }
        : { usable: Number.isFinite(value), expected: 'a number' };
  if (text !== '' && usable) return value;
  throw unusableFile(`a value of column ${column} is unusable`, path, expected, REMEDY)(JSON.stringify(text));
}

function twice(found: string, path: string): ImportError {
  return unusableFile(
    'a language occurs twice',
    path,
    'one file a language',
    'give one expertise.csv a language; name it with language=file',
  )(found);
}
