import { createHash } from 'node:crypto';
import { readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadProbes } from '../../src/probes/index.js';
import { en, fact, header, item, ja, uk, writeProbes } from './write-probes.js';

/** Loading fails with exit status 2 and a message that has all of `parts`. */
async function expectRefused(folder: string, ...parts: string[]): Promise<void> {
  const error = await loadProbes(folder).then(
    () => new Error('loaded without a fault'),
    (fault: unknown) => fault,
  );
  expect(error).toMatchObject({ name: 'ProbeError', exitCode: 2 });
  for (const part of parts) expect((error as Error).message).toContain(part);
}

describe('loadProbes reads', () => {
  it('plain rows and prompt rows alike', async () => {
    const rows = [
      item('a'),
      { id: 'b', prompts: { en: { text: 'Two.' }, ja: { text: '二。' } }, meta: { x: [1] } },
    ];
    const { items, warnings, languages } = await loadProbes(writeProbes(header(), rows));
    expect(items.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(items[0]!.prompts.get('ja')).toEqual({ text: '海は広い（a）。' });
    expect(items[0]!.meta).toEqual({});
    expect(items[1]!.meta).toEqual({ x: [1] });
    expect(languages).toEqual([en, ja]);
    expect(warnings).toEqual([]);
  });

  it('answers, candidates and their ids', async () => {
    const { items, identity } = await loadProbes(writeProbes(header({ kind: 'fact' }), [fact('a')]));
    expect(identity.kind).toBe('fact');
    expect(items[0]!.prompts.get('ja')).toEqual({
      text: 'どの通貨ですか？',
      answer: '円',
      candidates: ['ユーロ', '円'],
      candidateIds: ['EUR', 'JPY'],
    });
  });

  it('a byte order mark, CRLF and blank lines without complaint', async () => {
    const text = `\uFEFF${JSON.stringify(item('a'))}\r\n\r\n  \n${JSON.stringify(item('b'))}`;
    const { items } = await loadProbes(writeProbes(header(), new TextEncoder().encode(text)));
    expect(items.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('tags into their canonical form, in the header and in rows', async () => {
    const languages = [en, { ...ja, tag: 'zh-hant', script: 'Hant' }];
    const row = { id: 'a', text: { EN: 'The sea.', 'ZH-HANT': '大海。' } };
    const { items, languages: read } = await loadProbes(writeProbes(header({ languages }), [row]));
    expect(read.map(({ tag }) => tag)).toEqual(['en', 'zh-Hant']);
    expect([...items[0]!.prompts.keys()]).toEqual(['en', 'zh-Hant']);
  });

  it('an identity whose sha256 is over probe.json and items.jsonl, in that order', async () => {
    const folder = writeProbes(header(), [item('a')]);
    const bytes = ['probe.json', 'items.jsonl'].map((file) => readFileSync(join(folder, file)));
    const sha256 = createHash('sha256').update(Buffer.concat(bytes)).digest('hex');
    expect((await loadProbes(folder)).identity).toEqual({
      name: 'small',
      version: '1.0.0',
      kind: 'text',
      licence: 'CC0-1.0',
      source: 'written for this test',
      sha256,
    });
  });
});

describe('loadProbes refuses', () => {
  it('what is neither a built-in name nor a folder, naming the built-in sets', async () => {
    await expectRefused('no-such-set', 'no-such-set: no such probe set', 'facts, pud, pydocs');
  });

  it.each(['probe.json', 'items.jsonl'])('a folder without %s', async (file) => {
    const folder = writeProbes(header(), [item('a')]);
    rmSync(join(folder, file));
    await expectRefused(folder, `${file}: cannot be read`, 'ENOENT');
  });

  it('a file of more than 256 MiB, before reading it', async () => {
    const folder = writeProbes(header(), [item('a')]);
    truncateSync(join(folder, 'items.jsonl'), 2 ** 28 + 1); // sparse: it takes no room on disk
    await expectRefused(folder, 'items.jsonl: cannot be read', '268435457 bytes');
    rmSync(folder, { recursive: true });
  });

  it('a header that is not JSON', async () => {
    await expectRefused(writeProbes('{"name": "small",', [item('a')]), 'probe.json: malformed JSON');
  });

  it('a header in invalid UTF-8', async () => {
    await expectRefused(
      writeProbes(new Uint8Array([0x7b, 0xff, 0x7d]), [item('a')]),
      'probe.json: invalid UTF-8',
    );
  });

  it.each([
    ['a missing licence', { licence: undefined }, 'licence'],
    ['an empty source', { source: ' ' }, 'source: must not be empty'],
    ['an unknown kind', { kind: 'quiz' }, 'kind'],
    ['no language', { languages: [] }, 'languages'],
    ['a field nobody knows', { license: 'CC0-1.0' }, 'license'],
    ['a script by its name', { languages: [{ ...en, script: 'latin' }] }, 'ISO 15924'],
  ])('a header with %s', async (_, over, found) => {
    await expectRefused(writeProbes(header(over), [item('a')]), 'not a description of a probe set', found);
  });

  it('an unknown language tag in the header', async () => {
    const languages = [en, { ...ja, tag: 'xx' }];
    await expectRefused(
      writeProbes(header({ languages }), [item('a')]),
      'languages.1.tag: "xx" is no known language tag',
    );
  });

  it('an unknown script', async () => {
    const languages = [en, { ...ja, script: 'Abcd' }];
    await expectRefused(
      writeProbes(header({ languages }), [item('a')]),
      'languages.1.script: "Abcd" is no known script',
    );
  });

  it('a script that its own tag contradicts', async () => {
    const languages = [en, { ...ja, tag: 'zh-Hant', script: 'Hans' }];
    await expectRefused(
      writeProbes(header({ languages }), [item('a')]),
      'the tag zh-Hant names one script',
      'Hans',
    );
  });

  it('a language declared twice, in whatever spelling', async () => {
    const languages = [en, ja, { ...ja, tag: 'JA' }];
    await expectRefused(writeProbes(header({ languages }), [item('a')]), 'language ja is declared twice');
  });

  it('invalid UTF-8, with the number of its line', async () => {
    const good = new TextEncoder().encode(`${JSON.stringify(item('a'))}\n${JSON.stringify(item('b'))}\n`);
    const bad = new Uint8Array([...good, 0x22, 0xc3, 0x28, 0x0a]);
    await expectRefused(writeProbes(header(), bad), 'items.jsonl:3: invalid UTF-8', 'iconv');
  });

  it('a line that is not JSON, with its number', async () => {
    await expectRefused(
      writeProbes(header(), [item('a'), '{"id": "b", "te']),
      'items.jsonl:2: malformed JSON',
    );
  });

  it.each([
    ['without id', { text: { en: 'One.' } }, 'id'],
    ['with an empty id', { id: '', text: { en: 'One.' } }, 'id: must not be empty'],
    ['with a text that is no string', { id: 'a', text: { en: 5 } }, 'text.en'],
    [
      'with a misspelt field',
      { id: 'a', prompts: { en: { text: 'One.', candidate_ids: [] } } },
      'candidate_ids',
    ],
    ['that is a list', [1, 2], 'expected object'],
    ['that is null', null, 'expected object'],
  ])('a row %s', async (_, row, found) => {
    await expectRefused(writeProbes(header(), [row]), 'items.jsonl:1: not an item', found);
  });

  it('a duplicate id, naming both lines', async () => {
    await expectRefused(
      writeProbes(header(), [item('a'), item('b'), item('a')]),
      'items.jsonl:3: two items have the id a',
      'the id of line 1',
    );
  });

  it('an unknown language tag in an item', async () => {
    await expectRefused(
      writeProbes(header(), [item('a', { xx: 'one' })]),
      '(item a): "xx" is no known language tag',
    );
  });

  it('a language that the header does not declare', async () => {
    await expectRefused(
      writeProbes(header(), [item('a', { uk: 'Море.' })]),
      'item a), language uk: language uk is not declared in probe.json',
    );
  });

  it('one language twice in an item, in two spellings', async () => {
    await expectRefused(
      writeProbes(header(), [item('a', { JA: '海。' })]),
      'language ja occurs twice in one item',
    );
  });

  it('a declared language that no item has', async () => {
    const folder = writeProbes(header({ languages: [en, ja, uk] }), [item('a')]);
    await expectRefused(folder, 'language uk is declared and never used');
  });

  it('an empty set', async () => {
    await expectRefused(writeProbes(header(), []), 'items.jsonl: the probe set is empty');
  });

  it('an item without any language', async () => {
    await expectRefused(
      writeProbes(header(), [item('a'), { id: 'b', text: {} }]),
      '(item b): an item without any language',
    );
  });

  it.each(['', '  ', '\n\u3000'])('an empty text: %j', async (text) => {
    await expectRefused(
      writeProbes(header(), [item('a', { ja: text })]),
      '(item a), language ja: empty text',
    );
  });

  it('half a surrogate pair', async () => {
    await expectRefused(
      writeProbes(header(), ['{"id": "a", "text": {"en": "One.", "ja": "海\\ud83d"}}']),
      'language ja: invalid Unicode',
    );
  });

  it.each([
    ['a fact without an answer', { answer: undefined }, 'a fact without an answer'],
    ['an empty answer', { answer: ' ' }, 'empty answer'],
    ['an empty candidate', { candidates: ['円', ''] }, 'an empty candidate'],
    ['two candidates with one name', { candidates: ['円', '円'] }, 'two candidates with one name'],
    [
      'candidates without the answer',
      { candidates: ['ユーロ', 'ドル'] },
      'the answer is not among the candidates',
    ],
    [
      'candidateIds of another length',
      { candidateIds: ['JPY'] },
      'candidateIds and candidates differ in length',
    ],
    ['two candidates with one id', { candidateIds: ['JPY', 'JPY'] }, 'two candidates with one id'],
    ['candidateIds without candidates', { candidates: undefined }, 'candidateIds without candidates'],
    [
      'another distractor in one language',
      { candidateIds: ['USD', 'JPY'] },
      'candidates differ between en and ja',
    ],
    ['another answer in one language', { answer: 'ユーロ' }, 'candidates differ between en and ja'],
  ])('%s', async (_, over, what) => {
    await expectRefused(writeProbes(header({ kind: 'fact' }), [fact('a', over)]), 'item a', what);
  });

  it('candidates without an answer in a set of texts', async () => {
    await expectRefused(
      writeProbes(header(), [fact('a', { answer: undefined })]),
      'candidates without an answer',
    );
  });

  it('a language most of whose prompts are in another script', async () => {
    const rows = [item('a', { ja: 'The sea.' }), item('b', { ja: 'The sky.' }), item('c')];
    await expectRefused(
      writeProbes(header(), rows),
      '(item a, language ja): language ja is not written in Jpan',
      '2 of 3 prompts in another script',
    );
  });
});

describe('loadProbes warns of', () => {
  it('single prompts in the wrong script, naming language and items', async () => {
    const rows = [item('a'), item('b', { ja: 'The sky.' }), item('c')];
    const { warnings, items } = await loadProbes(writeProbes(header(), rows));
    expect(items).toHaveLength(3);
    expect(warnings).toEqual([
      {
        kind: 'wrong-script',
        language: 'ja',
        count: 1,
        items: ['b'],
        message: '1 item in ja not written in Jpan: b',
      },
    ]);
  });

  it('languages missing from items, counted, naming the first five', async () => {
    const lacking = ['b', 'c', 'd', 'e', 'f', 'g'].map((id) => ({ id, text: { en: 'One.', ja: '一。' } }));
    const rows = [item('a', { uk: 'Море.' }), ...lacking];
    const { warnings } = await loadProbes(writeProbes(header({ languages: [en, ja, uk] }), rows));
    expect(warnings).toEqual([
      {
        kind: 'missing-language',
        language: 'uk',
        count: 6,
        items: ['b', 'c', 'd', 'e', 'f'],
        message: '6 items of 7 without uk: b, c, d, e, f, …',
      },
    ]);
  });

  it('items in one language only', async () => {
    const { warnings } = await loadProbes(
      writeProbes(header(), [item('a'), { id: 'b', text: { en: 'One.' } }]),
    );
    expect(warnings).toContainEqual({
      kind: 'single-language',
      language: null,
      count: 1,
      items: ['b'],
      message: '1 item in one language only, which compare nothing: b',
    });
  });
});

describe('loadProbes with languages', () => {
  const rows = [item('a', { uk: 'Море.' }), item('b'), { id: 'c', text: { uk: 'Небо.' } }];
  const folder = () => writeProbes(header({ languages: [en, ja, uk] }), rows);

  it('keeps those languages in the order of the set, and the items that have one of them', async () => {
    const set = await loadProbes(folder(), { languages: ['ja', 'EN', 'ja'] });
    expect(set.languages).toEqual([en, ja]);
    expect(set.items.map(({ id, prompts }) => [id, [...prompts.keys()]])).toEqual([
      ['a', ['en', 'ja']],
      ['b', ['en', 'ja']],
    ]);
  });

  it('warns about the chosen languages alone, and not of one language by choice', async () => {
    expect((await loadProbes(folder(), { languages: ['en', 'ja'] })).warnings).toEqual([]);
    expect((await loadProbes(folder(), { languages: ['uk'] })).warnings).toEqual([]);
  });

  it('refuses a language absent everywhere, and names the nearest', async () => {
    await expect(loadProbes(folder(), { languages: ['en', 'de'] })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/no prompt in de\n.*en ja uk/),
    });
    await expect(loadProbes('pud', { languages: ['zh'] })).rejects.toThrow('did you mean zh-Hant?');
  });

  it('refuses an unknown language and an empty choice', async () => {
    await expect(loadProbes(folder(), { languages: ['xx'] })).rejects.toMatchObject({ exitCode: 2 });
    await expect(loadProbes(folder(), { languages: [] })).rejects.toThrow('no language asked for');
  });
});

describe('loadProbes with a limit', () => {
  const rows = [
    { id: 'a', text: { en: 'One.' } },
    item('b'),
    { id: 'c', text: { ja: '三。' } },
    item('d'),
    item('e'),
  ];
  const folder = () => writeProbes(header(), rows);
  const ids = async (limit: number) => (await loadProbes(folder(), { limit })).items.map(({ id }) => id);

  it('takes the first complete items in file order', async () => {
    expect(await ids(1)).toEqual(['b']);
    expect(await ids(2)).toEqual(['b', 'd']);
  });

  it('fills up with incomplete items where complete ones run out', async () => {
    expect(await ids(4)).toEqual(['a', 'b', 'd', 'e']);
    expect(await ids(99)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('counts as complete what has every chosen language', async () => {
    const { items } = await loadProbes(folder(), { limit: 1, languages: ['en'] });
    expect(items.map(({ id }) => id)).toEqual(['a']);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %s', async (limit) => {
    await expect(loadProbes(folder(), { limit })).rejects.toMatchObject({ name: 'UsageError', exitCode: 2 });
  });
});
