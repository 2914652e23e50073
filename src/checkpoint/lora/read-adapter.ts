import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { CheckpointError } from '../../errors.js';
import { parseHubPath } from '../hub/cache-folder.js';
import { parseHubReference } from '../hub/reference.js';
import type { DownloadOptions } from '../hub/snapshot.js';
import { hubSnapshot } from '../hub/snapshot.js';
import { readSafetensorsHeader, type SafetensorsHeader } from '../safetensors/header.js';
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, type LoraConfig, readLoraConfig } from './lora-config.js';

/** A PEFT adapter as it lies on disk. */
export interface StoredAdapter {
  /** Absolute path of its folder. */
  readonly folder: string;
  /** Branch, tag or commit that was asked for with `hf://org/name@ref`; null for a folder. */
  readonly ref: string | null;
  readonly config: LoraConfig;
  readonly header: SafetensorsHeader;
  readonly warnings: readonly string[];
}

/**
 * Reads a PEFT LoRA adapter: its configuration and the header of its weights.
 *
 * @param source a folder with adapter_config.json and adapter_model.safetensors, or `hf://org/name@revision`
 * @throws CheckpointError if it is malformed or of a kind that is not supported; HubError and others as `hubSnapshot`
 */
export async function readAdapter(source: string, download: DownloadOptions): Promise<StoredAdapter> {
  const reference = parseHubReference(source);
  const folder = reference === null ? resolve(source) : await hubSnapshot(reference, 'adapter', download);
  const names = await readdir(folder).catch((): string[] => []);
  const missing = [ADAPTER_CONFIG, ADAPTER_WEIGHTS].filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new CheckpointError({
      what: `there is no ${missing.join(' and no ')} in the folder of the adapter`,
      where: folder,
      expected: 'the folder that save_pretrained() of a PeftModel writes',
      found: names.length === 0 ? 'nothing' : names.sort().slice(0, 8).join(', '),
      remedy: names.includes('adapter_model.bin')
        ? 'it holds a PyTorch pickle: load it once with PeftModel.from_pretrained and save it with save_pretrained(folder)'
        : names.includes('config.json')
          ? 'this is a whole checkpoint: give it instead of the base, without --adapter'
          : 'check the path given with --adapter',
    });
  }
  const { config, warnings } = await readLoraConfig(folder);
  const header = await readSafetensorsHeader(join(folder, ADAPTER_WEIGHTS));
  return { folder, ref: reference?.revision ?? null, config, header, warnings };
}

/** A warning, or none, if the adapter names another base than the checkpoint it is applied to. */
export function baseMismatch(
  { config }: Pick<StoredAdapter, 'config'>,
  folder: string,
  baseConfig: Readonly<Record<string, unknown>>,
): string[] {
  const named = config.base_model_name_or_path;
  if (named === null || named === undefined || named === '') return [];
  const last = (path: string) => path.split(/[\\/]/).filter(Boolean).at(-1)?.toLowerCase();
  const names = [parseHubPath(folder)?.name, basename(folder), baseConfig._name_or_path];
  const own = names.filter((name) => typeof name === 'string' && name !== '').map((name) => String(name));
  if (own.some((name) => last(name) === last(named))) return [];
  return [
    `the adapter was made for ${named} and is applied to ${own[0]}: check that these are the same weights`,
  ];
}
