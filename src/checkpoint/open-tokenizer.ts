import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CheckpointError } from '../errors.js';
import { readJsonObject } from '../read-json.js';
import { parseHubPath, resolveHubModelFolder } from './hub/cache-folder.js';
import { parseHubReference } from './hub/reference.js';
import { type DownloadOptions, hubSnapshot } from './hub/snapshot.js';
import { sha256OfFiles } from './sha256-of-files.js';
import { findTokenizerFiles, hashTokenizerFiles } from './tokenizer-files.js';
import type { ModelIdentity } from './types.js';

/** A folder whose tokenizer is used instead of the checkpoint's own. */
export interface TokenizerFolder {
  readonly folder: string;
  /** Absolute paths; null where the file is absent. */
  readonly tokenizerJson: string | null;
  readonly tokenizerConfig: string | null;
  /** config.json of that folder, or of the checkpoint where it has none. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
  /** The files that decide which tokens a text becomes. */
  readonly files: readonly string[];
  /** Branch, tag or commit that was asked for with `hf://org/name@ref`; null for a folder. */
  readonly ref: string | null;
}

/**
 * Opens the tokenizer of another folder, of a path into the hub's cache, or of a model on the hub.
 *
 * @param config config.json of the checkpoint
 * @throws CheckpointError if there is no tokenizer.json; HubError and others as `openCheckpoint`
 */
export async function openTokenizer(
  source: string,
  config: TokenizerFolder['config'],
  download: DownloadOptions = {},
): Promise<TokenizerFolder> {
  const reference = parseHubReference(source);
  const given = reference === null ? resolve(source) : await hubSnapshot(reference, 'tokenizer', download);
  const folder = (await resolveHubModelFolder(given)) ?? given;
  const find = (name: string) => (existsSync(join(folder, name)) ? join(folder, name) : null);
  const tokenizerJson = find('tokenizer.json');
  if (tokenizerJson === null) {
    throw new CheckpointError({
      what: 'there is no tokenizer.json in the folder that --tokenizer names',
      where: folder,
      remedy: 'give the folder of a tokenizer, as save_pretrained() writes it, or hf://org/name@revision',
    });
  }
  const configJson = find('config.json');
  return {
    folder,
    tokenizerJson,
    tokenizerConfig: find('tokenizer_config.json'),
    config:
      configJson === null
        ? config
        : await readJsonObject(configJson, 'remove it, or give another folder with --tokenizer'),
    files: [...findTokenizerFiles(find), ...(configJson === null ? [] : [configJson])],
    ref: reference?.revision ?? null,
  };
}

/** The facts that a run records about the tokenizer of another folder, in place of the checkpoint's. */
export async function identifyTokenizer({
  folder,
  ref,
  files,
  tokenizerJson,
}: TokenizerFolder): Promise<Pick<ModelIdentity, 'tokenizer' | 'tokenizerFiles' | 'tokenizerSha256'>> {
  const hub = parseHubPath(folder);
  return {
    tokenizer: {
      name: hub?.name ?? (basename(folder) || dirname(folder)),
      revision: hub?.revision ?? null,
      ref,
    },
    tokenizerSha256: tokenizerJson === null ? null : await sha256OfFiles([tokenizerJson]),
    tokenizerFiles: await hashTokenizerFiles(files),
  };
}
