import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HubError } from '../../errors.js';
import { INDEX_FILE, readWeightMap, SINGLE_FILE } from '../weight-map.js';
import { type DownloadOptions, downloadSnapshot, exists } from './download-snapshot.js';
import { type HubReference, hubAddress } from './reference.js';
import { hubSettings } from './settings.js';
import type { HubNeed } from './wanted-files.js';

/**
 * The snapshot folder of a model in the local cache. What is there already is used as it is, without asking the hub
 * whether a branch has moved since; what is missing is downloaded into the cache's standard layout.
 *
 * @throws HubError if it is neither in the cache nor can be downloaded; OutputError if the cache cannot be written;
 *   InterruptedError on abort, what was fetched is kept
 */
export async function hubSnapshot(
  reference: HubReference,
  need: HubNeed,
  options: DownloadOptions = {},
): Promise<string> {
  const settings = await hubSettings();
  const modelRoot = join(settings.cache, `models--${reference.name.replace('/', '--')}`);
  const cached = await cachedSnapshot(modelRoot, reference.revision);
  const missing = await missingFiles(cached, need);
  if (cached !== null && missing.length === 0) return cached;
  if (settings.offline) {
    throw new HubError({
      what: 'the model is not whole in the local cache, and HF_HUB_OFFLINE forbids to download',
      where: hubAddress(reference),
      expected: `${missing.join(', ')} in ${cached ?? join(modelRoot, 'snapshots')}`,
      remedy: `unset HF_HUB_OFFLINE, or run on a machine with a network: hf download ${reference.name} --revision ${reference.revision}`,
    });
  }
  return downloadSnapshot(reference, need, modelRoot, settings, options);
}

/** A revision is a commit, or the name of a file below `refs/` that holds one. */
async function cachedSnapshot(modelRoot: string, revision: string): Promise<string | null> {
  const named = await readFile(join(modelRoot, 'refs', revision), 'utf8').catch(() => revision);
  const folder = join(modelRoot, 'snapshots', named.trim());
  return named.trim() !== '' && (await exists(join(folder, 'config.json'))) ? folder : null;
}

/** Names of the files that a snapshot lacks. */
async function missingFiles(snapshot: string | null, need: HubNeed): Promise<readonly string[]> {
  const config = need === 'adapter' ? 'adapter_config.json' : 'config.json';
  if (snapshot === null) return [config, '…'];
  const lacks = async (names: readonly string[]) => {
    const present = await Promise.all(names.map((name) => exists(join(snapshot, name))));
    return names.filter((_, i) => !present[i]);
  };
  if (need === 'config') return lacks([config]);
  if (need === 'adapter') return lacks([config, 'adapter_model.safetensors']);
  const single = await lacks([config, 'tokenizer.json', SINGLE_FILE]);
  if (!single.includes(SINGLE_FILE) || !(await exists(join(snapshot, INDEX_FILE)))) return single;
  const shards = new Set((await readWeightMap(join(snapshot, INDEX_FILE))).values());
  return lacks([config, 'tokenizer.json', ...shards]);
}
