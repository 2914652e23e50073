import { ImportError, UsageError } from '../errors.js';
import type { LanguageTag } from '../probes/index.js';
import { isObject, readJson } from '../read-json.js';
import { describe } from './import-counts.js';
import { valuesOf } from './import-run.js';
import type { PickleValue } from './pytorch/pickle-objects.js';
import { readPytorch } from './pytorch/read-pytorch.js';
import { TorchTensor } from './pytorch/tensor.js';
import { type SelectedUnit, type SelectionDescription, writeSelection } from './selection.js';
import { isUnitIndex, languageOf, MOST_LAYERS } from './source-files.js';

/** What is said of a selection whose file does not tell how it was made, as none does. */
export const UNKNOWN_RULE = 'unknown rule';

export interface ImportSelectionOptions {
  /** Folder of the selection. */
  readonly out: string;
  /** The model's name; default the name of the folder. */
  readonly model?: string | undefined;
  /** Tags in the order of a mask, which has no names. */
  readonly languages?: readonly string[] | undefined;
  /** Neurons of every layer, which no format says: with them, the agreement by chance is known. */
  readonly neurons?: number | undefined;
  /** The rule that selected them, where it is known: `tang2024`, `polyfact2026` or words of one's own. */
  readonly rule?: string | undefined;
}

/**
 * Imports a mask of RUCAIBox/Language-Specific-Neurons (Tang et al., ACL 2024): a list of languages of a list of layers of
 * LongTensors of neurons. Which language is which is not in the file; those released have en, zh, fr, es, vi, id, ja.
 *
 * @throws ImportError; UsageError without as many languages as the mask has.
 */
export async function importLapeMask(
  path: string,
  { out, model, languages, neurons, rule = UNKNOWN_RULE }: ImportSelectionOptions,
): Promise<SelectionDescription> {
  const mask = await readPytorch(path);
  const unusable = (found: string) =>
    new ImportError({
      what: 'the file holds no mask of neurons',
      where: path,
      expected: 'a list of languages, each a list of layers, each a LongTensor of indices from 0 on',
      found,
      remedy: 'give what identify.py saved, or name another --format',
    });
  const isList = (value: PickleValue): value is readonly PickleValue[] => Array.isArray(value);
  if (!isList(mask) || mask.length === 0) throw unusable(describe(mask));
  if (languages?.length !== mask.length) {
    throw new UsageError({
      what: 'a mask has no names of languages: they must be given in its order',
      where: '--languages',
      expected: `${mask.length} languages`,
      found: languages?.join(', ') ?? 'none',
      remedy:
        'for the released masks: --languages en,zh,fr,es,vi,id,ja; a wrong order gives every language the neurons of another',
    });
  }
  const tags = canonical(languages, '--languages');
  const members = new Members();
  let layers: number | null = null;
  for (const [k, ofLanguage] of mask.entries()) {
    if (!isList(ofLanguage)) throw unusable(`${describe(ofLanguage)} for ${tags[k]}`);
    layers ??= ofLanguage.length;
    if (layers > MOST_LAYERS) throw unusable(`${layers} layers`);
    if (ofLanguage.length !== layers)
      throw unusable(`${layers} layers of ${tags[0]}, ${ofLanguage.length} of ${tags[k]}`);
    for (const [layer, indices] of ofLanguage.entries()) {
      if (!(indices instanceof TorchTensor) || indices.shape.length !== 1) {
        throw unusable(`${describe(indices)} for ${tags[k]}, layer ${layer}`);
      }
      for (const index of valuesOf(indices, path)) {
        if (!isUnitIndex(index)) throw unusable(`${index} for ${tags[k]}, layer ${layer}`);
        members.add(layer, index, k);
      }
    }
  }
  return writeSelection(
    out,
    {
      format: 'lape-mask',
      model,
      languages: tags,
      layers: layers ?? 0,
      layersKnown: true,
      neurons,
      rule,
      paths: [path],
    },
    members.units(),
  );
}

/**
 * Imports a result as `{layer: {language: [neuron, …]}}` in JSON, layers from "1" and neurons from 0. How many layers the
 * model has is not in the file: at least the highest that is named.
 *
 * @throws ImportError.
 */
export async function importLapeJson(
  path: string,
  { out, model, neurons, rule = UNKNOWN_RULE }: Omit<ImportSelectionOptions, 'languages'>,
): Promise<SelectionDescription> {
  const remedy = 'give the result as it was released, or name another --format';
  const unusable = (found: string) =>
    new ImportError({
      what: 'the file is no LAPE result',
      where: path,
      expected: '{"1": {"en": [neuron, …], …}, "2": …}: layers from "1", indices of neurons from 0 on',
      found,
      remedy,
    });
  const result = await readJson(path, remedy, ImportError);
  if (!isObject(result) || Object.keys(result).length === 0) throw unusable('no object of layers');
  const tags: LanguageTag[] = [];
  const codes = new Map<LanguageTag, string>();
  const members = new Members();
  let layers = 0;
  for (const [name, ofLayer] of Object.entries(result)) {
    if (!/^[1-9]\d*$/.test(name) || Number(name) > MOST_LAYERS)
      throw unusable(`layer ${JSON.stringify(name)}`);
    if (!isObject(ofLayer)) throw unusable(`no languages in layer "${name}"`);
    layers = Math.max(layers, Number(name));
    for (const [language, neurons] of Object.entries(ofLayer)) {
      const tag = languageOf(language, path);
      if (!tags.includes(tag)) tags.push(tag);
      const code = codes.get(tag) ?? language;
      codes.set(tag, code);
      if (code !== language) throw unusable(`${code} and ${language}, which are one language`);
      if (!Array.isArray(neurons)) throw unusable(`no list of neurons in layer "${name}", ${language}`);
      for (const index of neurons as unknown[]) {
        if (!isUnitIndex(index))
          throw unusable(`neuron ${JSON.stringify(index)} in layer "${name}", ${language}`);
        members.add(Number(name) - 1, index, tags.indexOf(tag));
      }
    }
  }
  return writeSelection(
    out,
    { format: 'lape-json', model, languages: tags, layers, layersKnown: false, neurons, rule, paths: [path] },
    members.units(),
  );
}

/** Neurons and the languages they belong to, gathered in any order. */
export class Members {
  readonly #languages = new Map<string, Set<number>>();

  add(layer: number, index: number, language: number): void {
    const key = `${layer} ${index}`;
    const own = this.#languages.get(key) ?? new Set();
    this.#languages.set(key, own.add(language));
  }

  /** By layer and index; languages ascending. */
  units(): SelectedUnit[] {
    return [...this.#languages]
      .map(([key, own]) => {
        const [layer = 0, index = 0] = key.split(' ').map(Number);
        return { layer, index, languages: [...own].sort((a, b) => a - b) };
      })
      .sort((a, b) => a.layer - b.layer || a.index - b.index);
  }
}

function canonical(languages: readonly string[], where: string): LanguageTag[] {
  const tags = languages.map((language) => languageOf(language, where));
  const twice = tags.find((tag, k) => tags.indexOf(tag) !== k);
  if (twice === undefined) return tags;
  throw new UsageError({
    what: 'a language is named twice',
    where,
    found: twice,
    remedy: 'name every language of the mask once, in its order',
  });
}
