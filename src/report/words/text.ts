/** Whole numbers with thousands separators. */
export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** Three significant digits, whole above 1000; a true minus sign; an en dash for what cannot be computed. */
export function number(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  const text =
    magnitude >= 1000
      ? count(magnitude)
      : magnitude >= 1e-4
        ? magnitude.toLocaleString('en-US', { maximumSignificantDigits: 3 })
        : magnitude.toExponential(1);
  return value < 0 ? `−${text}` : text;
}

/** `number` with its sign always shown. */
export function signed(value: number | null): string {
  return value !== null && value > 0 ? `+${number(value)}` : number(value);
}

/** With a fixed number of decimals and a true minus sign. */
export function decimal(value: number, decimals: number): string {
  const text = Math.abs(value).toLocaleString('en-US', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
}

/** A share as a percentage, never rounded up to 100 or down to 0. */
export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return '–';
  if (share > 0.99 && share < 1) return '> 99\u00a0%';
  if (share > 0 && share < 0.01) return '< 1\u00a0%';
  return `${Math.round(share * 100)}\u00a0%`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

export function uncapital(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** `a, b and c`. */
export function list(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Controls, line separators, and marks that turn the direction of what follows them. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu;

/** A copy whose strings are single lines that cannot disturb the text around them: labels come from users. */
export function plainStrings<T>(value: T): T {
  if (typeof value === 'string') return value.replace(UNPRINTABLE, ' ') as T;
  if (Array.isArray(value)) return value.map(plainStrings) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plainStrings(part)])) as T;
}

/** For text and quoted attribute values of HTML. */
export function escapeHtml(text: string): string {
  return text.replace(
    /[&<>"']/g,
    (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]!,
  );
}

/**
 * Width of text in em: Noto Sans by class of character, ideographs and syllables 1, combining marks 0. Layout needs a
 * width where there is no browser, and must not depend on which canvas library a machine happens to have.
 */
export function emWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) return 0;
  if (/[iljI.,:;'|!·]/.test(character)) return 0.29;
  if (/[ ftr()[\]{}/"-]/.test(character)) return 0.37;
  if (/[mwMW%@→…]/.test(character)) return 0.92;
  if (
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\uff00-\uffef]/u.test(character)
  ) {
    return 1;
  }
  if (/\p{Lu}/u.test(character)) return 0.68;
  if (/[\p{Script=Devanagari}\p{Script=Arabic}\p{Script=Cyrillic}\p{Script=Thai}]/u.test(character))
    return 0.64;
  return 0.61;
}

/** Breaks text at spaces (no-break ones apart) into lines of at most `maxWidth` em; a word longer than a line is cut. */
export function wrap(text: string, maxWidth: number): string[] {
  return inLines(text.split(/[^\S\u00a0]+/u), ' ', maxWidth, (word) => {
    const pieces: string[] = [];
    let rest = word;
    for (; emWidth(rest) > maxWidth; rest = rest.slice(pieces.at(-1)!.length))
      pieces.push(prefix(rest, maxWidth));
    return [...pieces, rest];
  });
}

/** Breaks at ` · ` where it can, so that what belongs together stays on one line. */
export function wrapParts(text: string, maxWidth: number): string[] {
  return inLines(text.split(' · '), ' · ', maxWidth, (part) => wrap(part, maxWidth));
}

/** Sets as many parts on a line as it has room for; `broken` breaks a part that begins a line. */
function inLines(
  parts: readonly string[],
  separator: string,
  maxWidth: number,
  broken: (part: string) => string[],
): string[] {
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    const longer = line === '' ? part : line + separator + part;
    if (emWidth(longer) <= maxWidth) {
      line = longer;
      continue;
    }
    const pieces = broken(part);
    lines.push(line, ...pieces.slice(0, -1));
    line = pieces.at(-1) ?? '';
  }
  return [...lines, line].filter((one) => one !== '');
}

/** Cut with an ellipsis to at most `maxWidth` em. */
export function ellipsize(text: string, maxWidth: number): string {
  return emWidth(text) <= maxWidth ? text : `${prefix(text, maxWidth - 1).trimEnd()}…`;
}

/** As many whole characters as fit, one at least. */
export function prefix(text: string, maxWidth: number): string {
  let head = '';
  for (const { segment } of new Intl.Segmenter('en').segment(text)) {
    if (head !== '' && emWidth(head + segment) > maxWidth) break;
    head += segment;
  }
  return head;
}
