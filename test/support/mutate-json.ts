import type { Random } from '../../src/stats/sampling/random.js';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Values that break readers which trust their input: wrong types, edges of number ranges, names of Object's own. */
const HOSTILE: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  3,
  0.5,
  1e-300,
  1e308,
  2 ** 31,
  2 ** 32,
  2 ** 40,
  Number.MAX_SAFE_INTEGER,
  2 ** 64,
  '',
  '0',
  'gelu',
  'default',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '\u0000\ud800',
  'x'.repeat(100_000),
  [],
  {},
  [[]],
  [null],
  [0, 0],
  [2 ** 32, 2 ** 32],
  { type: 'yarn', factor: 1e308 },
  { rope_type: 'longrope', short_factor: [1], long_factor: [1] },
  { rope_type: 'dynamic', factor: 1e-300 },
];

/** Changes a JSON value in place at one to four places, more often at few. */
export function mutateJson(root: { [key: string]: Json }, random: Random): void {
  const changes = 1 + random.integer(1 + random.integer(4));
  for (let change = 0; change < changes; change++) {
    const [parent, key] = pick(root, random);
    const value = parent[key]!;
    switch (random.integer(8)) {
      case 0:
        delete parent[key];
        break;
      case 1:
        parent[random.integer(2) === 0 ? '__proto__x' : `${key}x`] = value;
        delete parent[key];
        break;
      case 2: {
        const [other, otherKey] = pick(root, random);
        if (!contains(other[otherKey], parent)) parent[key] = structuredClone(other[otherKey]!);
        break;
      }
      case 3:
        if (typeof value === 'number') parent[key] = value + [-1, 1, 0.5, 1e6][random.integer(4)]!;
        else if (Array.isArray(value)) parent[key] = [...value, ...value];
        else parent[key] = [value];
        break;
      case 4:
        if (typeof value === 'number') parent[key] = value * [-1, 2, 1e6, 1 / 3][random.integer(4)]!;
        else if (typeof value === 'string') parent[key] = value.slice(1);
        else parent[key] = { [key]: value };
        break;
      default:
        parent[key] = structuredClone(HOSTILE[random.integer(HOSTILE.length)]!);
    }
  }
}

/** A place somewhere below `root`, each level of nesting half as likely as the one above. */
function pick(root: { [key: string]: Json }, random: Random): [{ [key: string]: Json }, string] {
  let parent = root;
  for (;;) {
    const keys = Object.keys(parent);
    if (keys.length === 0) parent.empty = null;
    const key = keys[random.integer(Math.max(1, keys.length))] ?? 'empty';
    const value = parent[key];
    const nested = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
    if (!nested || random.integer(2) === 0) return [parent, key];
    parent = value as { [key: string]: Json };
  }
}

/** Whether `part` is `whole` or lies inside it: copying it there would tie a knot. */
function contains(whole: Json | undefined, part: Json): boolean {
  if (whole === part) return true;
  if (typeof whole !== 'object' || whole === null) return false;
  return Object.values(whole).some((value) => contains(value, part));
}

/** Bytes with a few of them changed, cut out, repeated or put in. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let result: Uint8Array = Uint8Array.from(bytes);
  const changes = 1 + random.integer(3);
  for (let change = 0; change < changes; change++) {
    const at = random.integer(result.length + 1);
    const length = random.integer(2) === 0 ? 1 : random.integer(32);
    const [before, after] = [result.subarray(0, at), result.subarray(Math.min(result.length, at + length))];
    switch (random.integer(5)) {
      case 0: {
        result = Uint8Array.from(result);
        if (at < result.length) result[at] = random.integer(256);
        break;
      }
      case 1:
        result = joined(before, after);
        break;
      case 2:
        result = joined(result.subarray(0, Math.min(result.length, at + length)), result.subarray(at));
        break;
      case 3:
        result = joined(
          before,
          new TextEncoder().encode('[{":,0-9e'[random.integer(9)]!.repeat(length)),
          result.subarray(at),
        );
        break;
      default:
        result = Uint8Array.from(before);
    }
  }
  return result;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
