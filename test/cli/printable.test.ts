import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { printable, printableJson, printableLine } from '../../src/cli/printable.js';
import { keepSecret } from '../../src/secrets.js';
import { babelscope, babelscopeProcess, temporaryFolder } from '../support/command-line.js';
import { TINY_PROBES, tinyCheckpoint } from '../support/tiny-checkpoint.js';

/** Sets the title, clears the screen by a seven-bit and by an eight-bit sequence, goes to the line's start, turns writing round. */
const EVIL = '\x1b]0;owned\x07\x1b[2J\x9b2Jover\rwritten\u202etxt\x7f';
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const RAW = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

test('texts are printed with every control visible, and languages as they are', () => {
  expect(printable(EVIL)).toBe(String.raw`\x1b]0;owned\x07\x1b[2J\x9b2Jover\x0dwritten\u202etxt\x7f`);
  const languages = 'Größe, 日本語, עברית, हिन्दी, 👩‍👩‍👧, a\tb\nc';
  expect(printable(languages)).toBe(languages);
  expect(printableLine('a\tb\nc')).toBe(String.raw`a b\nc`);
  expect(printable('\ud800!')).toBe(String.raw`\ud800!`);
});

test('JSON is printed as the same value', () => {
  const value = { [EVIL]: [EVIL, 1, null] };
  expect(printableJson(value)).not.toMatch(RAW);
  expect(JSON.parse(printableJson(value))).toEqual(value);
});

test('secrets are printed nowhere', () => {
  keepSecret('hf_"secret"');
  expect(printable('Bearer hf_"secret"')).toBe('Bearer ***');
  expect(printableJson({ said: 'Bearer hf_"secret"' })).toContain('"Bearer ***"');
});

/** The tiny probe set with controls in its name, its languages and the ids of its items. */
function evilProbes(spoil: (row: Record<string, unknown>) => void = () => {}): string {
  const folder = join(temporaryFolder(), 'probes');
  cpSync(TINY_PROBES, folder, { recursive: true });
  const probe = JSON.parse(readFileSync(join(folder, 'probe.json'), 'utf8'));
  probe.name = EVIL;
  for (const language of probe.languages) language.name = `${language.name}${EVIL}`;
  writeFileSync(join(folder, 'probe.json'), JSON.stringify(probe));
  const items = readFileSync(join(folder, 'items.jsonl'), 'utf8').trim().split('\n');
  const evil = items.map((line) => {
    const row = { ...JSON.parse(line), id: `${JSON.parse(line).id}${EVIL}` };
    spoil(row);
    return JSON.stringify(row);
  });
  writeFileSync(join(folder, 'items.jsonl'), evil.join('\n'));
  return folder;
}

test('no command prints what files and folders are called as a terminal would act on it', async () => {
  const root = join(temporaryFolder(), EVIL);
  mkdirSync(root);
  const checkpoint = join(root, 'checkpoint');
  cpSync(tinyCheckpoint(), checkpoint, { recursive: true });
  const probes = evilProbes();
  const empty = evilProbes((row) => {
    row.text = Object.fromEntries(Object.keys((row.text as object) ?? { en: '' }).map((tag) => [tag, '']));
  });
  const strange = join(root, 'strange');
  cpSync(checkpoint, strange, { recursive: true });
  writeFileSync(join(strange, 'config.json'), JSON.stringify({ model_type: EVIL, architectures: [EVIL] }));
  const run = join(root, 'run');
  const commands = [
    ['probes', 'check', probes],
    ['probes', 'check', empty],
    ['probes', 'show', probes],
    ['inspect', checkpoint],
    ['inspect', checkpoint, '--json'],
    ['inspect', strange],
    ['inspect', join(root, 'nowhere')],
    ['inspect', `hf://${EVIL}`],
    ['capture', checkpoint, '--probes', probes, '--limit', '3', '--out', run],
    ['capture', checkpoint, '--probes', probes, '--limit', '3', '--out', run, '--json'],
    ['score', run],
    ['compare', run, run, '--labels', `a${EVIL},b${EVIL}`, '--out', join(root, 'comparison')],
    ['report', run, '--formats', 'html', '--out', join(root, 'report')],
    ['export', run, '--format', 'csv', '--out', join(root, 'csv')],
    ['capture', checkpoint, '--probes', EVIL, '--out', run],
    ['capture', checkpoint, '--device', EVIL],
    [EVIL],
    ['score', run, `--${EVIL}`],
  ];
  let shown = '';
  for (const command of commands) {
    const { stdout, stderr } = await babelscope(command);
    expect(`${stdout}${stderr}`, command.slice(0, 2).join(' ')).not.toMatch(RAW);
    shown += stdout + stderr;
  }
  // They were there to be shown.
  expect(shown.split(String.raw`\x1b]0;owned\x07`).length).toBeGreaterThan(commands.length);
});

test('an id of an item without text is told without its escape sequences', async () => {
  const probes = join(import.meta.dirname, '../fixtures/hostile/escape-id-probe');
  const run = join(temporaryFolder(), 'run');
  for (const words of [
    ['probes', 'check', probes],
    ['probes', 'show', probes],
    ['capture', tinyCheckpoint(), '--probes', probes, '--out', run],
  ]) {
    const { code, stdout, stderr } = await babelscope(words);
    expect(stdout + stderr).not.toMatch(RAW);
    if (words[1] !== 'show') expect(stdout + stderr).toContain(String.raw`\x1b]0;owned\x07\x1b[2J`);
    if (words[0] === 'capture') expect(code).toBe(2);
  }
});

test('what libraries say, and what nobody caught, goes the same way', async () => {
  // As soon as the command line has taken over what is printed, however long that takes.
  const code = `const wait = setInterval(() => {
    if (process.listenerCount('uncaughtException') === 0) return;
    clearInterval(wait);
    console.warn('library ' + ${JSON.stringify(EVIL)});
    throw new Error(${JSON.stringify(EVIL)});
  }, 5)`;
  const preload = `data:text/javascript,${encodeURIComponent(code)}`;
  const run = join(temporaryFolder(), 'run');
  const {
    stderr,
    stdout,
    code: status,
  } = await babelscopeProcess(['capture', tinyCheckpoint(), '--probes', TINY_PROBES, '--out', run], {
    flags: ['--import', preload],
  });
  expect(status).toBe(1);
  expect(stderr).toContain(String.raw`library \x1b]0;owned`);
  expect(stderr).toContain('internal error');
  expect(stdout + stderr).not.toMatch(RAW);
});
