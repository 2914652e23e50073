import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** The rooms of the house, from the top to the ground. */
const ROOMS = [
  'cli',
  'report',
  'planted',
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

/** Every file of the house, relative to `src/`, with the files it imports or re-exports from; types count too. */
const IMPORTS: ReadonlyMap<string, readonly string[]> = new Map(
  readdirSync(SRC, { recursive: true })
    .map((name) => String(name).replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [name, importsOf(name)]),
);

function importsOf(name: string): string[] {
  const text = readFileSync(join(SRC, name), 'utf8');
  return [...text.matchAll(/(?:from |import\()'(\.[^']+)'/g)].map(([, specifier]) =>
    posix.join(posix.dirname(name), specifier ?? '').replace(/\.js$/, '.ts'),
  );
}

/** The room a file is in; undefined for the files that stand beside the rooms. */
function roomOf(name: string): string | undefined {
  const room = name.includes('/') ? name.slice(0, name.indexOf('/')) : '';
  return ROOMS.includes(room) ? room : undefined;
}

/** Every import of a room's file from another room. */
function acrossRooms(): { from: string; to: string }[] {
  return [...IMPORTS].flatMap(([from, targets]) =>
    targets
      .filter((to) => roomOf(to) !== undefined && roomOf(to) !== roomOf(from))
      .map((to) => ({ from, to })),
  );
}

test('every folder of src is a room, and every room has a face', () => {
  const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).sort()).toEqual([...ROOMS].sort());
  const faceless = ROOMS.filter((room) => room !== 'cli' && !IMPORTS.has(`${room}/index.ts`));
  expect(faceless).toEqual([]);
});

test('a room imports only from itself and from rooms below it', () => {
  const floor = (name: string) => ROOMS.indexOf(roomOf(name) ?? '');
  const upward = acrossRooms().filter(
    ({ from, to }) => roomOf(from) !== undefined && floor(to) < floor(from),
  );
  expect(upward).toEqual([]);
});

test('a room is entered by its face alone', () => {
  const past = acrossRooms().filter(({ to }) => to !== `${roomOf(to)}/index.ts`);
  expect(past).toEqual([]);
});

test('a room does not import its own face', () => {
  const own = [...IMPORTS].filter(([from, targets]) => targets.includes(`${roomOf(from)}/index.ts`));
  expect(own.map(([from]) => from)).toEqual([]);
});

test('no files import each other in a circle, types included', () => {
  expect(circles()).toEqual([]);
});

/** Files that reach themselves through what they import (strongly connected components of two or more; Tarjan 1972). */
function circles(): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (name: string): void => {
    index.set(name, index.size);
    low.set(name, index.get(name)!);
    stack.push(name);
    for (const target of IMPORTS.get(name) ?? []) {
      if (!IMPORTS.has(target)) continue;
      if (!index.has(target)) visit(target);
      if (stack.includes(target)) low.set(name, Math.min(low.get(name)!, low.get(target)!));
    }
    if (low.get(name) !== index.get(name)) return;
    const members = stack.splice(stack.indexOf(name));
    if (members.length > 1) found.push(members.sort());
  };
  for (const name of IMPORTS.keys()) if (!index.has(name)) visit(name);
  return found;
}
