import { decodeUtf8 } from '../files/read-json-lines.js';
import { readDelimited } from '../files/read-rows.js';
import { readBytes, type SourceFile } from '../files/source-files.js';
import { codeAtEnd, isPair } from '../languages/file-languages.js';
import type { ReportProblem } from '../problems.js';
import { languageOf, type ProbeFormat, reportRow, type SourcePrompt, withExtension } from './format.js';

const TEXT: ReadonlySet<string> = new Set(['txt', 'dev', 'devtest', 'text']);
const FLORES: ReadonlySet<string> = new Set(['dev', 'devtest']);

/** A file's name up to the language it ends in: `x.de-en` of x.de-en.de; undefined where it ends in none. */
function stemBeforeCode({ name }: SourceFile): string | undefined {
  return codeAtEnd(name) === undefined ? undefined : name.slice(0, name.lastIndexOf('.'));
}

/** `dev.deu_Latn`: a code with its script is a language; a short one could be anything. */
const CODE_WITH_SCRIPT = /\.[a-z]{3}_[A-Z][a-z]{3}(?:_[a-z]{4}\d{4})?$/;

/** Files whose last part is a language, as Moses, OPUS and FLORES+ name them: several of one name up to there. */
function endingInLanguage(files: readonly SourceFile[]): SourceFile[] {
  const counts = new Map<string, number>();
  for (const file of files) {
    const stem = stemBeforeCode(file);
    if (stem !== undefined) counts.set(stem, (counts.get(stem) ?? 0) + 1);
  }
  return files.filter((file) => {
    const stem = stemBeforeCode(file);
    return CODE_WITH_SCRIPT.test(file.name) || (stem !== undefined && counts.get(stem)! > 1);
  });
}

/** What lies beside the texts of a published corpus. */
const BESIDE = /(?:^|\/)(?:readme|licen[cs]e|copying|metadata)[^/]*$|\.(?:md|ids|xml|scores|sh|pdf|html)$/i;

const possibleText: ProbeFormat['possible'] = (files) => {
  const ending = new Set(endingInLanguage(files));
  const isText = (file: SourceFile) => TEXT.has(file.extension) && !BESIDE.test(file.name);
  return files.filter((file) => isText(file) || ending.has(file));
};

/** `x.de-en.de` and `x.de-en.en` are aligned; so are corpus.de and corpus.en where the folder holds nothing else. */
async function recogniseMoses(files: readonly SourceFile[]): Promise<readonly SourceFile[]> {
  const ending = endingInLanguage(files);
  const isOfPair = (file: SourceFile) => isPair(stemBeforeCode(file)?.split(/[./]/).at(-1) ?? '');
  const ofPair = ending.filter(isOfPair);
  if (ofPair.length > 1) return ofPair;
  return files.every((file) => ending.includes(file) || BESIDE.test(file.name)) ? ending : [];
}

/** FLORES-200 in eng_Latn.dev, or FLORES+ as released in dev.eng_Latn. */
function isFlores({ name, extension }: SourceFile): boolean {
  return (
    FLORES.has(extension) || (CODE_WITH_SCRIPT.test(name) && /(?:^|[/.])dev(?:test)?\.[^./]+$/.test(name))
  );
}

interface Line {
  readonly number: number;
  readonly text: string;
}

async function readLines(file: SourceFile, report: ReportProblem): Promise<Line[]> {
  const bytes = await readBytes(file.path, report);
  const text = bytes === undefined ? undefined : decodeUtf8(bytes, file.path, report);
  if (text === undefined) return [];
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, i) => ({ number: i + 1, text: line }));
}

/** One file a language, the same sentence in the same line of each. */
async function* readAligned(
  files: readonly SourceFile[],
  report: ReportProblem,
): AsyncGenerator<SourcePrompt> {
  let first: { path: string; lines: number } | undefined;
  for (const file of files) {
    const language = languageOf(file, file.path, undefined, report);
    if (language === undefined) continue;
    const lines = await readLines(file, report);
    first ??= { path: file.path, lines: lines.length };
    if (lines.length !== first.lines) {
      report({
        what: 'aligned files differ in their number of lines',
        where: file.path,
        expected: `${first.lines} lines, as in ${first.path}`,
        found: `${lines.length} lines`,
        remedy: 'align them anew, or use --format unaligned-text, which packs each language by itself',
      });
      continue;
    }
    for (const { number, text } of lines) {
      // A sentence that a language lacks is an empty line.
      if (text.trim() !== '') {
        yield { id: `${number}`, language, where: `${file.path}:${number}`, prompt: { text } };
      }
    }
  }
}

export const alignedText: ProbeFormat = {
  name: 'aligned-text',
  own: true,
  title: 'plain text, the same sentence in the same line of every language',
  files: 'one text file a language: en.txt, de.txt (also .txt.gz), or corpus.de-en.en, corpus.de-en.de',
  licence: 'not stated',
  source: 'plain text files',
  possible: possibleText,
  recognise: recogniseMoses,
  read: readAligned,
};

export const unalignedText: ProbeFormat = {
  name: 'unaligned-text',
  own: true,
  title: 'plain text of each language by itself, packed into sequences of one length',
  files:
    'text files named after their language, or in folders that are: en.txt, de.txt, en/a.txt (also .txt.gz)',
  parallel: false,
  licence: 'not stated',
  source: 'plain text files',
  possible: possibleText,
  recognise: async () => [],
  async *read(files, report) {
    for (const file of files) {
      const language = languageOf(file, file.path, undefined, report);
      if (language === undefined) continue;
      for (const { number, text } of await readLines(file, report)) {
        if (text.trim() === '') continue;
        yield { id: `${file.name}:${number}`, language, where: `${file.path}:${number}`, prompt: { text } };
      }
    }
  },
};

/** FLORES-200 as first published: plain lines. */
export const flores200: ProbeFormat = {
  name: 'flores-plus',
  title: 'FLORES-200 in plain lines',
  files: 'one file a language with one sentence a line: dev/eng_Latn.dev, or dev/dev.eng_Latn',
  licence: 'CC-BY-SA-4.0',
  source: 'FLORES-200 (NLLB Team, 2022)',
  possible: (files) => files.filter(isFlores),
  recognise: async (files) => files.filter(isFlores),
  read: readAligned,
};

/** MGSM as published: question TAB answer, no header, items in one order. */
export const mgsm: ProbeFormat = {
  name: 'mgsm',
  title: 'MGSM: grade-school problems in 11 languages',
  files: 'one TSV a language without header, question TAB answer: mgsm_en.tsv',
  licence: 'CC-BY-4.0',
  source: 'MGSM, Google Research (Shi et al., 2022)',
  possible: withExtension(new Set(['tsv'])),
  byNumber: true,
  recognise: async (files) => files.filter(({ name }) => /(?:^|\/)mgsm_[a-z]{2,3}\.tsv$/.test(name)),
  async *read(files, report) {
    for (const file of files) {
      const language = languageOf(file, file.path, undefined, report);
      const bytes = language === undefined ? undefined : await readBytes(file.path, report);
      if (language === undefined || bytes === undefined) continue;
      for (const [i, { line, fields }] of readDelimited(bytes, file.path, 'tsv', report, false).entries()) {
        const where = `${file.path}:${line}`;
        // A language that lacks an item keeps its row, blank.
        if (fields.every((field) => field.trim() === '')) continue;
        const [question, answer, ...more] = fields;
        if (question === undefined || answer === undefined || more.length > 0) {
          reportRow(where, `${fields.length} fields`, 'question TAB answer', report);
          continue;
        }
        yield { id: `${i + 1}`, language, where, prompt: { text: question, answer } };
      }
    }
  },
};
