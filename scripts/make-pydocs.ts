/**
 * Chooses the `pydocs` probe set from the parallel messages of the Python documentation. Run by `npm run make-probes`.
 * Reads `demo/corpus/`, which is in the repository and not in the npm package.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { measureScript } from '../src/probes/languages/script-share.js';
import { DEMO_LANGUAGES, type DemoLanguage } from './make-facts-phrases.js';
import { languageRows } from './make-languages.js';
import { seededOrder } from './make-seeded.js';

const SEED = 'babelscope pydocs 1';
const ITEMS = 400;

/** Characters of English: shorter messages are labels, longer ones are paragraphs. */
const ENGLISH_LENGTH = [40, 300] as const;
/** Letters of the language's own script, outside markup; CJK says in one what the others say in two or three. */
const LEAST_LETTERS: Record<DemoLanguage, number> = {
  en: 30,
  es: 30,
  fr: 30,
  ja: 15,
  ko: 15,
  pt: 30,
  uk: 30,
  zh: 10,
};
/** Of all letters, markup included: prose, not code with words between. */
const LEAST_OWN_SHARE = 0.5;
/** Of the visible characters, how many may be in code, roles and links. */
const MOST_MARKUP = 0.35;
/** Of the words of the shorter of two English sentences, how many the other may share. */
const MOST_SHARED_WORDS = 0.6;
/** A translation this much longer or shorter than is usual for its language has lost or gained something. */
const MOST_STRETCH = 1.8;

/** Neighbouring messages that are taken for one section. The source has them in order, without the names of documents. */
const SECTION = 200;

export interface ParallelRow {
  readonly id: string;
  readonly text: Record<DemoLanguage, string>;
}

const root = new URL('../', import.meta.url);
const languages = languageRows(DEMO_LANGUAGES);

/** The rows chosen, in the order of the set, and the files they make. */
export function makePydocs(): Map<string, string> {
  const rows = readParallel();
  const chosen = choose(rows);
  const files = new Map<string, string>();
  files.set('probes/pydocs/items.jsonl', chosen.map((row) => `${JSON.stringify(row)}\n`).join(''));
  files.set(
    'probes/pydocs/probe.json',
    `${JSON.stringify(
      {
        name: 'pydocs',
        version: '1.0.0',
        kind: 'text',
        licence: 'CC0-1.0 AND PSF-2.0',
        source: 'The Python documentation and its translations (docs.python.org)',
        languages,
      },
      null,
      2,
    )}\n`,
  );
  files.set('probes/pydocs/README.md', makeReadme(rows.length));
  return files;
}

function readParallel(): ParallelRow[] {
  const lines = gunzipSync(readFileSync(new URL('demo/corpus/parallel.jsonl.gz', root))).toString('utf8');
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line): ParallelRow => JSON.parse(line));
}

function sectionOf(id: string): string {
  const first = SECTION * Math.floor(Number(id.replace('pydocs-', '')) / SECTION);
  return `${first}–${first + SECTION - 1}`;
}

function choose(rows: readonly ParallelRow[]): (ParallelRow & { clusters: { section: string } })[] {
  const usual = usualLengths(rows);
  const trained = readTrained();
  const chosen: ReturnType<typeof choose> = [];
  const vocabularies: Set<string>[] = [];
  for (const row of seededOrder(rows, SEED, ({ id }) => id)) {
    if (!isProse(row) || !isEvenlyLong(row, usual) || isTrained(row, trained)) continue;
    const words = new Set(
      prose(row.text.en)
        .toLowerCase()
        .match(/\p{L}+/gu),
    );
    if (vocabularies.some((other) => sharedWords(words, other) > MOST_SHARED_WORDS)) continue;
    vocabularies.push(words);
    chosen.push({ id: row.id, text: row.text, clusters: { section: sectionOf(row.id) } });
    if (chosen.length === ITEMS) return chosen;
  }
  throw new Error(`only ${chosen.length} of ${ITEMS} messages are fit`);
}

/** Whether the English is one or more whole sentences and every language is mostly prose in its own script. */
function isProse({ text }: ParallelRow): boolean {
  const { length } = text.en;
  if (length < ENGLISH_LENGTH[0] || length > ENGLISH_LENGTH[1]) return false;
  if (!/^\p{Lu}.*[.!?]$/u.test(text.en)) return false;
  if (new Set(Object.values(text)).size < DEMO_LANGUAGES.length) return false;
  return languages.every(({ tag, script }) => {
    const language = tag as DemoLanguage;
    const message = text[language];
    if (message.includes('\n') || markupShare(message) > MOST_MARKUP) return false;
    const { own, letters } = measureScript(message, script);
    const inProse = measureScript(prose(message), script).own;
    return own >= LEAST_OWN_SHARE * letters && inProse >= LEAST_LETTERS[language];
  });
}

/** reStructuredText that is code or a reference: ``code``, :role:`target`, `link <address>`_, |name|, *argument*. */
const MARKUP =
  /``.*?``|:[\w:+-]+:`[^`]*`|`[^`]*`_{0,2}|\|[^|\s]+\||\*\*?[^*\s](?:[^*]*[^*\s])?\*\*?|https?:\S+/gu;

function prose(message: string): string {
  return message.replaceAll(MARKUP, ' ');
}

function markupShare(message: string): number {
  const visible = (text: string) => text.replaceAll(/\s/gu, '').length;
  return 1 - visible(prose(message)) / visible(message);
}

/** The middle ratio of a language's length to the English. */
function usualLengths(rows: readonly ParallelRow[]): ReadonlyMap<DemoLanguage, number> {
  return new Map(
    DEMO_LANGUAGES.map((language) => {
      const ratios = rows.map(({ text }) => text[language].length / text.en.length).sort((a, b) => a - b);
      return [language, ratios[ratios.length >> 1]!];
    }),
  );
}

function isEvenlyLong({ text }: ParallelRow, usual: ReadonlyMap<DemoLanguage, number>): boolean {
  return DEMO_LANGUAGES.every((language) => {
    const stretch = text[language].length / (text.en.length * usual.get(language)!);
    return stretch <= MOST_STRETCH && stretch >= 1 / MOST_STRETCH;
  });
}

function sharedWords(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const word of a) if (b.has(word)) shared += 1;
  return shared / Math.max(1, Math.min(a.size, b.size));
}

/** Every line of the text the demo's checkpoints are trained on, folded. */
function readTrained(): ReadonlyMap<DemoLanguage, ReadonlySet<string>> {
  return new Map(
    DEMO_LANGUAGES.map((language) => {
      const file = new URL(`demo/corpus/monolingual/${language}.txt.gz`, root);
      return [language, new Set(gunzipSync(readFileSync(file)).toString('utf8').split('\n').map(fold))];
    }),
  );
}

function isTrained({ text }: ParallelRow, trained: ReadonlyMap<DemoLanguage, ReadonlySet<string>>): boolean {
  return DEMO_LANGUAGES.some((language) => trained.get(language)!.has(fold(text[language])));
}

/** Without case, width and spacing: what differs only in these is the same text. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, ' ').trim();
}

function makeReadme(rows: number): string {
  return `# pydocs: messages of the Python documentation in eight languages

${ITEMS} messages in ${DEMO_LANGUAGES.length} languages (${DEMO_LANGUAGES.join(' ')}; zh is Simplified), chosen by \`scripts/make-pydocs.ts\` from the ${rows.toLocaleString('en')}
that all eight translations have. Technical prose with reStructuredText markup, as translators left it.

- **Chosen** in a seeded order among messages whose English is ${ENGLISH_LENGTH[0]}–${ENGLISH_LENGTH[1]} characters of whole sentences, and which in every
  language are one line, at most ${MOST_MARKUP * 100} % markup, at least ${LEAST_OWN_SHARE * 100} % letters of the language's own script, and not unusually
  long or short for that language. No two share more than ${MOST_SHARED_WORDS * 100} % of their English words.
- **\`clusters.section\`**: ${SECTION} neighbouring messages of the source, which has them in order. Most are of one document; the source
  keeps no names of documents.
- **Order** is seeded, so that the first n items are a fair sample.
- **Held out**: the demo's checkpoints never see these messages. They are trained on \`demo/corpus/monolingual/\`, in which
  none of the ${ITEMS * DEMO_LANGUAGES.length} texts occurs as a line (compared without case, width and spacing; messages of which one does were
  passed over). Messages about the same functions do occur there: held out is the text, not the subject.
- Translations are by volunteers and differ in care; an item is parallel in meaning, not word for word.

Licence, in \`LICENSE\`: the translations are CC0-1.0 (Python Documentation Translation Agreement); the English text is
© Python Software Foundation, PSF-2.0. Translators: the es, fr, ja, ko, pt-BR, uk and zh-CN teams of
https://github.com/python (python-docs-es, -fr, -ja, -ko, -pt-br, -uk, -zh-cn).
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, content] of makePydocs()) {
    const file = fileURLToPath(new URL(path, root));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    console.error(`wrote ${path}`);
  }
}
