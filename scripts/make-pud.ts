/**
 * Makes the `pud` probe set from a file of Parallel Universal Dependencies, one `{"id", "text": {lang: …}}` a line.
 * The source is not in the repository, for the set holds every sentence of it:
 *
 *     npx tsx scripts/make-pud.ts path/to/pud.jsonl
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { languageRows } from './make-languages.js';
import { seededOrder } from './make-seeded.js';

const SEED = 'babelscope pud 1';
const LANGUAGES = [
  'en',
  'de',
  'fr',
  'es',
  'ru',
  'zh-Hant',
  'ko',
  'ar',
  'hi',
  'tr',
  'th',
  'id',
  'fi',
  'pl',
  'pt',
  'sv',
  'cs',
];
/** The two digits after the genre say in which language a sentence was first written. */
const ORIGINALS: Record<string, string> = { '01': 'en', '02': 'de', '03': 'fr', '04': 'it', '05': 'es' };
const GENRES: Record<string, string> = { n: 'news', w: 'wikipedia' };

interface PudRow {
  readonly id: string;
  readonly text: Record<string, string>;
}

/** The files of the set, from the source's text. */
export function makePud(source: string): Map<string, string> {
  const rows = source
    .split('\n')
    .filter(Boolean)
    .map((line): PudRow => JSON.parse(line));
  const items = seededOrder(rows, SEED, ({ id }) => id).map(({ id, text }) => ({
    id,
    text: Object.fromEntries(LANGUAGES.map((language) => [language, text[language]])),
    meta: { genre: GENRES[id.slice(0, 1)], original: ORIGINALS[id.slice(1, 3)] },
    // The last three digits number the sentences of a document.
    clusters: { document: id.slice(0, -3) },
  }));
  const header = {
    name: 'pud',
    version: '1.0.0',
    kind: 'text',
    licence: 'CC-BY-SA-3.0 AND CC-BY-SA-4.0',
    source: 'Parallel Universal Dependencies (PUD) treebanks, https://universaldependencies.org',
    languages: languageRows(LANGUAGES),
  };
  return new Map([
    ['probes/pud/items.jsonl', items.map((item) => `${JSON.stringify(item)}\n`).join('')],
    ['probes/pud/probe.json', `${JSON.stringify(header, null, 2)}\n`],
    ['probes/pud/README.md', makeReadme(items)],
  ]);
}

function makeReadme(items: readonly { readonly meta: { readonly original: string | undefined } }[]): string {
  const count = (original: string) => items.filter(({ meta }) => meta.original === original).length;
  return `# pud: ${items.length} sentences in ${LANGUAGES.length} languages

The sentences of Parallel Universal Dependencies, in ${LANGUAGES.join(' ')} (Chinese is Traditional), without
their annotation. News and Wikipedia, translated by professionals. Made by \`scripts/make-pud.ts\`; the sentences are unchanged.

- **\`clusters.document\`**: the document that a sentence is from. Sentences of one are alike.
- **\`meta.original\`**: the language a sentence was first written in: ${Object.values(ORIGINALS)
    .map((original) => `${original} ${count(original)}`)
    .join(', ')}. All
  translations were made from English. The sentences not first written in English are a ready set for replication.
- **\`meta.genre\`**: \`news\` or \`wikipedia\`.
- **Order** is seeded (the source's is by document), so that the first n items are a fair sample.

Licence: CC BY-SA 3.0 (https://creativecommons.org/licenses/by-sa/3.0/); the Czech, Finnish, Polish and Swedish sentences
CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/). Whoever passes the sentences on, changed or not, does so
under the same licence and names the source.

Attribution: Universal Dependencies contributors, the UD_*-PUD treebanks, https://universaldependencies.org. Introduced in
Zeman et al., "CoNLL 2017 Shared Task: Multilingual Parsing from Raw Text to Universal Dependencies", CoNLL 2017.
Changes made here: annotation left out, languages put side by side, order shuffled.
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const source = process.argv[2];
  if (source === undefined) throw new Error('usage: tsx scripts/make-pud.ts <pud.jsonl>');
  for (const [path, content] of makePud(readFileSync(source, 'utf8'))) {
    const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    console.error(`wrote ${path}`);
  }
}
