import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { makePud } from '../../scripts/make-pud.js';
import { makePydocs } from '../../scripts/make-pydocs.js';
import { loadProbes } from '../../src/probes/index.js';

const root = new URL('../../', import.meta.url);
const committed = (path: string) => readFileSync(new URL(path, root), 'utf8');
const unpacked = (path: string) => gunzipSync(readFileSync(new URL(path, root))).toString('utf8');

describe('pydocs', () => {
  it('is what the script chooses from the parallel messages, byte for byte', () => {
    for (const [path, content] of makePydocs()) expect(content, path).toBe(committed(path));
  });

  it('has its texts unchanged from the parallel messages', async () => {
    const rows = unpacked('demo/corpus/parallel.jsonl.gz').trimEnd().split('\n');
    const source = new Map(
      rows.map((row): [string, { text: unknown }] => [JSON.parse(row).id, JSON.parse(row)]),
    );
    for (const { id, prompts } of (await loadProbes('pydocs')).items) {
      const texts = Object.fromEntries([...prompts].map(([language, { text }]) => [language, text]));
      expect(texts).toEqual(source.get(id)!.text);
    }
  });

  it('shares no text with the lines the demo’s checkpoints are trained on', async () => {
    const { items, languages } = await loadProbes('pydocs');
    for (const { tag } of languages) {
      const lines = new Set(
        unpacked(`demo/corpus/monolingual/${tag}.txt.gz`)
          .split('\n')
          .map((line) => line.trim()),
      );
      const shared = items.filter(({ prompts }) => lines.has(prompts.get(tag)!.text.trim()));
      expect(shared, tag).toEqual([]);
    }
  });
});

describe('pud', () => {
  it('is in a seeded order that does not depend on the source’s', async () => {
    const { items, languages } = await loadProbes('pud');
    const rows = items.map(({ id, prompts }) => ({
      id,
      text: Object.fromEntries([...prompts].map(([language, { text }]) => [language, text])),
    }));
    const source = rows.sort((a, b) => (a.id < b.id ? -1 : 1)).map((row) => JSON.stringify(row));
    for (const [path, content] of makePud(source.join('\n'))) expect(content, path).toBe(committed(path));
    expect(languages).toHaveLength(17);
  });

  it('says where each sentence comes from: 750 were first written in English', async () => {
    const { items } = await loadProbes('pud');
    const count = (original: string) => items.filter(({ meta }) => meta.original === original).length;
    expect(['en', 'de', 'fr', 'it', 'es'].map(count)).toEqual([750, 100, 50, 50, 50]);
  });
});

describe('the training corpora', () => {
  it('are the files whose SHA-256 their README gives', () => {
    const listed = [...committed('demo/corpus/README.md').matchAll(/^([0-9a-f]{64}) {2}(\S+)$/gmu)];
    expect(listed).toHaveLength(9);
    for (const [, sha256, file] of listed) {
      const bytes = readFileSync(new URL(`demo/corpus/${file}`, root));
      expect(createHash('sha256').update(bytes).digest('hex'), file).toBe(sha256);
    }
  });
});
