import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CheckpointError } from '../src/errors.js';
import { parseJson, readJsonObject } from '../src/read-json.js';
import { temporaryFolder } from './support/temporary-folder.js';

describe('JSON that would exhaust stack or memory is refused', () => {
  test.each([
    ['arrays', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
    ['objects', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
    ['what is no JSON', '['.repeat(50_000)],
  ])('%s within each other, 50,000 deep', (_, text) => {
    expect(() => parseJson(text)).toThrow('more than 64 deep');
  });

  test('more objects and arrays than a tokenizer has merges', () => {
    expect(() => parseJson(`[${'[],'.repeat(4_000_000)}0]`)).toThrow('more than 4000000');
  });

  test('a file that holds such a text, by its name', async () => {
    const path = join(temporaryFolder(), 'config.json');
    writeFileSync(path, `{"a": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`);
    const read = readJsonObject(path, 'mend it');
    await expect(read).rejects.toThrow(CheckpointError);
    await expect(read).rejects.toThrow(/config\.json is not valid JSON[\s\S]*64 deep/);
  });
});

test('brackets in strings are no arrays, whatever is escaped', () => {
  const value = { a: '['.repeat(100), b: '"[\\'.repeat(100), c: ['{"x": ['] };
  expect(parseJson(JSON.stringify(value))).toEqual(value);
});

test('a message shows the beginning of what it found, not all of a long text', () => {
  const { message } = new CheckpointError({ what: 'x'.repeat(10_000), found: 'y'.repeat(1_000_000) });
  expect(message.length).toBeLessThan(5_000);
});
