import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function git(...args: string[]): string {
  const { status, stdout } = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 });
  return status === 0 ? stdout : '';
}

/** A copy without its history, or with the newest of it alone, cannot tell. */
const hasHistory = git('rev-parse', '--is-shallow-repository').trim() === 'false';
if (!hasHistory) console.log('skipped: commits that CONTRIBUTING.md names, since there is no history of git');

test.skipIf(!hasHistory)(
  'every commit that CONTRIBUTING.md names by the beginning of its subject is there',
  () => {
    const named = [
      ...readFileSync(`${ROOT}/CONTRIBUTING.md`, 'utf8').matchAll(/(?<!\*)\*([^*\n]+)\*(?!\*)/g),
    ];
    expect(named.length).toBeGreaterThan(8);
    const subjects = git('log', '--format=%s').split('\n');
    const isThere = (begin: string) => subjects.some((subject) => subject.startsWith(begin));
    expect(named.map(([, begin]) => begin!).filter((begin) => !isThere(begin))).toEqual([]);
  },
);
