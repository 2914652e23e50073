import { z } from 'zod';
import { isBlankRow, readRows, TABLE_EXTENSIONS } from '../files/read-rows.js';
import { filled, idSchema } from '../own/read-item.js';
import type { LanguageTag, Prompt } from '../types.js';
import {
  filesWithFields,
  languageOf,
  type ProbeFormat,
  parseRow,
  reportRow,
  tableFormat,
  wholeSchema,
  withExtension,
} from './format.js';

const question = z.object({
  question: z.string(),
  option_a: z.string(),
  option_b: z.string(),
  option_c: z.string(),
  option_d: z.string(),
  /** Counted from 0. */
  answer_index: wholeSchema.pipe(z.number().min(0).max(3)),
  answer_text: z.string(),
  option_ids: z.array(z.string()).length(4).optional(),
});
const fact = z.object({
  fact_id: idSchema,
  property_id: z.string().optional(),
  relation: z.string().optional(),
  translations: z.record(z.string(), question),
});

/** The prompt of a PolyFact question, or what is wrong with it. Options come in an order of their own in every language. */
function polyfactPrompt(row: z.infer<typeof question>): Prompt | string {
  const candidates = [row.option_a, row.option_b, row.option_c, row.option_d];
  const right = candidates[row.answer_index];
  if (right !== row.answer_text) {
    return `answer_text is ${JSON.stringify(row.answer_text)} and option ${row.answer_index} ${JSON.stringify(right)}`;
  }
  const prompt = { text: row.question, answer: row.answer_text };
  if (new Set(candidates).size < candidates.length) return prompt;
  return { ...prompt, candidates, ...(row.option_ids !== undefined && { candidateIds: row.option_ids }) };
}

const POLYFACT = {
  name: 'polyfact',
  licence: 'CC-BY-SA-4.0',
  source: 'PolyFact (von Rad et al., 2026)',
} as const;

/** PolyFact, a configuration a language: one question a row. */
export const polyfactRows = tableFormat({
  ...POLYFACT,
  title: 'PolyFact: multiple-choice facts in 12 languages, a configuration a language',
  files:
    'a folder a language, as on the hub: en/test.parquet, with fact_id, question and option_a to option_d',
  fields: [
    'fact_id',
    'question',
    'option_a',
    'option_b',
    'option_c',
    'option_d',
    'answer_index',
    'answer_text',
  ],
  schema: question.extend({ fact_id: idSchema }),
  prompt: (row) => {
    const prompt = polyfactPrompt(row);
    return typeof prompt === 'string' ? prompt : { id: row.fact_id, prompt };
  },
});

/** PolyFact, parallel configuration: a record a fact, with all languages in it. */
export const polyfact: ProbeFormat = {
  ...POLYFACT,
  title: 'PolyFact: multiple-choice facts in 12 languages, parallel configuration',
  files: 'JSON, JSONL or parquet, one record a fact: fact_id and translations by language',
  possible: withExtension(TABLE_EXTENSIONS),
  recognise: (files, sample) => filesWithFields(files, sample, ['fact_id', 'translations']),
  async *read(files, report) {
    for (const file of files) {
      for (const row of await readRows(file, report)) {
        const record = parseRow(row, fact, 'a record with fact_id and translations', report);
        if (record === undefined) continue;
        const { fact_id: id, property_id, relation, translations } = record;
        for (const [code, one] of Object.entries(translations)) {
          const language = languageOf(file, row.where, code, report);
          if (language === undefined) continue;
          const prompt = polyfactPrompt(one);
          if (typeof prompt === 'string') {
            const where = `${row.where} (item ${id}, language ${language})`;
            reportRow(where, prompt, 'the option at answer_index as answer_text', report);
            continue;
          }
          yield {
            id,
            language,
            where: row.where,
            prompt,
            meta: {
              ...(property_id !== undefined && { property_id }),
              ...(relation !== undefined && { relation }),
            },
            ...(relation !== undefined && { clusters: { relation } }),
          };
        }
      }
    }
  },
};

/** A list without those entries that have nothing in any of some fields: a language lacks these items. */
function listOf<T>(entry: z.ZodType<T>, fields: readonly string[]) {
  const present = (list: unknown) =>
    Array.isArray(list) ? list.filter((one) => !isBlankRow(one, fields)) : list;
  return z.preprocess(present, z.array(entry));
}

const relationFile = z.object({
  prompt_templates: z.array(z.string()).min(1),
  samples: listOf(
    z.object({
      subject: filled,
      object: z.string(),
      /** The same in all languages; the order of samples is not. */
      index: idSchema,
    }),
    ['subject', 'object'],
  ),
});
const SUBJECT = '<subject>';
const OBJECT = /<mask>/i;

/** Languages written without spaces, in which the space after the subject is not part of the sentence. */
const NO_SPACES: ReadonlySet<string> = new Set(['ja', 'zh']);

/** Cuts a template before the object, as the set's own code does: templates ask for the object at their end. */
function fillKlarTemplate(template: string, subject: string, language: LanguageTag): string {
  const asked = NO_SPACES.has(language) ? template.replaceAll(`${SUBJECT} `, SUBJECT) : template;
  return asked
    .split(OBJECT)[0]!
    .replaceAll(SUBJECT, () => subject)
    .trim();
}

/** KLAR (Wang et al., ACL 2025): a folder a language, a file a relation. */
export const klar: ProbeFormat = {
  name: 'klar',
  title: 'KLAR: facts in 17 languages, a file a relation',
  files:
    'a folder a language with one JSON a relation, {prompt_templates, samples: [{subject, object, index}]}: en/capital.json',
  licence: 'not stated',
  source: 'KLAR (Wang et al., ACL 2025)',
  possible: withExtension(new Set(['json'])),
  recognise: (files, sample) => filesWithFields(files, sample, ['prompt_templates', 'samples']),
  async *read(files, report) {
    for (const file of files) {
      const relation = file.name.replace(/^.*\//, '').replace(/\.json$/, '');
      for (const row of await readRows(file, report)) {
        const record = parseRow(row, relationFile, 'a record with prompt_templates and samples', report);
        const language = languageOf(file, row.where, undefined, report);
        if (record === undefined || language === undefined) continue;
        const template = record.prompt_templates[0]!;
        if (!template.split(OBJECT)[0]!.includes(SUBJECT)) {
          report({
            what: 'the template has no place for the subject',
            where: `${row.where}, prompt_templates.0`,
            expected: `${SUBJECT} in it, before <mask>`,
            found: template,
            remedy: 'mend the template',
          });
          continue;
        }
        for (const [i, { subject, object, index }] of record.samples.entries()) {
          yield {
            id: `${relation}/${index}`,
            language,
            where: `${row.where}, samples.${i}`,
            prompt: { text: fillKlarTemplate(template, subject, language), answer: object },
            meta: { relation },
            clusters: { relation },
          };
        }
      }
    }
  },
};

const squad = z.object({
  data: z.array(
    z.object({
      title: z.string().min(1).optional(),
      paragraphs: z.array(
        z.object({
          context: filled,
          qas: listOf(
            z.object({
              id: idSchema,
              question: filled,
              answers: z.array(z.object({ text: z.string() })).min(1),
            }),
            ['question'],
          ),
        }),
      ),
    }),
  ),
});

/** XQuAD as published (Artetxe et al., ACL 2020), in the shape of SQuAD 1.1. */
export const xquad: ProbeFormat = {
  name: 'xquad',
  title: 'XQuAD: questions on Wikipedia paragraphs in 12 languages',
  files: 'one JSON a language in the shape of SQuAD 1.1: xquad.en.json',
  licence: 'CC-BY-SA-4.0',
  source: 'XQuAD, Google DeepMind (Artetxe et al., ACL 2020)',
  possible: withExtension(new Set(['json'])),
  recognise: (files, sample) =>
    filesWithFields(
      files.filter(({ extension }) => extension === 'json'),
      sample,
      ['data'],
    ),
  async *read(files, report) {
    for (const file of files) {
      for (const row of await readRows(file, report)) {
        const record = parseRow(
          row,
          squad,
          'data[].paragraphs[].{context, qas[].{id, question, answers}}',
          report,
        );
        const language = languageOf(file, row.where, undefined, report);
        if (record === undefined || language === undefined) continue;
        const paragraphs = record.data.flatMap(({ title, paragraphs: own }) =>
          own.map((paragraph) => ({ title, ...paragraph })),
        );
        for (const { title, context, qas } of paragraphs) {
          for (const { id, question, answers } of qas) {
            yield {
              id,
              language,
              where: `${file.path}: question ${id}`,
              prompt: { text: `${context}\n${question}`, answer: answers[0]!.text },
              ...(title !== undefined && { clusters: { document: title } }),
            };
          }
        }
      }
    }
  },
};
