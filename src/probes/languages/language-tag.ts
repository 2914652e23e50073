import { ProbeError } from '../../errors.js';
import type { LanguageTag } from '../types.js';

/** Codes that ISO 639 reserves for what is no single language. */
const NO_LANGUAGE = new Set(['und', 'mul', 'mis', 'zxx']);

const names = {
  language: new Intl.DisplayNames('en', { type: 'language', fallback: 'none' }),
  script: new Intl.DisplayNames('en', { type: 'script', fallback: 'none' }),
  region: new Intl.DisplayNames('en', { type: 'region', fallback: 'none' }),
};

const canonical = new Map<string, LanguageTag>();

/**
 * The canonical form of a BCP 47 language tag: `zh-hant` → `zh-Hant`, `iw` → `he`.
 *
 * A language is known when the runtime's CLDR has a name for it or knows where and in which script it is written,
 * which covers some hundreds of languages beyond those with names (Tamasheq, Ayacucho Quechua).
 *
 * @param where named in the error, for example `probe.json: languages.3.tag`
 * @throws {ProbeError} a tag that is malformed or whose language, script or region nobody knows
 */
export function canonicalLanguage(tag: string, where: string): LanguageTag {
  const seen = canonical.get(tag);
  if (seen !== undefined) return seen;
  const locale = parse(tag);
  if (locale === undefined || !isKnown(locale)) {
    const repaired = tag.replaceAll('_', '-');
    const mended = repaired === tag ? undefined : parse(repaired);
    throw new ProbeError({
      what: `"${tag}" is no known language tag`,
      where,
      expected: 'a BCP 47 tag, for example en, pt-BR or zh-Hant',
      found: JSON.stringify(tag),
      remedy:
        mended !== undefined && isKnown(mended)
          ? `write ${mended.baseName}`
          : 'look the language up in the IANA language subtag registry',
    });
  }
  canonical.set(tag, locale.toString());
  return locale.toString();
}

function parse(tag: string): Intl.Locale | undefined {
  try {
    return new Intl.Locale(tag);
  } catch {
    return undefined;
  }
}

function isKnown({ baseName, script, region }: Intl.Locale): boolean {
  // Not Intl.Locale's `language`, which is undefined for `und` in Node 20.
  const language = baseName.split('-')[0]!;
  if (NO_LANGUAGE.has(language)) return false;
  if (script !== undefined && names.script.of(script) === undefined) return false;
  if (region !== undefined && names.region.of(region) === undefined) return false;
  return (
    names.language.of(language) !== undefined || new Intl.Locale(language).maximize().script !== undefined
  );
}
