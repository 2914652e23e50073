import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { requireSpace } from '../../src/capture/plan/free-space.js';
import { OutputError, RunError } from '../../src/errors.js';
import { PLACE } from '../../src/store/files/temporary-name.js';
import { verify, withFolderLock } from '../../src/store/index.js';
import { TINY_PROBES, temporaryFolder, tinyCheckpoint } from '../support/tiny-checkpoint.js';

const CHILD = fileURLToPath(new URL('../support/capture-child.mjs', import.meta.url));
const DEAD = 2 ** 22 + 1; // above the largest process id of Linux
const ok = async () => 'done';

/** A lock as another process holds it. */
function hold(folder: string, holder: object, secondsAgo = 0, name = 'writer'): void {
  mkdirSync(join(folder, `.${name}.lock`));
  const time = Date.now() / 1000 - secondsAgo;
  utimesSync(join(folder, `.${name}.lock`), time, time);
  const since = '2026-01-02T03:04:05.678Z';
  const own = {
    pid: DEAD,
    host: 'there',
    place: 'elsewhere',
    started: null,
    since,
    what: 'score',
    ...holder,
  };
  writeFileSync(join(folder, `.${name}.json`), JSON.stringify(own));
}

test('a second writer is told who has the folder; afterwards nothing is left of the lock', async () => {
  const folder = temporaryFolder();
  await withFolderLock(folder, { what: 'capture' }, async () => {
    const second = withFolderLock(folder, { what: 'score' }, ok);
    await expect(second).rejects.toThrow(RunError);
    await expect(second).rejects.toThrow(
      new RegExp(`found: +capture, process ${process.pid} on ${hostname()}, since 20\\d\\d-`),
    );
  });
  expect(readdirSync(folder)).toEqual([]);
  expect(await withFolderLock(folder, { what: 'score' }, ok)).toBe('done');
  await expect(
    withFolderLock(join(folder, 'new'), { what: 'score' }, () => Promise.reject(new Error('no'))),
  ).rejects.toThrow('no');
  expect(existsSync(join(folder, 'new'))).toBe(false);
});

test('a lock of a process that was killed here is taken over at once, of one elsewhere when it is no longer renewed', async () => {
  const [here, again, elsewhere, stale] = [0, 1, 2, 3].map(() => temporaryFolder()) as [
    string,
    string,
    string,
    string,
  ];
  hold(here, { place: PLACE });
  expect(await withFolderLock(here, { what: 'score' }, ok)).toBe('done');
  // This process id is in use, by a process that was started at another time.
  hold(again, { place: PLACE, pid: process.pid, started: '1' });
  expect(await withFolderLock(again, { what: 'score' }, ok)).toBe('done');
  // Killed before it gave its name.
  const nameless = temporaryFolder();
  mkdirSync(join(nameless, '.writer.lock'));
  expect(await withFolderLock(nameless, { what: 'score' }, ok)).toBe('done');
  hold(elsewhere, {}, 40);
  await expect(withFolderLock(elsewhere, { what: 'score' }, ok)).rejects.toThrow(
    /score, process \d+ on there, since 2026-01-02[\s\S]*60 seconds later/,
  );
  hold(stale, {}, 90);
  expect(await withFolderLock(stale, { what: 'score' }, ok)).toBe('done');
});

test('shares go side by side, and exclude a writer of the whole', async () => {
  const folder = temporaryFolder();
  await withFolderLock(folder, { what: 'capture', share: '1-of-2' }, async () => {
    expect(await withFolderLock(folder, { what: 'capture', share: '2-of-2' }, ok)).toBe('done');
    await expect(withFolderLock(folder, { what: 'merge' }, ok)).rejects.toThrow(/capture, process/);
    await expect(withFolderLock(folder, { what: 'capture', share: '1-of-2' }, ok)).rejects.toThrow(
      /another process/,
    );
  });
  await withFolderLock(folder, { what: 'score' }, async () => {
    await expect(withFolderLock(folder, { what: 'capture', share: '2-of-2' }, ok)).rejects.toThrow(
      /score, process/,
    );
  });
});

test('of captures that start at once into one folder one runs, and the others are told of it', async () => {
  const out = join(temporaryFolder(), 'run');
  const options = JSON.stringify({ checkpoint: tinyCheckpoint(), probes: TINY_PROBES, threads: 1, out });
  const ended = await Promise.all(
    [0, 1, 2].map(
      () =>
        new Promise<{ code: number | null; stderr: string }>((resolve) => {
          const child = spawn(process.execPath, [CHILD, options, '-1'], {
            stdio: ['ignore', 'ignore', 'pipe'],
          });
          let stderr = '';
          child.stderr.on('data', (data) => (stderr += data));
          child.on('close', (code) => resolve({ code, stderr }));
        }),
    ),
  );
  const refused = ended.filter(({ code }) => code === 2);
  expect(ended.filter(({ code }) => code === 0).length + refused.length).toBe(3);
  expect(refused.length).toBeLessThan(3);
  for (const { stderr } of refused) expect(stderr).toMatch(/another process writes into the folder/);
  expect((await verify(out)).damaged).toEqual([]);
  expect(readdirSync(out).sort()).toEqual(['layers', 'manifest.json', 'timings.json']);
});

test('a capture that the disk has no room for is refused before it begins, with both numbers', async () => {
  const folder = temporaryFolder();
  await requireSpace(folder, 1);
  await expect(requireSpace(folder, 1e15)).rejects.toThrow(OutputError);
  await expect(requireSpace(folder, 1e15)).rejects.toThrow(
    /1,000,000,000,000,000 bytes[\s\S]*found: +[\d,]+ bytes/,
  );
});
