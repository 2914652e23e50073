import { ImportError } from '../../errors.js';
import { isObject, readJson } from '../../read-json.js';
import { Members, UNKNOWN_RULE } from '../selection.js';
import { isUnitIndex, LanguageCodes, MOST_LAYERS } from '../source-files.js';
import { type ImportFormat, type Sample, unusableFile } from './format.js';

const LAYER = /^[1-9]\d*$/;
const REMEDY = 'give the file as it was released, or name another --format';
const EXPECTED = 'layers from "1", indices of neurons from 0 on';

/** The cell of the first layer and language; undefined where the file is of another shape. */
function firstCell(sample: Sample): unknown {
  if (sample.kind !== 'json' || !isObject(sample.value)) return undefined;
  const layers = Object.entries(sample.value);
  if (!layers.every(([name, ofLayer]) => /^\d+$/.test(name) && isObject(ofLayer))) return undefined;
  return layers.flatMap(([, ofLayer]) => Object.values(ofLayer as object))[0];
}

/**
 * Results as `{layer: {language: [neuron, …]}}`, layers from "1" and neurons from 0. How many layers the model has is not
 * in the file: at least the highest that is named.
 */
export const lapeJson: ImportFormat = {
  name: 'lape-json',
  title: 'lists of neurons by layer and language become a selection',
  files: '{"1": {"en": [neuron, …], …}, …} in JSON',
  languages: 'one',
  options: ['layers', 'neurons', 'rule', 'counts'],
  recognise: (sample) => Array.isArray(firstCell(sample)),
  async read({ files: [file] }, { facts }) {
    const { path } = file!;
    const unusable = unusableFile(
      'the file is no LAPE result',
      path,
      `{"1": {"en": [neuron, …], …}, "2": …}: ${EXPECTED}`,
      'give the result as it was released, or name another --format; numbers in place of lists are --format neuron-counts',
    );
    const members = new Members();
    const { languages, layers } = await readLayers(path, unusable, (cell, layer, language, place) => {
      if (!Array.isArray(cell)) throw unusable(`no list of neurons in ${place}`);
      for (const index of cell as unknown[]) {
        if (!isUnitIndex(index)) throw unusable(`neuron ${JSON.stringify(index)} in ${place}`);
        members.add(layer, index, language);
      }
    });
    return {
      becomes: 'selection',
      unit: 'neuron',
      languages,
      layers,
      layersKnown: false,
      width: null,
      rule: facts.rule ?? UNKNOWN_RULE,
      members,
      counts: null,
      notes: [],
    };
  },
};

/**
 * Counts alone, `{layer: {language: n}}`, as jvonrad/Lost-in-Mistranslation released of its older models: which neurons
 * they are is not in the file.
 */
export const neuronCounts: ImportFormat = {
  name: 'neuron-counts',
  title: 'numbers of neurons by layer and language become a selection of which only counts are known',
  files: '{"1": {"en": 12, …}, …} in JSON',
  languages: 'one',
  options: ['layers', 'neurons', 'rule', 'counts'],
  recognise: (sample) => typeof firstCell(sample) === 'number',
  async read({ files: [file] }, { facts }) {
    const { path } = file!;
    const unusable = unusableFile(
      'the file holds no counts of neurons',
      path,
      '{"1": {"en": 12, …}, "2": …}: layers from "1", whole numbers from 0 on',
      'give the counts as they were released, or name another --format; lists in place of numbers are --format lape-json',
    );
    const cells: [layer: number, language: number, count: number][] = [];
    const { languages, layers } = await readLayers(path, unusable, (cell, layer, language, place) => {
      if (!isUnitIndex(cell)) throw unusable(`${JSON.stringify(cell)} in ${place}`);
      cells.push([layer, language, cell]);
    });
    const counts = Array.from({ length: layers }, () => languages.map(() => 0));
    for (const [layer, language, count] of cells) counts[layer]![language] = count;
    return {
      becomes: 'selection',
      unit: 'neuron',
      languages,
      layers,
      layersKnown: false,
      width: null,
      rule: facts.rule ?? UNKNOWN_RULE,
      members: null,
      counts,
      notes: [
        'Counts alone: which neurons they are, of how many languages each is and what two selections share are not known.',
      ],
    };
  },
};

/** Reads a file of layers, from "1", of languages; gives each cell to `take`, layers from 0. @throws ImportError */
async function readLayers(
  path: string,
  unusable: ReturnType<typeof unusableFile>,
  take: (cell: unknown, layer: number, language: number, place: string) => void,
): Promise<{ readonly languages: readonly string[]; readonly layers: number }> {
  const result = await readJson(path, REMEDY, ImportError);
  if (!isObject(result) || Object.keys(result).length === 0) throw unusable('no object of layers');
  const codes = new LanguageCodes(path);
  let layers = 0;
  for (const [name, ofLayer] of Object.entries(result)) {
    if (!LAYER.test(name) || Number(name) > MOST_LAYERS) throw unusable(`layer ${JSON.stringify(name)}`);
    if (!isObject(ofLayer)) throw unusable(`no languages in layer "${name}"`);
    layers = Math.max(layers, Number(name));
    for (const [code, cell] of Object.entries(ofLayer)) {
      take(cell, Number(name) - 1, codes.index(code, unusable), `layer "${name}", ${code}`);
    }
  }
  return { languages: codes.tags, layers };
}
