import { join } from 'node:path';
import { HubError, listed } from '../../errors.js';
import { INDEX_FILE, readWeightMap, SINGLE_FILE } from '../safetensors/weight-map.js';
import { TOKENIZER_FILES } from '../tokenizer-files.js';
import { exists } from './cache-folder.js';
import { type HubReference, hubAddress } from './reference.js';

/** A model is needed for its size and hooks, to run it, to be applied to another as an adapter, or for its tokenizer. */
export type HubNeed = 'config' | 'weights' | 'adapter' | 'tokenizer';

/**
 * Those of a repository's files that are needed, the index of sharded weights among them, its shards not: only the
 * index names them. Weights in other formats, which many repositories hold beside, are left.
 *
 * @throws HubError if a file is missing that nothing can be done without
 */
export function wantedFiles(
  names: ReadonlySet<string>,
  need: HubNeed,
  reference: HubReference,
): readonly string[] {
  const required = (name: string, remedy: string): string => {
    if (names.has(name)) return name;
    throw new HubError({
      what: `the model has no ${name}`,
      where: hubAddress(reference),
      found: listed([...names].sort(), 8),
      remedy,
    });
  };
  if (need === 'adapter') {
    return [
      required('adapter_config.json', 'give a repository that holds a PEFT adapter'),
      required(
        'adapter_model.safetensors',
        'save the adapter with PEFT 0.6 or later, or with save_pretrained(folder, safe_serialization=True)',
      ),
    ];
  }
  if (need === 'tokenizer') {
    required('tokenizer.json', 'give a repository with a tokenizer that the tokenizers library wrote');
    return ['config.json', ...TOKENIZER_FILES].filter((name) => names.has(name));
  }
  const isAdapter = names.has('adapter_config.json');
  const config = required(
    'config.json',
    isAdapter
      ? 'this is an adapter: give its base model as the checkpoint and this with --adapter'
      : 'give a repository in the format of transformers',
  );
  if (need === 'config') return [config];
  const weights =
    names.has(INDEX_FILE) && !names.has(SINGLE_FILE) ? INDEX_FILE : required(SINGLE_FILE, FORMAT);
  return [config, ...TOKENIZER_FILES.filter((name) => names.has(name)), weights];
}

const FORMAT =
  'weights are read as safetensors: look for a repository or a revision (often refs/pr/1) that holds them, or convert ' +
  'them once with AutoModelForCausalLM.from_pretrained(name).save_pretrained(folder)';

/** Names of the files that a snapshot lacks. */
export async function missingFiles(snapshot: string | null, need: HubNeed): Promise<readonly string[]> {
  const config =
    { adapter: 'adapter_config.json', tokenizer: 'tokenizer.json' }[need as string] ?? 'config.json';
  if (snapshot === null) return [config, '…'];
  const lacks = async (names: readonly string[]) => {
    const present = await Promise.all(names.map((name) => exists(join(snapshot, name))));
    return names.filter((_, i) => !present[i]);
  };
  if (need === 'config') return lacks([config]);
  if (need === 'tokenizer') return lacks(['tokenizer.json']);
  if (need === 'adapter') return lacks([config, 'adapter_model.safetensors']);
  const single = await lacks([config, 'tokenizer.json', SINGLE_FILE]);
  if (!single.includes(SINGLE_FILE) || !(await exists(join(snapshot, INDEX_FILE)))) return single;
  const shards = new Set((await readWeightMap(join(snapshot, INDEX_FILE))).values());
  return lacks([config, 'tokenizer.json', ...shards]);
}
