import { TokenizerError } from '../errors.js';
import { isObject } from '../read-json.js';

type Fields = Readonly<Record<string, unknown>>;

/** Bytes of a unit of a character map's trie, and of the length in front of it. */
const UNIT_BYTES = 4;

/**
 * Refuses the parts of a tokenizer.json that the tokenizers library (0.23) does not refuse itself: it ends its process
 * on a malformed character map and on a template that names a token it does not define, and replaces texts by longer ones
 * as often as it is told.
 *
 * @throws TokenizerError
 */
export function checkTokenizerJson(json: Fields, path: string): void {
  for (const normalizer of components(json.normalizer, 'normalizers')) {
    if (normalizer.type === 'Precompiled') checkCharacterMap(normalizer.precompiled_charsmap, path);
  }
  checkGrowth(components(json.normalizer, 'normalizers'), `${path}: normalizer`);
  checkGrowth(components(json.decoder, 'decoders'), `${path}: decoder`);
  for (const processor of components(json.post_processor, 'processors')) {
    if (processor.type === 'TemplateProcessing') checkTemplate(processor, path);
  }
}

/** Lists a component, or those of a sequence of them, however deep. */
function components(component: unknown, members: string): Fields[] {
  if (!isObject(component)) return [];
  const inner = component[members];
  return Array.isArray(inner) ? inner.flatMap((one) => components(one, members)) : [component];
}

/** Times that a text may grow; real normalizers let a space of one byte become a mark of three, or insert a space. */
const MOST_GROWTH = 256;

/** Replacements after one another multiply what they replace. */
function checkGrowth(steps: readonly Fields[], where: string): void {
  const growth = steps.map(growthOf).reduce((product, times) => product * times, 1);
  if (growth <= MOST_GROWTH) return;
  throw new TokenizerError({
    what: 'the tokenizer replaces texts by ones that are many times as long',
    where,
    expected: `replacements that let a text grow to ${MOST_GROWTH} times its length at most`,
    found: `replacements that let it grow to ${Number(growth.toPrecision(3))} times its length`,
    remedy: 'the file is damaged or made to do harm: download it again from where you trust it',
  });
}

/** Times the length that a text may have after a replacement. A regular expression may match between characters too. */
function growthOf({ type, pattern, content }: Fields): number {
  if (type !== 'Replace' || typeof content !== 'string' || !isObject(pattern)) return 1;
  const { String: replaced } = pattern;
  if (typeof replaced !== 'string' || replaced === '') return 1 + content.length;
  return Math.max(1, content.length / replaced.length);
}

/** SentencePiece's format: the trie's length in bytes, the trie in units of four bytes, the texts. */
function checkCharacterMap(map: unknown, path: string): void {
  const bytes = typeof map === 'string' ? Buffer.from(map, 'base64') : null;
  if (bytes !== null && bytes.toString('base64') === map && bytes.length >= UNIT_BYTES) {
    const trie = bytes.readUInt32LE(0);
    if (trie > 0 && trie % UNIT_BYTES === 0 && trie <= bytes.length - UNIT_BYTES) return;
  }
  throw new TokenizerError({
    what: 'the character map of the normalizer is malformed',
    where: `${path}: precompiled_charsmap`,
    expected: 'base64 of a length, a trie of that length and its texts',
    found: bytes === null ? String(map) : `${bytes.length} bytes of another kind`,
    remedy: 'download the file again',
  });
}

function checkTemplate({ single, pair, special_tokens: defined }: Fields, path: string): void {
  for (const piece of [single, pair].flat()) {
    const token = isObject(piece) && isObject(piece.SpecialToken) ? piece.SpecialToken.id : undefined;
    if (token === undefined || (isObject(defined) && Object.hasOwn(defined, String(token)))) continue;
    throw new TokenizerError({
      what: 'the post-processor adds a special token that it does not define',
      where: `${path}: post_processor.special_tokens`,
      expected: `an entry for ${JSON.stringify(token)}`,
      found: isObject(defined) ? Object.keys(defined).join(' ') : String(defined),
      remedy: 'download the file again',
    });
  }
}
