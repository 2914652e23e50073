import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Paths of the pages that a reader is given, from the root. */
export const PAGES: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'examples/README.md',
  'notebooks/README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The text of a page without code blocks, tables, headings and pictures; a link is its words. */
export function proseOf(page: string): string {
  return page
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/^( {4}|#|\||!\[).*$/gm, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
}

/** Sentences of prose; a point of a list ends one too, and so does a blank line. */
export function sentencesOf(page: string): string[] {
  return proseOf(page)
    .split(/\n\s*\n|\n(?=- |\d+\. )/)
    .flatMap((paragraph) => paragraph.replace(/\s+/g, ' ').split(/(?<=[.:;?!])\s+(?=[A-Z*`“])/))
    .map((sentence) => sentence.replace(/^- /, '').trim())
    .filter((sentence) => /[A-Za-z]/.test(sentence));
}

export function wordsIn(sentence: string): number {
  return sentence.split(/\s+/).filter((word) => /[A-Za-z0-9]/.test(word)).length;
}
