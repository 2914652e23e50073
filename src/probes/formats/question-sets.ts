import { z } from 'zod';
import { filled, idSchema } from '../own/read-item.js';
import { tableFormat, wholeSchema, withOptions } from './format.js';

/** Belebele (Bandarkar et al., ACL 2024): a passage of FLORES-200, a question and four answers. */
export const belebele = tableFormat({
  name: 'belebele',
  title: 'Belebele: reading comprehension in 122 language variants',
  files: 'one JSONL (or CSV, TSV, parquet) a language, named after it: eng_Latn.jsonl',
  licence: 'CC-BY-SA-4.0',
  source: 'Belebele, Meta AI (Bandarkar et al., ACL 2024)',
  fields: ['link', 'question_number', 'flores_passage', 'question', 'mc_answer1', 'correct_answer_num'],
  schema: z.object({
    link: z.string(),
    /** A split of FLORES-200; with the link it names the passage. The hub's edition leaves it out. */
    split: z.string().optional(),
    question_number: wholeSchema,
    flores_passage: filled,
    question: filled,
    mc_answer1: z.string(),
    mc_answer2: z.string(),
    mc_answer3: z.string(),
    mc_answer4: z.string(),
    /** Counted from 1. */
    correct_answer_num: wholeSchema.pipe(z.number().min(1).max(4)),
    dialect: z.string().optional(),
  }),
  language: ({ dialect }) => dialect,
  prompt: (row) => ({
    id: `${[row.split, row.link].filter(Boolean).join(':')}#${row.question_number}`,
    prompt: withOptions(
      { text: `${row.flores_passage}\n${row.question}` },
      [row.mc_answer1, row.mc_answer2, row.mc_answer3, row.mc_answer4],
      ['1', '2', '3', '4'],
      row.correct_answer_num - 1,
    ),
    clusters: { document: row.link },
  }),
});

const LETTERS = ['A', 'B', 'C', 'D'];

/** Global-MMLU (Singh et al., 2024). */
export const globalMmlu = tableFormat({
  name: 'global-mmlu',
  title: 'Global-MMLU: exam questions in 42 languages',
  files:
    'a folder a language, as on the hub: en/test-00000-of-00001.parquet; or one table a language: en.jsonl',
  licence: 'Apache-2.0',
  source: 'Global-MMLU, Cohere For AI (Singh et al., 2024)',
  fields: ['sample_id', 'subject', 'question', 'option_a', 'option_b', 'option_c', 'option_d', 'answer'],
  schema: z.object({
    sample_id: idSchema,
    subject: z.string(),
    question: z.string(),
    option_a: z.string(),
    option_b: z.string(),
    option_c: z.string(),
    option_d: z.string(),
    answer: z.enum(['A', 'B', 'C', 'D']),
  }),
  prompt: (row) => ({
    id: row.sample_id,
    prompt: withOptions(
      { text: row.question },
      [row.option_a, row.option_b, row.option_c, row.option_d],
      LETTERS,
      LETTERS.indexOf(row.answer),
    ),
    meta: { subject: row.subject },
    clusters: { subject: row.subject },
  }),
});

/** FLORES+ as the hub has it: one sentence a row. */
export const floresPlus = tableFormat({
  name: 'flores-plus',
  title: 'FLORES+: translated sentences in more than 200 language variants',
  files:
    'one JSONL or parquet a language, with the fields id, iso_639_3, iso_15924 and text: dev/eng_Latn.jsonl',
  licence: 'CC-BY-SA-4.0',
  source: 'FLORES+, Open Language Data Initiative (NLLB Team, 2022)',
  fields: ['id', 'iso_639_3', 'iso_15924', 'text'],
  schema: z.object({ id: idSchema, iso_639_3: z.string(), iso_15924: z.string(), text: z.string() }),
  language: (row) => `${row.iso_639_3}_${row.iso_15924}`,
  prompt: (row) => ({ id: row.id, prompt: { text: row.text } }),
});

/** XQuAD as the hub has it: one question a row. */
export const xquadRows = tableFormat({
  name: 'xquad',
  title: 'XQuAD: questions on Wikipedia paragraphs in 12 languages, one a row',
  files: 'a folder a language, as on the hub: xquad.en/validation-00000-of-00001.parquet',
  licence: 'CC-BY-SA-4.0',
  source: 'XQuAD, Google DeepMind (Artetxe et al., ACL 2020)',
  fields: ['id', 'context', 'question', 'answers'],
  schema: z.object({
    id: idSchema,
    context: filled,
    question: filled,
    answers: z.object({ text: z.array(z.string()).min(1) }),
  }),
  prompt: (row) => ({
    id: row.id,
    prompt: { text: `${row.context}\n${row.question}`, answer: row.answers.text[0]! },
  }),
});

/** MGSM as the hub has it: question and answer_number, items in one order. */
export const mgsmRows = tableFormat({
  name: 'mgsm',
  title: 'MGSM: grade-school problems in 11 languages, with columns',
  files: 'one parquet, JSONL or TSV with a header a language: en/test-00000-of-00001.parquet',
  licence: 'CC-BY-4.0',
  source: 'MGSM, Google Research (Shi et al., 2022)',
  byNumber: true,
  fields: ['question', 'answer_number'],
  schema: z.object({ question: z.string(), answer_number: z.union([z.number(), z.string()]) }),
  prompt: (row, number) => ({
    id: `${number}`,
    prompt: { text: row.question, answer: `${row.answer_number}` },
  }),
});
