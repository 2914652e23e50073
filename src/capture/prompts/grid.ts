import { setImmediate } from 'node:timers/promises';
import { InterruptedError, ProbeError } from '../../errors.js';
import type { ProbeItem, ProbeSet } from '../../probes/index.js';
import { checkVocabulary, type TokenizedPrompt } from '../../runtime/index.js';
import type { Tokenizer } from '../../tokenizer/index.js';
import { type PositionRule, tokenizePrompt } from './positions.js';

/** One cell of the grid: an item in a language, ready to run. */
export interface Cell extends TokenizedPrompt {
  /** Tokens cut off because the prompt was longer than the model's positions. */
  readonly truncated: number;
  /** Sum of `counted`. */
  readonly countedTokens: number;
}

/** Items × languages, tokenized. */
export interface Grid {
  readonly probes: ProbeSet;
  /** [item][language]; null where the item lacks the language. */
  readonly cells: readonly (readonly (Cell | null)[])[];
}

export interface GridRequest {
  readonly probes: ProbeSet;
  readonly rule: PositionRule;
  readonly tokenizer: Tokenizer;
  readonly vocab: number;
  readonly maxPositions: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Tokenizes every prompt of a probe set.
 *
 * @throws ProbeError for a set without items or a language without a single prompt; CheckpointError for a token the
 *   model's embedding lacks; InterruptedError
 */
export async function tokenizeGrid(request: GridRequest): Promise<Grid> {
  const { probes, rule, tokenizer, signal } = request;
  checkLanguages(probes);
  const cells: (Cell | null)[][] = [];
  for (const item of probes.items) {
    // Tokenizing a thousand items takes seconds; let timers and signals have their turn.
    await setImmediate();
    if (signal?.aborted) throw new InterruptedError({ what: 'interrupted' }, { cause: signal.reason });
    const row = probes.languages.map(async ({ tag }) => {
      const prompt = item.prompts.get(tag);
      if (prompt === undefined) return null;
      const where = describePrompt(item.id, tag);
      const tokens = await tokenizePrompt(prompt, rule, tokenizer, where);
      if (tokens.ids.length === 0) {
        throw new ProbeError({
          what: 'the prompt has no tokens',
          where,
          found: JSON.stringify(prompt.text),
          remedy: 'take the prompt out of the probe set',
        });
      }
      checkVocabulary(tokens.ids, request.vocab, where);
      return cut(tokens, request.maxPositions);
    });
    cells.push(await Promise.all(row));
  }
  return { probes, cells };
}

/** Names a prompt in errors. */
export function describePrompt(item: string, language: string): string {
  return `item ${item}, language ${language}`;
}

/** Items that share one deal into folds: all, or those of a language where they are its own. */
export function dealtTogether({ identity, items, languages }: ProbeSet): readonly (readonly ProbeItem[])[] {
  if (identity.parallel !== false) return [items];
  return languages.map(({ tag }) => items.filter(({ prompts }) => prompts.has(tag)));
}

export function checkLanguages({ identity, items, languages }: ProbeSet): void {
  const where = `probe set ${identity.name}`;
  if (items.length === 0) {
    throw new ProbeError({ what: 'there are no items', where, remedy: 'use a probe set with items' });
  }
  for (const { tag } of languages) {
    if (items.some((item) => item.prompts.has(tag))) continue;
    throw new ProbeError({
      what: `there is no prompt in language ${tag}`,
      where,
      expected: 'at least one prompt in every language',
      found: `none in ${items.length} items`,
      remedy: `leave ${tag} out with --languages, or raise --limit`,
    });
  }
}

/** Which tokens count was decided on the whole prompt, so a `last` token that was cut off counts nowhere. */
function cut({ ids, counted }: TokenizedPrompt, maxPositions: number): Cell {
  const kept = counted.slice(0, maxPositions);
  return {
    ids: ids.slice(0, maxPositions),
    counted: kept,
    truncated: Math.max(0, ids.length - maxPositions),
    countedTokens: kept.reduce((a, b) => a + b, 0),
  };
}
