import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readSafetensorsHeader, sha256OfFiles } from '../src/checkpoint/index.js';
import { readComparison } from '../src/compare/index.js';
import { languageGroups } from '../src/compare/inputs/language-groups.js';
import { InputError } from '../src/errors.js';
import { importFiles } from '../src/interchange/index.js';
import { readPytorch } from '../src/interchange/pytorch/read-pytorch.js';
import { readSelection } from '../src/interchange/selection.js';
import { readOnnx } from '../src/models/exported/read-onnx.js';
import { loadProbes } from '../src/probes/index.js';
import { readWholeFile, streamFile } from '../src/read-file.js';
import { readJsonObject } from '../src/read-json.js';
import { openSafetensors, readManifest, readTable } from '../src/store/index.js';
import { loadTokenizer } from '../src/tokenizer/index.js';
import { temporaryFolder } from './support/temporary-folder.js';

function importAs(format: string | undefined, path: string, folder: string) {
  return importFiles([{ path, language: 'en' }], { format, out: join(folder, 'out') });
}

/** What is no regular file, made at a path. */
const KINDS: Readonly<Record<string, (path: string) => void | Promise<void>>> = {
  'a named pipe': (path) => void execFileSync('mkfifo', [path]),
  'a socket': async (path) => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(path, listening));
    onTestFinished(() => void server.close());
  },
  'a device': (path) => symlinkSync('/dev/zero', path),
  'a folder': (path) => void mkdirSync(path),
};

/** Everything that reads what somebody else made, and the name of the file that it reads. */
const READERS: Readonly<
  Record<string, readonly [name: string, read: (path: string, folder: string) => unknown]>
> = {
  'config.json': ['config.json', (path) => readJsonObject(path, 'mend it')],
  'tokenizer.json': [
    'tokenizer.json',
    (path, folder) => loadTokenizer({ folder, tokenizerJson: path, tokenizerConfig: null }),
  ],
  'safetensors, its header': ['model.safetensors', (path) => readSafetensorsHeader(path)],
  'safetensors of a run': ['00.safetensors', (path) => openSafetensors(path)],
  'a file that is hashed': ['config.json', (path) => sha256OfFiles([path])],
  'an ONNX graph': ['model.onnx', (path) => readOnnx(path)],
  'a pickle': ['a.pt', (path) => readPytorch(path)],
  'a probe set of its own format': [
    'items.jsonl',
    (_, folder) => {
      writeFileSync(join(folder, 'probe.json'), '{}');
      return loadProbes(folder);
    },
  ],
  'a table of prompts': ['en.csv', (path) => loadProbes(path, { format: 'xquad' })],
  'a table of prompts in parquet': ['en.parquet', (path) => loadProbes(path, { format: 'xquad' })],
  'a text of prompts': ['en.txt.gz', (path) => loadProbes(path, { format: 'aligned-text' })],
  manifest: ['manifest.json', (_, folder) => readManifest(folder)],
  'a table of scores': ['units.parquet', (path) => readTable(path)],
  comparison: ['comparison.json', (_, folder) => readComparison(folder)],
  selection: ['selection.json', (_, folder) => readSelection(folder)],
  'groups of languages': ['groups.json', (path) => languageGroups([path], [])],
  'a table of expertise': ['en.csv', (path, folder) => importAs('selfcond', path, folder)],
  'neurons in JSON': ['lape.json', (path, folder) => importAs('lape-json', path, folder)],
  'a list of heads': ['en.txt', (path, folder) => importAs('head-list', path, folder)],
  'a matrix of perplexities': ['ppl.csv', (path, folder) => importAs('perplexity', path, folder)],
  'a file of no named format': ['counts', (path, folder) => importAs(undefined, path, folder)],
  'a sidecar': [
    'en.csv.json',
    (path, folder) => {
      writeFileSync(path.replace('.json', ''), 'ap');
      return importAs('selfcond', path.replace('.json', ''), folder);
    },
  ],
};

describe.each(Object.keys(KINDS))('%s in place of a file is refused at once', (kind) => {
  test.each(Object.keys(READERS))('%s', async (reader) => {
    const folder = temporaryFolder();
    const [name, read] = READERS[reader]!;
    const path = join(folder, name);
    await KINDS[kind]!(path);
    const refused = await Promise.resolve(read(path, folder)).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(InputError);
    expect((refused as Error).message).toContain(name);
    // The folder of a probe set is looked through, and a folder in place of a table is one of tables.
    if (kind !== 'a folder') expect((refused as Error).message).toMatch(/not a regular file/);
  });
});

test('a file of more bytes than are read is refused by its size, before it is read', async () => {
  const path = join(temporaryFolder(), 'large');
  writeFileSync(path, '');
  truncateSync(path, 2 ** 40); // sparse: it takes no room on disk
  await expect(readWholeFile(path, 100)).rejects.toThrow(
    '1099511627776 bytes, more than the 100 that are read',
  );
});

test('pieces of a file are the whole file', async () => {
  const path = join(temporaryFolder(), 'file');
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
  writeFileSync(path, bytes);
  const pieces: Uint8Array[] = [];
  for await (const piece of streamFile(path, 64)) pieces.push(piece);
  expect(Buffer.concat(pieces)).toEqual(bytes);
  expect(await readWholeFile(path, 1000)).toEqual(bytes);
});
