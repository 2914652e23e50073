import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { ImportError } from '../errors.js';
import type { LanguageTag } from '../probes/index.js';
import { streamFile } from '../read-file.js';
import { SELECTED_FRACTION } from '../scores/index.js';
import type { TableValue } from '../store/index.js';
import { type ImportSelectionOptions, Members } from './import-selection.js';
import { type SelectionDescription, type SelectionTable, writeSelection } from './selection.js';
import { isUnitIndex, languageOf, MOST_LAYERS, type SourceFile } from './source-files.js';

/** Columns that expertise.csv must have; forcing values may be absent. */
const REQUIRED = ['ap', 'layer', 'unit', 'concept'] as const;
const FORCING = ['off_mean', 'on_p50', 'on_p90'] as const;
/** Modules whose output is hook_pre: the MLP's gate, or its only branch. */
const NEURON_MODULE = /(?:^|\.)(\d+)\.(?:.*\.)?(c_fc|gate_proj|fc1|dense_h_to_4h)(?::0)?$/;

/** A quotation mark that is never closed must not make one field of the whole file. */
const MAX_ROW_BYTES = 2 ** 20; // 1 MiB

const COLUMNS: SelectionTable['columns'] = [
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
 * Imports expertise.csv of apple/ml-selfcond (Suau et al., ICML 2022), one file a language, whose `concept` is its tag or
 * `language=path`: `unit_languages.parquet` with average precisions and forcing values of MLP neurons, and as the selection
 * the 1 % of neurons of highest average precision in each language. Other modules' outputs are no units of ours and are
 * left out.
 *
 * @throws ImportError.
 */
export async function importSelfcond(
  sources: readonly SourceFile[],
  { out, model, neurons }: Omit<ImportSelectionOptions, 'languages' | 'rule'>,
): Promise<SelectionDescription & { readonly leftOut: number }> {
  const rows: TableValue[][] = [];
  const tags: LanguageTag[] = [];
  const members = new Members();
  let layers = 0;
  let leftOut = 0;
  for (const source of sources) {
    const own: { readonly layer: number; readonly index: number; readonly ap: number }[] = [];
    let tag: LanguageTag | null = null;
    for await (const row of expertise(source.path)) {
      const at = NEURON_MODULE.exec(row.layer!);
      if (at === null) {
        leftOut++;
        continue;
      }
      const said = languageOf(source.language ?? row.concept!, source.path);
      if (tag === null && tags.includes(said)) throw twice(said, source.path);
      tag ??= said;
      if (said !== tag) throw twice(`${tag} and ${said} in one file`, source.path);
      const [layer, index, ap] = [
        layerOf(at[1]!, source.path),
        number(row, 'unit', source.path),
        number(row, 'ap', source.path),
      ];
      layers = Math.max(layers, layer + 1);
      own.push({ layer, index, ap });
      const forcing = FORCING.map((name) =>
        row[name] === undefined ? null : number(row, name, source.path),
      );
      rows.push(['neuron', layer, index, tag, ap, ...forcing]);
    }
    if (tag === null) {
      throw new ImportError({
        what: 'the file has no neuron',
        where: source.path,
        expected: 'layers such as transformer.h.0.mlp.c_fc:0 or model.layers.0.mlp.gate_proj:0',
        found: `${leftOut} rows of other layers`,
        remedy: 'give expertise.csv of a model whose MLPs were read',
      });
    }
    tags.push(tag);
    own.sort((a, b) => b.ap - a.ap || a.layer - b.layer || a.index - b.index);
    for (const { layer, index } of own.slice(0, Math.round(SELECTED_FRACTION * own.length))) {
      members.add(layer, index, tags.length - 1);
    }
  }
  const rule = `the ${100 * SELECTED_FRACTION} % of neurons of highest average precision in each language; ties by index`;
  const description = await writeSelection(
    out,
    {
      format: 'selfcond',
      model,
      languages: tags,
      layers,
      layersKnown: false,
      neurons,
      rule,
      paths: sources.map(({ path }) => path),
    },
    members.units(),
    [{ name: 'unit_languages', columns: COLUMNS, rows }],
  );
  return { ...description, leftOut };
}

/** Rows of expertise.csv by column. */
async function* expertise(path: string): AsyncGenerator<Readonly<Record<string, string>>> {
  const unusable = (found: string, cause?: unknown) =>
    new ImportError(
      {
        what: 'the file is no expertise table',
        where: path,
        expected: `CSV with the columns ${REQUIRED.join(', ')}`,
        found,
        remedy: 'give expertise.csv as compute_expertise.py wrote it',
      },
      { cause },
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
    throw unusable(cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (!checked) throw unusable('no row');
}

function layerOf(digits: string, path: string): number {
  if (Number(digits) < MOST_LAYERS) return Number(digits);
  throw new ImportError({
    what: 'a layer is unusable',
    where: path,
    expected: `a number below ${MOST_LAYERS} in the name of the module`,
    found: digits,
    remedy: 'give expertise.csv as compute_expertise.py wrote it',
  });
}

function number(row: Readonly<Record<string, string>>, column: string, path: string): number {
  const text = row[column]!;
  const value = Number(text);
  const usable =
    column === 'unit'
      ? isUnitIndex(value)
      : column === 'ap'
        ? value >= 0 && value <= 1
        : Number.isFinite(value);
  if (text !== '' && usable) return value;
  throw new ImportError({
    what: `a value of column ${column} is unusable`,
    where: path,
    expected:
      column === 'unit' ? 'an index from 0 on' : column === 'ap' ? 'a number from 0 to 1' : 'a number',
    found: JSON.stringify(text),
    remedy: 'give expertise.csv as compute_expertise.py wrote it',
  });
}

function twice(found: string, path: string): ImportError {
  return new ImportError({
    what: 'a language occurs twice',
    where: path,
    expected: 'one file a language',
    found,
    remedy: 'give one expertise.csv a language; name it with language=file',
  });
}
