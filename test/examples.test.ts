import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';

const EXAMPLES = fileURLToPath(new URL('../examples', import.meta.url));
const OUT = join(EXAMPLES, 'out');
const clean = () => rmSync(OUT, { recursive: true, force: true });
beforeAll(clean);
afterAll(clean);

let said: string[];
beforeEach(() => {
  said = [];
  vi.spyOn(console, 'log').mockImplementation((line) => said.push(line));
});

/** What each example prints, in the order in which they need each other. */
const PRINTS: Readonly<Record<string, RegExp>> = {
  'hooks-of-a-text.ts': /^("[^"]+": neuron \d+, \d+\.\d\d\n){6,}$/,
  'selective-neurons.ts':
    /^(layer \d, neuron \d+: entropy \d\.\d{3} \(95 % interval \d\.\d{3} to \d\.\d{3}\)\n){3,10}$/,
  'compare-two-runs.ts': /^Selected neurons \(count\): changed; /,
  'figure-to-svg.ts': /base.*sft/,
  'own-prompts.ts': /^English: fires at \d+ of \d+ tokens\nFrench: .*\nJapanese: .*\n$/,
};

test('every example is run here', () => {
  expect(readdirSync(EXAMPLES).filter((name) => name.endsWith('.ts'))).toEqual(Object.keys(PRINTS).sort());
});

test.each(Object.entries(PRINTS))('%s runs and prints what it promises', async (name, expected) => {
  await import(join(EXAMPLES, name));
  expect(said.map((line) => `${line}\n`).join('')).toMatch(expected);
  const lines = readFileSync(join(EXAMPLES, name), 'utf8').trim().split('\n');
  expect(lines.length).toBeLessThanOrEqual(30);
  if (name === 'figure-to-svg.ts') expect(existsSync(join(OUT, 'layers.svg'))).toBe(true);
});
