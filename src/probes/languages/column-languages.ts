import { knownCode } from './language-code.js';
import { tagOfCommonName } from './language-name.js';

/** A column of a table that holds the texts of one language. */
export interface LanguageColumn {
  readonly field: string;
  /** The part of its name that is the language: `deu_Latn` of sentence_deu_Latn. */
  readonly code: string;
}

interface TableRow {
  readonly fields: readonly string[];
  readonly value: unknown;
}

/** Words that columns of texts bear before or after their language. */
const PREFIX = /^(?:sentence|text|translation|question|prompt)[_-](?=.)/i;
const SUFFIX = /[_-](?:sentence|text|translation)$/i;
/** A code of two letters, or one with a script or region. */
const PLAIN = /^(?:[a-z]{2}|[A-Z]{2}|[a-z]{2,3}[_-](?:[A-Z][a-z]{3}|[A-Za-z]{2})(?:[_-][A-Za-z0-9]+)?)$/;
const THREE_LETTERS = /^[a-z]{3}$/;

/**
 * The columns that are named after languages, by all rows of a table. A column of numbers is none, whatever its name; nor
 * is `id` where it names rows. Codes of three letters count where no other column is a language.
 */
export function columnLanguages(rows: readonly TableRow[]): LanguageColumn[] {
  const fields = rows[0]?.fields ?? [];
  const named = fields.flatMap((field): LanguageColumn[] => {
    const code = field.trim().replace(PREFIX, '').replace(SUFFIX, '');
    return isLanguage(code) && hasTexts(rows, field) ? [{ field, code }] : [];
  });
  const common = named.filter(({ code }) => !THREE_LETTERS.test(code));
  return common.length > 0 ? common : named.length > 1 ? named : [];
}

function isLanguage(code: string): boolean {
  if (PLAIN.test(code) || THREE_LETTERS.test(code)) return knownCode(code) !== undefined;
  return tagOfCommonName(code) !== undefined;
}

/** Whether a column holds texts, which have letters; those of `id` are Indonesian unless they name the rows. */
function hasTexts(rows: readonly TableRow[], field: string): boolean {
  const values = rows
    .map(({ value }) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : null,
    )
    .filter((value) => value !== undefined && value !== null && value !== '');
  const texts = values.filter((value): value is string => typeof value === 'string' && /\p{L}/u.test(value));
  // Nothing but blanks: a language that has no texts here.
  if (field.toLowerCase() !== 'id') return values.length === 0 || texts.length > 0;
  const isName = (value: unknown) => typeof value !== 'string' || !/\s/.test(value.trim());
  return texts.length > 0 && !(values.every(isName) && new Set(values).size === values.length);
}
