import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dealFolds, FOLDS, planChunks } from '../../src/capture/plan/deal.js';
import { type PositionRule, tokenizePrompt } from '../../src/capture/prompts/positions.js';
import { ProbeError } from '../../src/errors.js';
import type { Tokenizer } from '../../src/tokenizer/load-tokenizer.js';

const uniqueIds = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 150 });

describe('folds', () => {
  test('differ by at most one item, and none is empty once there are as many items as folds', () => {
    fc.assert(
      fc.property(uniqueIds, fc.nat(), (ids, seed) => {
        const sizes = new Array<number>(FOLDS).fill(0);
        for (const fold of dealFolds(ids, seed).values()) sizes[fold]!++;
        expect(sizes.reduce((a, b) => a + b)).toBe(ids.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('depend on the ids and the seed, not on the order of the ids', () => {
    fc.assert(
      fc.property(uniqueIds, fc.nat(), (ids, seed) => {
        expect(dealFolds([...ids].reverse(), seed)).toEqual(dealFolds(ids, seed));
      }),
    );
    const ids = Array.from({ length: 100 }, (_, i) => `item ${i}`);
    const [one, two] = [dealFolds(ids, 1), dealFolds(ids, 2)];
    expect(ids.map((id) => one.get(id))).not.toEqual(ids.map((id) => two.get(id)));
  });
});

test('chunks hold every item once, keep to one fold and the limit, and list items in order', () => {
  const item = fc.record({ fold: fc.nat(4), tokens: fc.integer({ min: 1, max: 50 }) });
  fc.assert(
    fc.property(fc.array(item, { maxLength: 80 }), fc.integer({ min: 1, max: 120 }), (items, limit) => {
      const chunks = planChunks(items, 5, limit);
      expect(chunks.flat().sort((a, b) => a - b)).toEqual(items.map((_, i) => i));
      for (const chunk of chunks) {
        expect(new Set(chunk.map((i) => items[i]!.fold)).size).toBe(1);
        const tokens = chunk.reduce((sum, i) => sum + items[i]!.tokens, 0);
        expect(chunk.length === 1 || tokens <= limit).toBe(true);
        expect(chunk).toEqual([...chunk].sort((a, b) => a - b));
      }
      for (const [c, chunk] of chunks.slice(1).entries()) {
        // A chunk ends only where the next item of its fold is one too many.
        const [next, before] = [items[chunk[0]!]!, chunks[c]!.map((i) => items[i]!)];
        const tokens = before.reduce((sum, item) => sum + item.tokens, next.tokens);
        expect(next.fold !== before[0]!.fold || tokens > limit).toBe(true);
      }
      const foldOrder = chunks.map((chunk) => items[chunk[0]!]!.fold);
      expect(foldOrder).toEqual([...foldOrder].sort((a, b) => a - b));
    }),
  );
});

describe('positions', () => {
  /** One token a character, `<s>` (1) before and `</s>` (2) after; `\n` followed by `P` is one token. */
  const tokenizer = {
    async encode(text: string, { bos = 'auto' }: { bos?: string } = {}) {
      const characters = [...text.matchAll(/\nP|[\s\S]/g)].map(([piece]) =>
        piece === '\nP' ? 9999 : piece.charCodeAt(0),
      );
      const around = bos === 'off' ? [[], []] : [[1], [2]];
      const ids = Int32Array.from([...around[0]!, ...characters, ...around[1]!]);
      return { ids, special: Uint8Array.from(ids, (id) => (id < 3 ? 1 : 0)) };
    },
  } as unknown as Tokenizer;

  async function counted(rule: Partial<PositionRule>, prompt: { text: string; answer?: string }) {
    const full: PositionRule = { positions: 'all', countFirst: false, bos: 'auto', ...rule };
    return (await tokenizePrompt(prompt, full, tokenizer, 'item x')).counted.join('');
  }

  test('all: every token but special ones and the first of the sequence', async () => {
    expect(await counted({}, { text: 'abc' })).toBe('01110');
    expect(await counted({ countFirst: true }, { text: 'abc' })).toBe('01110'); // the first is special
    expect(await counted({ bos: 'off' }, { text: 'abc' })).toBe('011');
    expect(await counted({ bos: 'off', countFirst: true }, { text: 'abc' })).toBe('111');
  });

  test('last: the last token that is not special', async () => {
    expect(await counted({ positions: 'last' }, { text: 'abc' })).toBe('00010');
    expect(await counted({ positions: 'last', bos: 'off' }, { text: 'a' })).toBe('0');
    expect(await counted({ positions: 'last', bos: 'off', countFirst: true }, { text: 'a' })).toBe('1');
    expect(await counted({ positions: 'last' }, { text: '' })).toBe('00');
  });

  test('answer: the tokens after the separator, and one that spans it', async () => {
    expect(await counted({ positions: 'answer' }, { text: 'ab', answer: 'xy' })).toBe('0000110');
    expect(await counted({ positions: 'answer' }, { text: 'ab', answer: 'Py' })).toBe('000110');
    expect(await counted({ positions: 'answer', bos: 'off' }, { text: 'ab', answer: 'xy' })).toBe('00011');
  });

  test('answer: a prompt without one is refused by name', async () => {
    await expect(counted({ positions: 'answer' }, { text: 'ab' })).rejects.toThrow(ProbeError);
    await expect(counted({ positions: 'answer' }, { text: 'ab' })).rejects.toThrow(/item x/);
  });
});
