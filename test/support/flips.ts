import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../../src/capture/index.js';
import { compareRuns } from '../../src/compare/compare-runs.js';
import { readComparison, writeChanges, writeComparison } from '../../src/compare/index.js';
import { InputError } from '../../src/errors.js';
import {
  compareSelections,
  importFiles,
  readSelectionComparison,
  writeSelectionComparison,
} from '../../src/interchange/index.js';
import { checkScoreTable, readSummary, scoreRun } from '../../src/scores/index.js';
import type { Random } from '../../src/stats/index.js';
import { layerPath, openRun, partPath, readManifest, verify } from '../../src/store/index.js';
import { TINY_PROBES, temporaryFolder, writeTinyCheckpoint } from './tiny-checkpoint.js';

const MASK = join(import.meta.dirname, '../fixtures/pytorch/mask.pt');

/** A file of a finished folder, and a reader that needs it. */
export interface Target {
  readonly kind: string;
  readonly folder: string;
  readonly file: string;
  readonly read: () => Promise<unknown>;
}

/** A scored run with its parts, an unfinished one, a comparison, a selection and a comparison of selections. */
export async function finishedFolders(folder = temporaryFolder()): Promise<Target[]> {
  const checkpoint = join(folder, 'checkpoint');
  writeTinyCheckpoint(checkpoint);
  const [run, open, comparison, selection, selections] = [
    'run',
    'open',
    'comparison',
    'selection',
    'selections',
  ].map((name) => join(folder, name)) as [string, string, string, string, string];
  const options = {
    checkpoint,
    probes: TINY_PROBES,
    threads: 1,
    extraHooks: ['hook_resid_post'],
  } as const;
  await capture({ ...options, out: run, keepParts: true });
  await capture({ ...options, out: open, shard: { index: 1, count: 4 } });
  await scoreRun(run, { splits: 2, threads: 1 });
  const pair = ['run', 'again'].map((label) => ({ folder: run, label }));
  const compared = await compareRuns(pair, { splits: 2 });
  await writeComparison(comparison, compared);
  await writeChanges(comparison, pair, { units: compared.units, threads: 1 });
  await importFiles([{ path: MASK, language: null }], {
    format: 'lape-mask',
    out: selection,
    languages: ['en', 'zh', 'fr'],
  });
  await writeSelectionComparison(selections, await compareSelections([selection, selection]));

  const target = (kind: string, of: string, file: string, read: () => Promise<unknown>): Target => ({
    kind,
    folder: of,
    file,
    read,
  });
  const { shape, plan } = await readManifest(run);
  const parts = [0, 4, 8].map((chunk) => partPath('', chunk, plan.chunks.length));
  return [
    target('manifest.json', run, 'manifest.json', () => readManifest(run)),
    target('manifest.json, unfinished', open, 'manifest.json', () => readManifest(open)),
    ...Array.from({ length: shape.layers }, (_, layer) =>
      target('layer', run, layerPath('', layer), async () =>
        (await (await openRun(run)).layer(layer)).close(),
      ),
    ),
    ...parts.map((part) =>
      target('part', open, part, async () => {
        let damaged = 0;
        await capture({
          ...options,
          out: open,
          shard: { index: 1, count: 4 },
          onDamaged: () => damaged++,
        });
        if (damaged > 0) throw new MadeAnew();
      }),
    ),
    target('scores.json', run, 'scores.json', () => readSummary(run)),
    ...(['units', 'unit_languages', 'alignment'] as const).map((name) =>
      target(`${name}.parquet`, run, `${name}.parquet`, () => checkScoreTable(run, name)),
    ),
    ...['comparison.json', 'changes.parquet'].map((file) =>
      target(file, comparison, file, () => readComparison(comparison)),
    ),
    ...['selection.json', 'units.parquet'].map((file) =>
      target(`selection: ${file}`, selection, file, () => compareSelections([selection, selection])),
    ),
    target('selections.json', selections, 'selections.json', () => readSelectionComparison(selections)),
  ];
}

/** A capture that made a damaged part anew. */
class MadeAnew extends InputError {
  constructor() {
    super({ what: 'made anew' });
  }
}

/** A byte that was changed without anybody noticing. */
export interface Silent {
  readonly kind: string;
  readonly position: number;
  readonly by: 'verify' | 'reader';
}

/** Changes a random byte of a file, asks `verify` and the reader, and puts the byte back. */
export async function flipOnce({ kind, folder, file, read }: Target, random: Random): Promise<Silent[]> {
  const path = join(folder, file);
  const whole = readFileSync(path);
  const position = random.integer(whole.length);
  const flipped = Buffer.from(whole);
  flipped[position]! ^= 1 + random.integer(255);
  const silent: Silent[] = [];
  writeFileSync(path, flipped);
  try {
    const { damaged } = await verify(folder);
    if (!damaged.some((one) => join(folder, one.file) === path))
      silent.push({ kind, position, by: 'verify' });
    const noticed = await read().then(
      () => false,
      (error: unknown) => {
        if (!(error instanceof InputError)) throw error;
        return true;
      },
    );
    if (!noticed) silent.push({ kind, position, by: 'reader' });
    return silent;
  } finally {
    writeFileSync(path, whole);
  }
}
