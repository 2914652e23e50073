import type { ReportProblem } from './problems.js';
import type { LanguageTag, Prompt } from './types.js';

/** A prompt with the place it was read from. */
export interface ReadPrompt {
  readonly prompt: Prompt;
  readonly where: string;
}

const ZEROS = /\p{Nd}/gu;

/** Decimal digits of any script as ASCII ones; each script's ten follow each other. */
function asciiDigits(text: string): string {
  return text.replace(ZEROS, (digit) => {
    let value = 0;
    const code = digit.codePointAt(0)!;
    while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value += 1;
    return String(code < 0x80 ? Number(digit) : value);
  });
}

/** The numbers that a text may be: `1.000` is one or a thousand, by language. None where it is no number. */
export function numbersOf(text: string): number[] {
  const plain = asciiDigits(text.trim())
    .replaceAll('\u2212', '-')
    .replaceAll('\u066b', '.')
    .replaceAll(/[\u066c\u00a0\u202f' ]/gu, '');
  const readings = new Set<number>();
  if (/^[+-]?\d+(?:[.,]\d+)?$/.test(plain)) readings.add(Number(plain.replace(',', '.')));
  if (/^[+-]?\d{1,3}(?:[.,]\d{3})+$/.test(plain)) readings.add(Number(plain.replaceAll(/[.,]/g, '')));
  if (/^[+-]?\d{1,3}(?:(?:,\d{3})+\.\d+|(?:\.\d{3})+,\d+)$/.test(plain)) {
    readings.add(
      Number(
        plain
          .replace(/[.,](?=\d*$)/, 'x')
          .replaceAll(/[.,]/g, '')
          .replace('x', '.'),
      ),
    );
  }
  return [...readings];
}

/** Whether two answers are numbers, or letters of options, and differ. */
function contradict(a: string, b: string): boolean {
  if (/^[A-Z]$/.test(a) && /^[A-Z]$/.test(b)) return a !== b;
  const [left, right] = [numbersOf(a), numbersOf(b)];
  return left.length > 0 && right.length > 0 && !left.some((number) => right.includes(number));
}

/**
 * Rows that are matched by their numbers alone: a row that one file lacks pairs all later ones with another question.
 * Answers that are the same in all languages, numbers and letters, tell; a difference goes to `report` with both rows.
 */
export function checkSameAnswers(
  prompts: ReadonlyMap<LanguageTag, ReadPrompt>,
  id: string,
  report: ReportProblem,
): void {
  let first: { language: LanguageTag; answer: string; where: string } | undefined;
  for (const [language, { prompt, where }] of prompts) {
    const { answer } = prompt;
    if (answer === undefined) continue;
    first ??= { language, answer, where };
    if (!contradict(first.answer, answer)) continue;
    report({
      what: `rows of one number have different answers in ${first.language} and ${language}`,
      where: `${where} (item ${id}, language ${language})`,
      expected: `answer ${first.answer}, as in ${first.where}`,
      found: `answer ${answer}`,
      remedy: 'rows are matched by their number: keep a blank row where a language lacks an item',
    });
    return;
  }
}
