import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../support/temporary-folder.js';

const LANGUAGES = {
  en: { tag: 'en', name: 'English', script: 'Latn', family: 'Indo-European' },
  ja: { tag: 'ja', name: 'Japanese', script: 'Jpan', family: 'Japonic' },
  uk: { tag: 'uk', name: 'Ukrainian', script: 'Cyrl', family: 'Indo-European' },
};

/** A sound header; `over` replaces fields of it. */
export function header(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: 'small',
    version: '1.0.0',
    kind: 'text',
    licence: 'CC0-1.0',
    source: 'written for this test',
    languages: [LANGUAGES.en, LANGUAGES.ja],
    ...over,
  };
}

export const { en, ja, uk } = LANGUAGES;

/** A sound item in English and Japanese. */
export function item(id: string, over: Record<string, unknown> = {}) {
  return { id, text: { en: `The sea is wide (${id}).`, ja: `海は広い（${id}）。`, ...over } };
}

/** A sound fact in English and Japanese; `over` replaces fields of the Japanese prompt. */
export function fact(id: string, over: Record<string, unknown> = {}) {
  return {
    id,
    prompts: {
      en: {
        text: 'Which currency?',
        answer: 'yen',
        candidates: ['yen', 'euro'],
        candidateIds: ['JPY', 'EUR'],
      },
      ja: {
        text: 'どの通貨ですか？',
        answer: '円',
        candidates: ['ユーロ', '円'],
        candidateIds: ['EUR', 'JPY'],
        ...over,
      },
    },
  };
}

/** A probe set in a folder that goes with the test. Strings and bytes are written as they are, anything else as JSON. */
export function writeProbes(probe: unknown, rows: readonly unknown[] | Uint8Array): string {
  const folder = temporaryFolder();
  if (probe !== undefined) {
    const isRaw = typeof probe === 'string' || probe instanceof Uint8Array;
    writeFileSync(join(folder, 'probe.json'), isRaw ? probe : JSON.stringify(probe));
  }
  const lines = rows instanceof Uint8Array ? rows : rows.map(toLine).join('');
  writeFileSync(join(folder, 'items.jsonl'), lines);
  return folder;
}

function toLine(row: unknown): string {
  return `${typeof row === 'string' ? row : JSON.stringify(row)}\n`;
}
