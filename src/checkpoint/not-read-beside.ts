import { listed } from '../errors.js';
import { INDEX_FILE, SINGLE_FILE } from './safetensors/weight-map.js';

/** Weights in the layout of Mistral's own programs, which its repositories hold as a second copy. */
const SECOND_COPY = /^consolidated.*\.safetensors/;
const WEIGHTS = /\.safetensors$/;
const ADAPTER = /^adapter_/;

/**
 * Warnings about weights in a checkpoint folder that were not read: a folder that was trained on into may hold those of two
 * trainings, and files tell nothing of which is meant.
 *
 * @param names of all files in the folder
 * @param read those that weights are read from; none of a folder without weights
 * @param adapted whether the folder's own adapter is applied
 */
export function notReadBeside(
  names: ReadonlySet<string>,
  read: readonly string[],
  adapted: boolean,
): string[] {
  if (read.length === 0) return [];
  const source = read.includes(SINGLE_FILE) ? SINGLE_FILE : INDEX_FILE;
  const beside = [...names].sort().filter((name) => {
    if (read.includes(name) || SECOND_COPY.test(name) || ADAPTER.test(name)) return false;
    return WEIGHTS.test(name) || (name === INDEX_FILE && source !== INDEX_FILE);
  });
  const warnings = [];
  if (beside.length > 0) {
    warnings.push(
      `${source} was read, as transformers does, and not what lies beside it: ${listed(beside, 8)}; ` +
        'where the model was trained on into the same folder, see which of them are stale and move those away',
    );
  }
  if (names.has('adapter_config.json') && !adapted) {
    warnings.push(
      'the folder holds an adapter (adapter_config.json) that was not applied; transformers would apply it to the base that it names: ' +
        'give the folder with --adapter too if it is meant',
    );
  }
  return warnings;
}
