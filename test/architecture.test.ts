import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url).href.replace('/dist/', '/src/'));

/** From the top of the house to the ground. */
const ROOMS = [
  'cli',
  'report',
  'validation',
  'interchange',
  'compare',
  'scores',
  'capture',
  'store',
  'probes',
  'runtime',
  'models',
  'hooks',
  'graph',
  'checkpoint',
  'tokenizer',
  'stats',
];

/** Relative imports and re-exports of a file, of types too. */
function importsOf(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)'/g)].map((match) => match[1] ?? '');
}

test('a room imports only from itself and from rooms below it', () => {
  const upward: string[] = [];
  for (const [floor, room] of ROOMS.entries()) {
    for (const name of readdirSync(join(SRC, room), { recursive: true }).map(String)) {
      if (!name.endsWith('.ts')) continue;
      for (const specifier of importsOf(join(SRC, room, name))) {
        const target = posix.join(room, posix.dirname(name), specifier).split('/')[0] ?? '';
        const targetFloor = ROOMS.indexOf(target);
        if (targetFloor !== -1 && targetFloor < floor) upward.push(`${room}/${name} → ${specifier}`);
      }
    }
  }
  expect(upward).toEqual([]);
});

test('every folder of src is a room', () => {
  const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map((entry) => entry.name).sort()).toEqual([...ROOMS].sort());
});
