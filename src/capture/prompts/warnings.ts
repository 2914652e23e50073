import type { Model } from '../../models/index.js';
import type { Tokenizer } from '../../tokenizer/index.js';
import { FOLDS } from '../plan/deal.js';
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
