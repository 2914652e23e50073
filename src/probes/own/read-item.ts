import { z } from 'zod';
import { languageOfCode } from '../languages/language-code.js';
import { attempt, firstIssue, type ReportProblem } from '../problems.js';
import type { LanguageTag, ProbeItem, Prompt } from '../types.js';

/** Text that says something. */
export const filled = z.string().refine((text) => text.trim() !== '', 'must not be empty');

/** An id, as text or number; a number that JavaScript cannot tell from its neighbours is none. */
export const idSchema = z
  .union([
    filled,
    z
      .number()
      .refine(
        (id) => !Number.isInteger(id) || Number.isSafeInteger(id),
        'must be written as text: the number is too large',
      ),
  ])
  .transform(String);

const prompt = z.strictObject({
  text: z.string(),
  answer: z.string().optional(),
  candidates: z.array(z.string()).min(2).readonly().optional(),
  candidateIds: z.array(z.string()).readonly().optional(),
});

const meta = z.record(z.string(), z.unknown()).optional();
/** By what items are alike, and the name of the cluster: `{"relation": "currency"}`. */
const clusters = z.record(filled, filled).optional();

/** A line of `items.jsonl`. */
const promptRowSchema = z.strictObject({
  id: idSchema,
  prompts: z.record(z.string(), prompt),
  meta,
  clusters,
});

/** A line of `items.jsonl` without answers, `{"id", "text": {lang: …}}`, read as the richer one. */
const textRowSchema = z
  .strictObject({ id: idSchema, text: z.record(z.string(), z.string()), meta, clusters })
  .transform(({ text, ...row }): PromptRow => {
    const prompts = Object.entries(text).map(([language, prompt]) => [language, { text: prompt }]);
    return { ...row, prompts: Object.fromEntries(prompts) };
  });

type PromptRow = z.infer<typeof promptRowSchema>;

/** The facts of its set that an item is checked against. */
interface ItemContext {
  readonly kind: 'text' | 'fact';
  readonly declared: ReadonlySet<LanguageTag>;
}

/** The item in one row of `items.jsonl`; prompts that cannot be used are left out and go to `report`. */
export function readItem(
  value: unknown,
  where: string,
  context: ItemContext,
  report: ReportProblem,
): ProbeItem | undefined {
  const row = parseRow(value, where, report);
  if (row === undefined) return undefined;
  const itemWhere = `${where} (item ${row.id})`;
  const prompts = new Map<LanguageTag, Prompt>();
  for (const [key, raw] of Object.entries(row.prompts)) {
    const language = attempt(() => languageOfCode(key, itemWhere), report);
    if (language === undefined) continue;
    const promptWhere = `${itemWhere}, language ${language}`;
    if (!context.declared.has(language)) {
      report({
        what: `language ${language} is not declared in probe.json`,
        where: promptWhere,
        expected: [...context.declared].join(' '),
        found: key,
        remedy: 'add it to "languages" in probe.json, with its name, script and family',
      });
    } else if (prompts.has(language)) {
      report({
        what: `language ${language} occurs twice in one item`,
        where: promptWhere,
        found: key,
        remedy: 'keep one of the two',
      });
    } else if (isUsable(raw, promptWhere, context.kind, report)) {
      prompts.set(language, toPrompt(raw));
    }
  }
  if (Object.keys(row.prompts).length === 0) {
    report({
      what: 'an item without any language',
      where: itemWhere,
      remedy: 'give it prompts or leave it out',
    });
  }
  checkSameCandidates(prompts, itemWhere, report);
  return { id: row.id, prompts, meta: row.meta ?? {}, ...(row.clusters && { clusters: row.clusters }) };
}

/** The shape of a row that is meant shows in its key, so that a message is about that one. */
export function itemSchema(value: unknown): z.ZodType<PromptRow> {
  const isPlain = typeof value === 'object' && value !== null && 'text' in value && !('prompts' in value);
  return isPlain ? textRowSchema : promptRowSchema;
}

/** Both shapes of a row as the richer one. */
function parseRow(value: unknown, where: string, report: ReportProblem): PromptRow | undefined {
  const row = itemSchema(value).safeParse(value);
  if (row.success) return row.data;
  report({
    what: 'not an item',
    where,
    expected: '{"id", "prompts": {language: {"text", …}}} or {"id", "text": {language: …}}',
    found: firstIssue(row.error),
    remedy: 'write the line in one of these two shapes',
  });
  return undefined;
}

type RawPrompt = PromptRow['prompts'][string];

/** Half of a surrogate pair: a JSON escape can hold one, UTF-8 and tokenizers cannot. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether text, answer and candidates of a prompt can be used; what is wrong with them goes to `report`. */
export function isUsable(
  { text, answer, candidates, candidateIds }: RawPrompt,
  where: string,
  kind: 'text' | 'fact',
  report: ReportProblem,
): boolean {
  const fault = (what: string, remedy: string, expected?: string, found?: string): boolean => {
    report({ what, where, remedy, ...(expected && { expected }), ...(found && { found }) });
    return false;
  };
  const isEmpty = (value: string) => value.trim() === '';
  if (isEmpty(text)) return fault('empty text', 'leave the language out of this item');
  const strings = [text, ...(answer === undefined ? [] : [answer]), ...(candidates ?? [])];
  if (strings.some((value) => LONE_SURROGATE.test(value))) {
    return fault(
      'invalid Unicode: half a surrogate pair',
      'write the character itself in place of its escapes',
    );
  }
  if (answer === undefined) {
    if (kind === 'fact') return fault('a fact without an answer', 'add "answer", or set "kind" to "text"');
    if (candidates !== undefined) return fault('candidates without an answer', 'add "answer"');
  } else if (isEmpty(answer)) {
    return fault('empty answer', 'leave the language out of this item');
  }
  if (candidates === undefined) {
    if (candidateIds === undefined) return true;
    return fault('candidateIds without candidates', 'add "candidates" or leave "candidateIds" out');
  }
  if (candidates.some(isEmpty)) return fault('an empty candidate', 'name it or leave it out');
  if (new Set(candidates).size < candidates.length) {
    return fault(
      'two candidates with one name',
      'choose another distractor',
      'distinct names',
      candidates.join(' | '),
    );
  }
  if (!candidates.includes(answer!)) {
    return fault('the answer is not among the candidates', 'add it', answer, candidates.join(' | '));
  }
  if (candidateIds === undefined) return true;
  if (candidateIds.length !== candidates.length) {
    return fault(
      'candidateIds and candidates differ in length',
      'give each candidate its id, in the same order',
      `${candidates.length} ids`,
      `${candidateIds.length}`,
    );
  }
  if (new Set(candidateIds).size < candidateIds.length) {
    return fault('two candidates with one id', 'give each its own', 'distinct ids', candidateIds.join(' '));
  }
  return true;
}

export function toPrompt({ text, answer, candidates, candidateIds }: RawPrompt): Prompt {
  return {
    text,
    ...(answer !== undefined && { answer }),
    ...(candidates !== undefined && { candidates }),
    ...(candidateIds !== undefined && { candidateIds }),
  };
}

/** Where candidates have ids, all languages of an item must offer the same ones and hold the same one for right. */
export function checkSameCandidates(
  prompts: ReadonlyMap<LanguageTag, Prompt>,
  where: string,
  report: ReportProblem,
): void {
  let first: { language: LanguageTag; ids: string; answer: string } | undefined;
  for (const [language, { answer, candidates, candidateIds }] of prompts) {
    if (candidates === undefined || candidateIds === undefined) continue;
    const ids = [...candidateIds].sort().join(' ');
    const answerId = candidateIds[candidates.indexOf(answer!)]!;
    first ??= { language, ids, answer: answerId };
    if (ids === first.ids && answerId === first.answer) continue;
    report({
      what: `candidates differ between ${first.language} and ${language}`,
      where,
      expected: `answer ${first.answer} among ${first.ids}, as in ${first.language}`,
      found: `answer ${answerId} among ${ids}`,
      remedy: 'give all languages of an item the same candidateIds, in any order',
    });
    return;
  }
}
