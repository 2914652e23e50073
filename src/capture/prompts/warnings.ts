import type { Model } from '../../models/index.js';
import type { Tokenizer } from '../../tokenizer/index.js';
import { FOLDS } from '../plan/deal.js';
import { distinctContexts } from './contexts.js';
import { dealtTogether, type Grid } from './grid.js';

/**
 * Languages whose counted tokens differ by more than this make counts incomparable in practice: a unit has twice the chances
 * to fire in one as in the other. Rates divide by tokens; their errors do not.
 */
const MAX_TOKEN_RATIO = 2;

/** Says, in a fixed order, what one should know about a grid before one believes its numbers. */
export async function gridWarnings(grid: Grid, tokenizer: Tokenizer): Promise<string[]> {
  return [
    ...grid.probes.warnings.map(({ message }) => message),
    ...foldWarnings(grid),
    ...duplicateWarnings(grid),
    ...contextWarnings(grid),
    ...truncationWarnings(grid),
    ...emptyWarnings(grid),
    ...balanceWarnings(grid),
    ...(await roundTripWarnings(grid, tokenizer)),
  ];
}

/** Names the hooks of every run that the graph hides, and what the run lacks for it. */
export function hiddenWarnings(model: Model): string[] {
  if (model.kind === 'layered') return [];
  return model.hidden.flatMap(({ hook, statistics, why }) => {
    const lost = LOST[`${hook}/${statistics}`];
    return lost === undefined ? [] : [`not recorded: ${lost}; the graph shows no ${hook}: ${why}`];
  });
}

const LOST: Readonly<Record<string, string>> = {
  'mlp.hook_pre/all': 'how often neurons fire, without which they are not scored',
  'attn.hook_z/norms': 'norms of what heads add to the stream, without which heads are not scored',
};

function foldWarnings({ probes }: Grid): string[] {
  const items = Math.min(...dealtTogether(probes).map(({ length }) => length));
  if (items >= FOLDS) return [];
  const what = probes.identity.parallel === false ? 'sequences in a language' : 'items';
  return [
    `only ${items} ${what}: ${items} folds instead of ${FOLDS}; intervals and noise floors mean little`,
  ];
}

/** Share of the items in which two languages have the same text, from which it is worth a warning. */
const MOST_UNTRANSLATED = 0.2;

/** Items that are there twice make every interval too narrow; texts that two languages share are not compared. */
function duplicateWarnings({ probes: { items, languages, identity } }: Grid): string[] {
  if (identity.parallel === false) return [];
  const first = new Map<string, string>();
  const twice: string[] = [];
  for (const { id, prompts } of items) {
    const texts = languages.map(({ tag }) => [
      prompts.get(tag)?.text ?? null,
      prompts.get(tag)?.answer ?? null,
    ]);
    const key = JSON.stringify(texts);
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, id);
    else twice.push(`${id} as ${earlier}`);
  }
  const pairs = languages.flatMap(({ tag: a }, k) =>
    languages.slice(k + 1).flatMap(({ tag: b }) => {
      const both = items.filter(({ prompts }) => prompts.has(a) && prompts.has(b));
      const same = both.filter(({ prompts }) => prompts.get(a)!.text === prompts.get(b)!.text).length;
      return same > MOST_UNTRANSLATED * both.length
        ? [`${a} and ${b} in ${same} of ${both.length} items`]
        : [];
    }),
  );
  return [
    ...(twice.length === 0
      ? []
      : [
          `${twice.length} of ${items.length} items have the texts of an earlier one in every language, which makes intervals and p-values too small: ${named(twice)}`,
        ]),
    ...(pairs.length === 0
      ? []
      : [`languages have the same text, and nothing can be selective there: ${named(pairs)}`]),
  ];
}

/** The first five. */
function named(all: readonly string[]): string {
  return `${all.slice(0, 5).join(', ')}${all.length > 5 ? ', …' : ''}`;
}

/** Counted tokens for each effective context, from which rates are those of a few beginnings. */
const MOST_TOKENS_A_CONTEXT = 10;

function contextWarnings({ probes: { languages }, cells }: Grid): string[] {
  const few = languages.flatMap(({ tag }, k) => {
    const prompts = cells.flatMap((row) => row[k] ?? []);
    const tokens = prompts.reduce((sum, { countedTokens }) => sum + countedTokens, 0);
    const { effective, shared } = distinctContexts(prompts);
    if (tokens <= MOST_TOKENS_A_CONTEXT * effective) return [];
    const share = Math.round((100 * shared) / tokens);
    return [
      `${tag} ${Math.round(effective)} of ${tokens} tokens (${share} % share theirs with another item)`,
    ];
  });
  if (few.length === 0) return [];
  return [
    `prompts begin alike, so that rates are those of few contexts; effective number of distinct contexts: ${few.join(', ')}`,
  ];
}

function truncationWarnings({ probes: { languages }, cells }: Grid): string[] {
  return languages.flatMap(({ tag }, k) => {
    const cut = cells.map((row) => row[k]?.truncated ?? 0).filter((tokens) => tokens > 0);
    if (cut.length === 0) return [];
    const tokens = cut.reduce((a, b) => a + b, 0);
    return [
      `${tag}: ${cut.length} prompts are longer than the model's positions; ${tokens} tokens were cut off`,
    ];
  });
}

function emptyWarnings({ probes: { languages, items }, cells }: Grid): string[] {
  return languages.flatMap(({ tag }, k) => {
    const empty = items.filter((_, i) => cells[i]![k]?.countedTokens === 0);
    if (empty.length === 0) return [];
    return [`${tag}: ${empty.length} prompts have no counted token, for example item ${empty[0]!.id}`];
  });
}

function balanceWarnings({ probes: { languages }, cells }: Grid): string[] {
  const tokens = languages.map(({ tag }, k) => ({
    tag,
    count: cells.reduce((sum, row) => sum + (row[k]?.countedTokens ?? 0), 0),
  }));
  const most = tokens.reduce((a, b) => (b.count > a.count ? b : a));
  const least = tokens.reduce((a, b) => (b.count < a.count ? b : a));
  if (most.count <= MAX_TOKEN_RATIO * least.count) return [];
  const ratio = (most.count / least.count).toFixed(1);
  return [
    `tokens are uneven: ${most.tag} has ${most.count}, ${least.tag} ${least.count} (${ratio} times fewer); compare rates, not counts`,
  ];
}

/** Prompts a language, spread over its items, that are checked for coming back from the tokenizer unchanged. */
const ROUND_TRIP_PROMPTS = 50;
/** Lost characters that a warning names. */
const NAMED_CHARACTERS = 20;

async function roundTripWarnings(
  { probes: { languages, items } }: Grid,
  tokenizer: Tokenizer,
): Promise<string[]> {
  const warnings: string[] = [];
  for (const { tag } of languages) {
    const all = items.flatMap((item) => item.prompts.get(tag)?.text ?? []);
    const stride = Math.ceil(all.length / ROUND_TRIP_PROMPTS);
    const texts = all.filter((_, i) => i % stride === 0);
    const { failures, first, lost } = await tokenizer.checkRoundTrip(texts);
    if (first === null) continue;
    const { expected, found } = first;
    const named = `${lost.slice(0, NAMED_CHARACTERS).join(' ')}${lost.length > NAMED_CHARACTERS ? ' …' : ''}`;
    warnings.push(
      `${tag}: ${failures} of ${texts.length} prompts do not come back from the tokenizer, for example ` +
        `${JSON.stringify(texts[first.text])}, where ${JSON.stringify(expected)} becomes ${JSON.stringify(found)}` +
        (lost.length > 0 ? `; lost characters: ${named}` : ''),
    );
  }
  return warnings;
}
