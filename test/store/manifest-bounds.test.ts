import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunError } from '../../src/errors.js';
import { readManifest } from '../../src/store/index.js';
import { writeRecord } from '../../src/store/integrity/record.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';
import { temporaryFolder } from '../support/temporary-folder.js';

type Fields = Record<string, Record<string, unknown>>;

test.each<[string, (manifest: Fields) => void]>([
  ['shape.layers', ({ shape }) => Object.assign(shape!, { layers: 2_147_483_647 })],
  ['shape.layers', ({ shape }) => Object.assign(shape!, { layers: -1 })],
  ['shape.dMlp', ({ shape }) => Object.assign(shape!, { dMlp: 2 ** 40 })],
  ['shape.heads', ({ shape }) => Object.assign(shape!, { heads: -3 })],
  ['plan.folds', ({ plan }) => Object.assign(plan!, { folds: 1e9 })],
  ['plan.chunks.0.0', ({ plan }) => Object.assign(plan!, { chunks: [[-1]] })],
])('a manifest whose %s no run can have is refused, though its checksum fits', async (field, change) => {
  const folder = temporaryFolder();
  await writeSyntheticRun(folder, { layers: 1, neurons: 4, heads: 2, items: 4, folds: 2 });
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Fields;
  const { checksums, command } = manifest as unknown as { checksums: never; command: string };
  change(manifest);
  await writeRecord(path, manifest, { files: checksums, command });
  await expect(readManifest(folder)).rejects.toThrow(RunError);
  await expect(readManifest(folder)).rejects.toThrow(`field "${field}" of the manifest is unusable`);
});
