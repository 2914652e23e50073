import { z } from 'zod';
import { isBlankRow, readRows, TABLE_EXTENSIONS } from '../files/read-rows.js';
import type { SourceFile } from '../files/source-files.js';
import { filled, idSchema } from '../own/read-item.js';
import type { ReportProblem } from '../problems.js';
import {
  BLANK,
  filesWithFields,
  languageOf,
  type ProbeFormat,
  parseRow,
  tableFormat,
  withCandidates,
  withExtension,
} from './format.js';

/** BMLAMA (Qi et al., EMNLP 2023): one TSV a language, the same facts in the same rows. */
export const bmlama = tableFormat({
  name: 'bmlama',
  title: 'BMLAMA: balanced mLAMA, cloze facts in 17 or 53 languages',
  files: 'one TSV a language with the columns Prompt, Ans and Candidate Ans: BMLAMA17/en.tsv',
  licence: 'CC-BY-NC-SA-4.0',
  source: 'BMLAMA (Qi et al., EMNLP 2023), from mLAMA',
  byNumber: true,
  sameRows: true,
  fields: ['Prompt', 'Ans', 'Candidate Ans'],
  schema: z.object({ Prompt: z.string(), Ans: z.string(), 'Candidate Ans': z.string().default('') }),
  prompt: (row, number) => ({
    id: `${number}`,
    prompt: withCandidates(
      { text: row.Prompt.replaceAll('<mask>', BLANK), answer: row.Ans },
      row['Candidate Ans'].split(/,\s+/),
    ),
  }),
});

/** The text of a LAMA template; null where it has no place for subject or object. */
function fillTemplate(template: string, subject: string): string | null {
  if (!template.includes('[X]') || !template.includes('[Y]')) return null;
  return template
    .replaceAll('[X]', () => subject)
    .replaceAll('[Y]', BLANK)
    .trim();
}

/** mLAMA as the hub has it: all languages in one table, each row with its template. */
export const mlamaRows = tableFormat({
  name: 'mlama',
  title: 'mLAMA: cloze facts in 53 languages, one a row with its template',
  files: 'a table with the columns lineid, predicate_id, sub_label, obj_label, template and language',
  licence: 'CC-BY-NC-SA-4.0',
  source: 'mLAMA (Kassner et al., EACL 2021)',
  fields: ['lineid', 'predicate_id', 'sub_label', 'obj_label', 'template', 'language'],
  schema: z.object({
    lineid: idSchema,
    predicate_id: z.string(),
    sub_label: filled,
    obj_label: z.string(),
    template: z.string(),
    language: z.string(),
  }),
  language: (row) => row.language,
  prompt: (row) => {
    const text = fillTemplate(row.template, row.sub_label);
    if (text === null) return `template without [X] and [Y]: ${row.template}`;
    return {
      id: `${row.predicate_id}/${row.lineid}`,
      prompt: { text, answer: row.obj_label },
      meta: { relation: row.predicate_id },
      clusters: { relation: row.predicate_id },
    };
  },
});

/** A bracket that X-FACTR's own code fills with an inflected form or an article: `[Y.Acc]`, `[DEF;X]`, `[né;X-Gender=MASC|…]`. */
const GRAMMAR = /\[(?:[XY]\.[^[\]]*|[^[\];]*;[^[\]]*)\]/;

/** Facts in a table with their Wikidata ids, as X-FACTR's prompts and facts joined: one row a fact and language. */
export const xFactr = tableFormat({
  name: 'x-factr',
  own: true,
  title: 'X-FACTR-like tables: cloze facts with Wikidata ids',
  files:
    'TSV (or CSV, JSONL, parquet) with the columns predicate_id, sub_uri, sub_label, obj_uri, obj_label and prompt; ' +
    'one file a language, or a column language',
  licence: 'not stated',
  source: 'X-FACTR (Jiang et al., EMNLP 2020)',
  fields: ['predicate_id', 'sub_uri', 'sub_label', 'obj_uri', 'obj_label', 'prompt'],
  schema: z.object({
    predicate_id: z.string(),
    sub_uri: z.string(),
    sub_label: filled,
    obj_uri: z.string(),
    obj_label: z.string(),
    prompt: z.string(),
    language: z.string().optional(),
  }),
  language: (row) => row.language,
  prompt: (row) => {
    const grammar = GRAMMAR.exec(row.prompt)?.[0];
    if (grammar !== undefined) return `a prompt whose grammar is not filled in: ${grammar} in ${row.prompt}`;
    const text = fillTemplate(row.prompt, row.sub_label);
    if (text === null) return `prompt without [X] and [Y]: ${row.prompt}`;
    return {
      id: `${row.predicate_id}/${row.sub_uri}/${row.obj_uri}`,
      prompt: { text, answer: row.obj_label },
      meta: { relation: row.predicate_id },
      clusters: { relation: row.predicate_id },
    };
  },
});

const templateRow = z.object({ relation: z.string(), template: z.string() });
const factRow = z.object({
  lineid: idSchema,
  sub_label: filled,
  obj_label: z.string(),
});
const isTemplates = ({ name }: SourceFile) => /(?:^|\/)templates\.jsonl$/.test(name);
const relationOf = ({ name }: SourceFile) => name.replace(/^.*\//, '').replace(/\.jsonl$/, '');

/** mLAMA as published: a folder a language with a file a relation, and the templates apart. */
export const mlama: ProbeFormat = {
  name: 'mlama',
  title: 'mLAMA: cloze facts in 53 languages, with templates',
  files: 'a folder a language with templates.jsonl and one file a relation: en/P17.jsonl',
  licence: 'CC-BY-NC-SA-4.0',
  source: 'mLAMA (Kassner et al., EACL 2021)',
  possible: withExtension(TABLE_EXTENSIONS),
  async recognise(files, sample) {
    const templates = await filesWithFields(files.filter(isTemplates), sample, ['relation', 'template']);
    if (templates.length === 0) return [];
    const facts = await filesWithFields(files, sample, ['lineid', 'sub_label', 'obj_label']);
    return facts.length === 0 ? [] : [...templates, ...facts];
  },
  async *read(files, report) {
    const templates = new Map<string, string>();
    for (const file of files.filter(isTemplates)) {
      const folder = file.name.replace(/templates\.jsonl$/, '');
      for (const row of await readRows(file, report)) {
        const template = parseRow(row, templateRow, 'a record with relation and template', report);
        if (template !== undefined) templates.set(folder + template.relation, template.template);
      }
    }
    for (const file of files) {
      if (isTemplates(file)) continue;
      yield* readRelation(file, templates.get(file.name.replace(/\.jsonl$/, '')), report);
    }
  },
};

async function* readRelation(file: SourceFile, template: string | undefined, report: ReportProblem) {
  const language = languageOf(file, file.path, undefined, report);
  if (language === undefined) return;
  const relation = relationOf(file);
  if (template === undefined || fillTemplate(template, '') === null) {
    report({
      what: `relation ${relation} has no template`,
      where: file.path,
      expected: 'a template with [X] and [Y] for it in templates.jsonl of the same folder',
      found: template ?? 'none',
      remedy: 'add the template, or leave the file out',
    });
    return;
  }
  for (const row of await readRows(file, report)) {
    if (isBlankRow(row.value, ['sub_label', 'obj_label'])) continue;
    const fact = parseRow(row, factRow, 'a record with lineid, sub_label and obj_label', report);
    if (fact === undefined) continue;
    yield {
      id: `${relation}/${fact.lineid}`,
      language,
      where: row.where,
      prompt: { text: fillTemplate(template, fact.sub_label)!, answer: fact.obj_label },
      meta: { relation },
      clusters: { relation },
    };
  }
}
