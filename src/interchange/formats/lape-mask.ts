import { UsageError } from '../../errors.js';
import { valuesOf } from '../imported-run.js';
import type { PickleValue } from '../pytorch/pickle-objects.js';
import { readPytorch } from '../pytorch/read-pytorch.js';
import { TorchTensor } from '../pytorch/tensor.js';
import { Members, UNKNOWN_RULE } from '../selection.js';
import { sidecarPath } from '../sidecar.js';
import { canonicalLanguages, isUnitIndex, MOST_LAYERS } from '../source-files.js';
import { describe, type ImportFormat, unusableFile } from './format.js';

const isList = (value: PickleValue): value is readonly PickleValue[] => Array.isArray(value);

/**
 * A mask of RUCAIBox/Language-Specific-Neurons (Tang et al., ACL 2024): a list of languages of a list of layers of
 * LongTensors of neurons. Which language is which is not in the file: the order must be said.
 */
export const lapeMask: ImportFormat = {
  name: 'lape-mask',
  title: 'masks of neurons become a selection; the order of languages must be said',
  files: 'a list of languages of a list of layers of LongTensors, one .pt or .pth',
  languages: 'one',
  options: ['languages', 'layers', 'neurons', 'rule', 'counts'],
  recognise: (sample) =>
    sample.kind === 'pytorch' &&
    isList(sample.value) &&
    sample.value.every(
      (layers) => isList(layers) && layers.every((indices) => indices instanceof TorchTensor),
    ),
  async read({ files: [file] }, { facts, where }) {
    const { path } = file!;
    const mask = await readPytorch(path);
    const unusable = unusableFile(
      'the file holds no mask of neurons',
      path,
      'a list of languages, each a list of layers, each a LongTensor of indices from 0 on',
      'give what identify.py saved, or name another --format',
    );
    if (!isList(mask) || mask.length === 0) throw unusable(describe(mask));
    if (facts.languages?.length !== mask.length) {
      throw new UsageError({
        what: 'a mask has no names of languages: they must be given in its order',
        where: where('languages'),
        expected: `${mask.length} languages`,
        found: facts.languages?.join(', ') ?? `none, and no ${sidecarPath(path)}`,
        remedy:
          'for the masks of LAPE’s authors: --languages en,zh,fr,es,vi,id,ja; a wrong order gives every language the neurons of another, which --expect-counts finds out. Last languages without a neuron are missing in some masks: leave them out',
      });
    }
    const tags = canonicalLanguages(facts.languages, where('languages'));
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
    return {
      becomes: 'selection',
      unit: 'neuron',
      languages: tags,
      layers: layers ?? 0,
      layersKnown: true,
      width: null,
      rule: facts.rule ?? UNKNOWN_RULE,
      members,
      counts: null,
      notes:
        facts.counts === undefined
          ? ['The file does not name its languages: check these counts against those published for them.']
          : [],
    };
  },
};
