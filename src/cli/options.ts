import { InvalidArgumentError, Option } from '@commander-js/extra-typings';

/** An option that takes one of a few words, and is `preset` where it is not given. */
export function choice<
  const Flags extends string,
  const Words extends readonly string[],
  const Preset extends Words[number],
>(flags: Flags, description: string, words: Words, preset: Preset) {
  return new Option(flags, description).choices(words).default(preset);
}

const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
};

/** `8GiB`, `500MB`, `2e9` (bytes) → bytes. */
export function parseBytes(text: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?(?:e[0-9]+)?)\s*([KMG]?i?B)?$/i.exec(text.trim());
  const factor = BYTES_PER_UNIT[(match?.[2] ?? 'B').toUpperCase()];
  const bytes = Number(match?.[1]) * (factor ?? Number.NaN);
  if (!Number.isFinite(bytes) || bytes <= 0)
    throw new InvalidArgumentError('expected a size such as 8GiB or 500MB');
  return Math.floor(bytes);
}

export function parsePositiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number of at least 1');
  return value;
}

/** A number of tokens, or `min`: as many as the language with the fewest has. */
export function parseTokens(text: string): number | 'min' {
  return text === 'min' ? 'min' : parsePositiveInteger(text);
}

/** A share above 0: 0.1 is a tenth. */
export function parseShare(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('expected a share above 0, for example 0.1');
  return value;
}

export function parseSeed(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new InvalidArgumentError('expected a whole number from 0 to 4294967295');
  }
  return value;
}

/** `2/8` → the second of eight shards, `{index: 2, count: 8}`; `index` counts from 1. */
export function parseShard(text: string): { index: number; count: number } {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const index = Number(match?.[1]);
  const count = Number(match?.[2]);
  if (!match || index < 1 || count < 1 || index > count) {
    throw new InvalidArgumentError('expected i/n with 1 ≤ i ≤ n, for example 2/8');
  }
  return { index, count };
}

/** `en,de, fr` → the parts, none empty, none twice. */
export function parseList(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => part === ''))
    throw new InvalidArgumentError('expected a comma-separated list, nothing empty');
  const twice = parts.find((part, i) => parts.indexOf(part) !== i);
  if (twice !== undefined) throw new InvalidArgumentError(`${twice} is listed twice`);
  return parts;
}

/** A parser of a comma-separated list whose members come from `allowed`. */
export function parseChoices<const T extends string>(allowed: readonly T[]): (text: string) => T[] {
  return (text) =>
    parseList(text).map((part) => {
      const choice = allowed.find((candidate) => candidate === part);
      if (choice === undefined) throw new InvalidArgumentError(`${part} is none of ${allowed.join(', ')}`);
      return choice;
    });
}
