import { setImmediate } from 'node:timers/promises';
import { InterruptedError, UsageError } from '../../errors.js';
import type { LanguageTag, ProbeItem } from '../../probes/index.js';
import { checkVocabulary } from '../../runtime/index.js';
import { type Cell, checkLanguages, describePrompt, type Grid, type GridRequest } from './grid.js';

/** Tokens of a packed sequence, special ones included, where the user does not say. */
const SEQUENCE_LENGTH = 512;

/** Texts that are encoded at once. */
const BATCH = 256;

/** Stands between two texts of a sequence. */
const SEPARATOR = '\n';

/**
 * Packs the texts of every language, one after the other with a line feed between them, into sequences of one length, each
 * with the special tokens of a prompt around it. Sequences cut through texts. What is left at the end and fills no sequence
 * is left out, but for a language that has no other. Every sequence is an item of its own, `en/0`, `en/1`, …
 *
 * @throws UsageError for a length that the model or the special tokens leave no room for, or positions other than `all`;
 *   ProbeError for a language without text; CheckpointError for a token the model's embedding lacks; InterruptedError
 */
export async function packGrid(
  request: GridRequest,
  asked: number | undefined,
): Promise<{ grid: Grid; sequenceLength: number }> {
  const { probes, rule, tokenizer, maxPositions, vocab } = request;
  checkLanguages(probes);
  const sequenceLength = asked ?? Math.min(SEQUENCE_LENGTH, maxPositions);
  const { before, after } = tokenizer.around({ bos: rule.bos });
  const room = sequenceLength - before.length - after.length;
  if (room < 2 || sequenceLength > maxPositions) {
    throw new UsageError({
      what: 'the sequence length does not fit the model',
      where: '--sequence-length',
      expected: `${before.length + after.length + 2} to ${maxPositions} tokens`,
      found: String(sequenceLength),
      remedy: 'choose a length in between',
    });
  }
  if (rule.positions !== 'all') {
    throw new UsageError({
      what: 'packed text has neither last tokens nor answers',
      where: '--positions',
      expected: 'all',
      found: rule.positions,
      remedy: 'leave --positions out',
    });
  }
  const items: ProbeItem[] = [];
  const cells: (Cell | null)[][] = [];
  for (const [k, { tag }] of probes.languages.entries()) {
    const stream = await tokenStream(request, tag);
    const full = Math.floor(stream.ids.length / room);
    for (let i = 0; i < Math.max(full, 1); i++) {
      const [start, end] = [i * room, Math.min((i + 1) * room, stream.ids.length)];
      const ids = Int32Array.from([...before, ...stream.ids.slice(start, end), ...after]);
      checkVocabulary(ids, vocab, describePrompt(`${tag}/${i}`, tag));
      const counted = new Uint8Array(ids.length);
      for (let t = start; t < end; t++) counted[before.length + t - start] = stream.special[t] === 0 ? 1 : 0;
      if (!rule.countFirst) counted[0] = 0;
      const countedTokens = counted.reduce((a, b) => a + b, 0);
      const text = stream.texts.filter((one) => one.start >= start && one.start < end);
      const prompt = { text: text.map((one) => one.text).join(SEPARATOR) };
      items.push({ id: `${tag}/${i}`, prompts: new Map([[tag, prompt]]), meta: {} });
      cells.push(
        probes.languages.map((_, other) =>
          other === k ? { ids, counted, truncated: 0, countedTokens } : null,
        ),
      );
    }
  }
  return { grid: { probes: { ...probes, items }, cells }, sequenceLength };
}

interface TokenStream {
  readonly ids: number[];
  readonly special: number[];
  /** Where each text begins. */
  readonly texts: { readonly start: number; readonly text: string }[];
}

/** The tokens of a language's texts, one after the other. */
async function tokenStream(
  { probes, tokenizer, signal }: GridRequest,
  tag: LanguageTag,
): Promise<TokenStream> {
  const all = probes.items.flatMap(({ prompts }) => prompts.get(tag)?.text ?? []);
  const separator = await tokenizer.encode(SEPARATOR, { bos: 'off' });
  const stream: TokenStream = { ids: [], special: [], texts: [] };
  for (let i = 0; i < all.length; i += BATCH) {
    await setImmediate();
    if (signal?.aborted) throw new InterruptedError({ what: 'interrupted' }, { cause: signal.reason });
    const texts = all.slice(i, i + BATCH);
    for (const [j, encoded] of (await tokenizer.encodeAll(texts, { bos: 'off' })).entries()) {
      for (const { ids, special } of stream.ids.length > 0 ? [separator, encoded] : [encoded]) {
        if (ids === encoded.ids) stream.texts.push({ start: stream.ids.length, text: texts[j]! });
        for (const id of ids) stream.ids.push(id);
        for (const flag of special) stream.special.push(flag);
      }
    }
  }
  return stream;
}
