import { ProbeError } from '../../errors.js';
import { ANSWER_SEPARATOR, type Prompt } from '../../probes/index.js';
import type { TokenizedPrompt } from '../../runtime/index.js';
import type { RunPlan } from '../../store/index.js';
import type { Tokenizer } from '../../tokenizer/index.js';

export interface PositionRule {
  readonly positions: RunPlan['positions'];
  readonly countFirst: boolean;
  readonly bos: RunPlan['bos'];
}

/**
 * Tokenizes a prompt and marks the tokens that count:
 *
 * - `all`: every token that is not special;
 * - `last`: the last token that is not special;
 * - `answer`: of `text + ANSWER_SEPARATOR + answer`, every token that is not special and carries some of the answer.
 *
 * The first position of a sequence never counts, whatever stands there, unless `countFirst`.
 *
 * @param where names the prompt in errors
 * @throws ProbeError for `answer` where there is none
 */
export async function tokenizePrompt(
  prompt: Prompt,
  rule: PositionRule,
  tokenizer: Tokenizer,
  where: string,
): Promise<TokenizedPrompt> {
  const text = promptText(prompt, rule, where);
  const { ids, special } = await tokenizer.encode(text, { bos: rule.bos });
  const first = rule.positions === 'answer' ? await answerStart(prompt, rule, tokenizer, ids) : 0;
  const counted = new Uint8Array(ids.length);
  for (let t = first; t < ids.length; t++) counted[t] = special[t] === 0 ? 1 : 0;
  if (rule.positions === 'last') counted.fill(0, 0, Math.max(0, counted.lastIndexOf(1)));
  if (!rule.countFirst) counted[0] = 0;
  return { ids, counted };
}

function promptText({ text, answer }: Prompt, { positions }: PositionRule, where: string): string {
  if (positions !== 'answer') return text;
  if (answer !== undefined) return text + ANSWER_SEPARATOR + answer;
  throw new ProbeError({
    what: 'the prompt has no answer to count the tokens of',
    where,
    expected: 'an "answer" in every prompt, with --positions answer',
    remedy: 'use a fact probe set, or --positions all',
  });
}

/**
 * Position of the first token that carries some of the answer: where the tokens of the whole text part from those of
 * the text up to the answer. A token that spans the boundary is one of the answer's.
 */
async function answerStart(
  { text }: Prompt,
  { bos }: PositionRule,
  tokenizer: Tokenizer,
  whole: Int32Array,
): Promise<number> {
  const before = await tokenizer.encode(text + ANSWER_SEPARATOR, { bos });
  let length = before.ids.length;
  while (length > 0 && before.special[length - 1] === 1) length--; // an end-of-sequence token follows the answer too
  let shared = 0;
  while (shared < length && before.ids[shared] === whole[shared]) shared++;
  return shared;
}
