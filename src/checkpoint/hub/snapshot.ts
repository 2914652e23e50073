import { randomUUID } from 'node:crypto';
import { readFile, realpath, rename, stat, statfs, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { HubError, listed, OutputError } from '../../errors.js';
import { makeFolders } from '../../system-errors.js';
import { INDEX_FILE, readWeightMap } from '../safetensors/weight-map.js';
import { exists, isInside } from './cache-folder.js';
import { downloadBlob, type HubFile, toCacheError } from './download-blob.js';
import { hubFetch } from './hub-fetch.js';
import { listModel } from './list-model.js';
import { type HubReference, type HubSettings, hubAddress, hubSettings } from './reference.js';
import { type HubNeed, missingFiles, wantedFiles } from './wanted-files.js';

export interface DownloadProgress {
  /** The file being fetched. */
  readonly file: string;
  readonly bytesDone: number;
  /** Bytes of the files at hand: configuration, tokenizer and single weights first, then the shards that an index names. */
  readonly bytesTotal: number;
  /** Since this call began, what an earlier one left not counted. */
  readonly bytesPerSecond: number;
}

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
}

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
  if (named.trim() === '') return null;
  for (const name of ['config.json', 'adapter_config.json', 'tokenizer.json'])
    if (await exists(join(folder, name))) return folder;
  return null;
}

/**
 * Downloads what is needed of a model into the standard layout of the hub's cache (`blobs/<hash>`, links to them in
 * `snapshots/<commit>/`, `refs/<revision>` holding the commit), so that Python's libraries find it there too. Files
 * appear under their names only once their hashes are right; a cut download is gone on with.
 *
 * @returns the snapshot folder
 * @throws HubError, OutputError, InterruptedError as `hubSnapshot` does
 */
async function downloadSnapshot(
  reference: HubReference,
  need: HubNeed,
  modelRoot: string,
  settings: HubSettings,
  options: DownloadOptions,
): Promise<string> {
  const fetch = hubFetch(reference, settings, options.signal);
  const { commit, files } = await listModel(reference, settings, fetch, options.signal);
  const snapshot = join(modelRoot, 'snapshots', commit);
  const first = wantedFiles(new Set(files.keys()), need, reference);
  // Asked of the hub at every try: the addresses it redirects to expire.
  const urlOf = ({ path }: HubFile) =>
    `${settings.endpoint}/${reference.name}/resolve/${commit}/${encodeURIComponent(path)}`;
  const fetchAll = (names: readonly string[]) =>
    fetchFiles({
      ...options,
      reference,
      fetch,
      urlOf,
      modelRoot,
      snapshot,
      files: names.map((name) => files.get(name)!),
    });
  try {
    await makeFolders(join(modelRoot, 'blobs'));
    await makeFolders(snapshot);
    for (const folder of ['blobs', `snapshots/${commit}`]) await requireOwn(modelRoot, folder);
    await fetchAll(first);
    if (first.includes(INDEX_FILE)) {
      const shards = [...new Set((await readWeightMap(join(snapshot, INDEX_FILE))).values())].sort();
      const absent = shards.filter((shard) => !files.has(shard));
      if (absent.length > 0) throw absentShards(reference, shards, absent);
      await fetchAll(shards);
    }
    if (commit !== reference.revision) await writeRef(modelRoot, reference.revision, commit);
  } catch (cause) {
    throw toCacheError(cause, modelRoot);
  }
  return snapshot;
}

interface FetchFiles extends DownloadOptions {
  readonly reference: HubReference;
  readonly fetch: typeof globalThis.fetch;
  readonly urlOf: (file: HubFile) => string;
  readonly modelRoot: string;
  readonly snapshot: string;
  readonly files: readonly HubFile[];
}

async function fetchFiles(request: FetchFiles): Promise<void> {
  const { reference, fetch, urlOf, modelRoot, snapshot, files, signal, onDownload = () => {} } = request;
  await checkRoom(modelRoot, files);
  const bytesTotal = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const start = performance.now();
  let bytesBefore = 0;
  let fetched = 0;
  for (const file of files) {
    const blob = join(modelRoot, 'blobs', file.oid);
    let reached: number | null = null;
    const onBytes = (bytes: number) => {
      fetched += Math.max(0, bytes - (reached ?? bytes));
      reached = bytes;
      const bytesPerSecond = fetched / ((performance.now() - start) / 1000);
      onDownload({ file: file.path, bytesDone: bytesBefore + bytes, bytesTotal, bytesPerSecond });
    };
    if (!(await exists(blob))) {
      await downloadBlob({ reference, file, url: urlOf(file), fetch, path: blob, signal, onBytes });
    }
    await link(blob, join(snapshot, file.path));
    bytesBefore += file.bytes;
  }
}

/** @throws OutputError if the disk of the cache has no room for what is still to come */
async function checkRoom(modelRoot: string, wanted: readonly HubFile[]): Promise<void> {
  let needed = 0;
  for (const { oid, bytes } of wanted) {
    const blob = join(modelRoot, 'blobs', oid);
    if (await exists(blob)) continue;
    const { size } = await stat(`${blob}.incomplete`).catch(() => ({ size: 0 }));
    needed += Math.max(0, bytes - size);
  }
  const { bavail, bsize } = await statfs(modelRoot);
  const free = bavail * bsize;
  if (needed <= free) return;
  throw new OutputError({
    what: "there is not enough room for the model on the disk of the hub's cache",
    where: modelRoot,
    expected: `${gigabytes(needed)} free`,
    found: gigabytes(free),
    remedy: 'free some space, or name a folder on another disk with HF_HUB_CACHE',
  });
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

function absentShards(
  reference: HubReference,
  shards: readonly string[],
  absent: readonly string[],
): HubError {
  return new HubError({
    what: `${absent.length} of ${shards.length} weight files are not in the repository`,
    where: hubAddress(reference),
    expected: `the files named in ${INDEX_FILE}`,
    found: `no ${listed(absent, 5)}`,
    remedy: 'give another revision: this one is incomplete',
  });
}

/** A relative link from the snapshot to the blob; what was there under that name is replaced. */
async function link(blob: string, path: string): Promise<void> {
  const temporary = temporaryName(path);
  await symlink(relative(dirname(path), blob), temporary);
  await rename(temporary, path);
}

/** @throws OutputError if a folder of the cache leads out of it: what lies there would be overwritten */
async function requireOwn(modelRoot: string, folder: string): Promise<void> {
  const found = await realpath(join(modelRoot, folder));
  if (isInside(await realpath(modelRoot), found)) return;
  throw new OutputError({
    what: "a folder of the hub's cache is a link that leads out of it",
    where: join(modelRoot, folder),
    found,
    remedy:
      'remove the link, and look who may write into the cache; or name another folder with HF_HUB_CACHE',
  });
}

async function writeRef(modelRoot: string, revision: string, commit: string): Promise<void> {
  const path = join(modelRoot, 'refs', revision);
  await makeFolders(dirname(path));
  await requireOwn(modelRoot, dirname(join('refs', revision)));
  const temporary = temporaryName(path);
  await writeFile(temporary, commit, { flag: 'wx' });
  await rename(temporary, path);
}

/** Another writer of the same file must not take ours away. */
function temporaryName(path: string): string {
  return `${path}.${randomUUID()}.tmp`;
}
