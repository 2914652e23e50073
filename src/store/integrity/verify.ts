import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RunError } from '../../errors.js';
import { checkSealed, DamagedError } from './checksum.js';
import { checkListed, commandOf, RECORDS, type RecordName, readRecord, recordsIn } from './record.js';

/** A file that is not what was written. */
export interface DamagedFile {
  /** Its path within the folder. */
  readonly file: string;
  /** The command whose file it is: `capture`, `score`, `compare`, `import` or `report`. */
  readonly of: string;
  /** What is wrong, in words. */
  readonly problem: string;
  /** The command that makes it anew. */
  readonly command: string;
}

export interface Verification {
  readonly folder: string;
  /** Files that were read as a whole, damaged ones included. */
  readonly files: number;
  readonly damaged: readonly DamagedFile[];
  /** Commands that have not finished. */
  readonly unfinished: readonly string[];
}

/** Files that a record lists where its verb wrote them: without the record, or unlisted, they are left from another writing. */
const TABLES: Readonly<Record<string, readonly RecordName[]>> = {
  'units.parquet': ['scores.json', 'selection.json'],
  'unit_languages.parquet': ['scores.json', 'selection.json'],
  'alignment.parquet': ['scores.json'],
  'changes.parquet': ['comparison.json'],
};

/**
 * Reads every file of a run, a comparison or a selection and tells which are not what was written, whose each is, and
 * how it is made anew.
 *
 * @throws RunError if the folder holds no record, or a file cannot be read; InterruptedError
 */
export async function verify(
  folder: string,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Verification> {
  const records = recordsIn(folder);
  const damaged: DamagedFile[] = [];
  const unfinished: string[] = [];
  const read = new Set<string>();
  /** Checks one file, and keeps what is wrong. */
  async function check(
    file: string,
    name: RecordName,
    command: string,
    work: () => Promise<void>,
  ): Promise<void> {
    read.add(file);
    try {
      await work();
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      const { what, expected, found } = error.details;
      const details = [expected && `expected ${expected}`, found && `found ${found}`]
        .filter(Boolean)
        .join(', ');
      const problem = details === '' ? what : `${what} (${details})`;
      damaged.push({ file, of: RECORDS[name].verb, problem, command });
    }
  }
  const options = { again: true, signal };
  for (const name of records) {
    let command = commandOf(folder, RECORDS[name]);
    let files: string[] = [];
    await check(name, name, command, async () => {
      const record = await readRecord(join(folder, name), null);
      command = commandOf(folder, record);
      files = Object.keys(record.files ?? {});
      if (record.files === null) unfinished.push(RECORDS[name].verb);
      for (const file of files) {
        await check(file, name, command, () => checkListed(folder, name, record, file, options));
      }
    });
    if (name !== 'manifest.json') continue;
    for (const part of await partsIn(folder)) {
      await check(part, name, command, () => checkSealed(join(folder, part), command, options));
    }
    await check('scores.json', 'scores.json', commandOf(folder, RECORDS['scores.json']), () =>
      sameCapture(folder),
    );
    if (!existsSync(join(folder, 'scores.json'))) read.delete('scores.json');
  }
  for (const [file, of] of Object.entries(TABLES)) {
    const name = of.find((one) => records.includes(one)) ?? of[0]!;
    if (read.has(file) || !existsSync(join(folder, file))) continue;
    if (damaged.some((other) => other.file === name)) continue; // which files were its own is lost with it
    await check(file, name, commandOf(folder, RECORDS[name]), () => {
      throw new DamagedError({ what: `no ${name} lists it: it is left from another writing` });
    });
  }
  if (records.length > 0 || damaged.length > 0) return { folder, files: read.size, damaged, unfinished };
  throw new RunError({
    what: 'there is nothing to verify',
    where: folder,
    expected: `a folder with one of ${Object.keys(RECORDS).join(', ')}`,
    remedy: 'give the folder of a run, a comparison or a selection',
  });
}

async function partsIn(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'parts')).catch((): string[] => []);
  return names
    .filter((name) => !name.startsWith('.'))
    .sort()
    .map((name) => `parts/${name}`);
}

/** Scores beside a run are of its capture. A damaged record is told of where it is read. */
async function sameCapture(folder: string): Promise<void> {
  if (!existsSync(join(folder, 'scores.json'))) return;
  const plans = [];
  for (const name of ['manifest.json', 'scores.json']) {
    const record = await readRecord(join(folder, name), null).catch(() => null);
    if (record === null) return;
    plans.push(String(record.value.planSha256).slice(0, 12));
  }
  if (plans[0] === plans[1]) return;
  throw new DamagedError({
    what: 'the scores are of another capture than the run beside them',
    expected: `plan ${plans[0]}`,
    found: `plan ${plans[1]}`,
  });
}
