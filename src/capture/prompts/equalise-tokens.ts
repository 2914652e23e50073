import { UsageError } from '../../errors.js';
import type { Cell, Grid } from './grid.js';

/**
 * Cuts every language to the same number of counted tokens: its prompts in the order of the items until they are reached,
 * the last one cut short, the others left out. Items that no language is left of are gone.
 *
 * @param tokens counted tokens a language, or `min`: those of the language with the fewest
 * @throws UsageError if a language has fewer
 */
export function equaliseTokens(
  { probes, cells }: Grid,
  tokens: number | 'min',
): { grid: Grid; tokensPerLanguage: number } {
  const totals = probes.languages.map((_, k) =>
    cells.reduce((sum, row) => sum + (row[k]?.countedTokens ?? 0), 0),
  );
  const limit = tokens === 'min' ? Math.min(...totals) : tokens;
  const short = probes.languages.filter((_, k) => totals[k]! < limit);
  if (short.length > 0 || limit < 1) {
    throw new UsageError({
      what: 'there are not enough tokens to make the languages equal',
      where: '--tokens-per-language',
      expected: `at least ${Math.max(limit, 1)} counted tokens in every language`,
      found: probes.languages.map(({ tag }, k) => `${tag} ${totals[k]}`).join(', '),
      remedy: `use at most ${Math.min(...totals)}, which min stands for, or leave the smallest languages out`,
    });
  }
  const left = probes.languages.map(() => limit);
  const kept = cells.map((row) =>
    row.map((cell, k) => {
      const cut = cell === null ? null : cutCounted(cell, left[k]!);
      left[k]! -= cut?.countedTokens ?? 0;
      return cut;
    }),
  );
  const present = [...kept.keys()].filter((item) => kept[item]!.some((cell) => cell !== null));
  return {
    grid: {
      probes: { ...probes, items: present.map((item) => probes.items[item]!) },
      cells: present.map((item) => kept[item]!),
    },
    tokensPerLanguage: limit,
  };
}

/** A prompt up to its `most`-th counted token, or null where it may not have any. */
function cutCounted(cell: Cell, most: number): Cell | null {
  if (most === 0) return null;
  if (cell.countedTokens <= most) return cell;
  let end = 0;
  for (let counted = 0; counted < most; end++) counted += cell.counted[end]!;
  return { ...cell, ids: cell.ids.slice(0, end), counted: cell.counted.slice(0, end), countedTokens: most };
}
