import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { FACT_LANGUAGES, type FactLanguage } from './make-facts-phrases.js';

export type NameKind = 'territory' | 'currency' | 'language' | 'script';

/** The parts of CLDR the facts are made from, as plain tables. */
export interface Cldr {
  readonly version: string;
  /** The name of a code in a language, or undefined where CLDR has none of its own for that language. */
  name(kind: NameKind, code: string, language: FactLanguage): string | undefined;
  /** Territory → currencies that are legal tender with no end date. */
  readonly tender: ReadonlyMap<string, readonly string[]>;
  /** Territory → languages and how much of the population uses each (0..1), script variants folded. */
  readonly spoken: ReadonlyMap<string, ReadonlyMap<string, SpokenLanguage>>;
  /** Territory → number of inhabitants. */
  readonly population: ReadonlyMap<string, number>;
  /** UN M49 region → what it contains, territories or regions. */
  readonly containment: ReadonlyMap<string, readonly string[]>;
  /** Language → scripts it is written in today. */
  readonly scripts: ReadonlyMap<
    string,
    { readonly primary: readonly string[]; readonly secondary: readonly string[] }
  >;
  /** Language → likely territory and script. */
  likely(language: string): { territory: string; script: string } | undefined;
}

export interface SpokenLanguage {
  readonly share: number;
  /** Official or official in fact, for the whole territory. */
  readonly official: boolean;
  /** Official anywhere in the territory, in any way. */
  readonly anyStatus: boolean;
}

const require = createRequire(import.meta.url);
const read = (path: string) => JSON.parse(readFileSync(require.resolve(path), 'utf8'));
const supplemental = (file: string) => read(`cldr-core/supplemental/${file}.json`).supplemental;

/** Territories whose common short name stands in place of an administrative title, which reads badly in a question. */
const SHORT_NAMED = new Set(['HK', 'MO', 'PS']);

/** Names that the JSON packages lack or have wrong, in languages the demo's checkpoints are not trained on. */
const CORRECTED: Readonly<Record<string, string>> = {
  'ar/script/Gujr': 'الغوجاراتية', // misspelt; as the language is in CLDR
  'id/script/Arab': 'Arab', // equal to its code, which the packages cannot tell from a missing name
  'id/script/Olck': 'Ol Chiki', // translated as "old Chiki"
  'ru/script/Tfng': 'тифинаг', // named as the ancient script it comes from
};

/** Reads the pinned `cldr-core`, `cldr-localenames-full` and `cldr-numbers-full` packages. */
export function readCldr(): Cldr {
  const names = new Map(FACT_LANGUAGES.map((language) => [language, readNames(language)]));
  const subtags: Record<string, string> = supplemental('likelySubtags').likelySubtags;
  return {
    version: read('cldr-core/package.json').version,
    name(kind, code, language) {
      const table = names.get(language)![kind];
      const corrected = CORRECTED[`${language}/${kind}/${code}`];
      if (corrected !== undefined) return corrected;
      const name = kind === 'territory' && SHORT_NAMED.has(code) ? table[`${code}-alt-short`] : table[code];
      return name === undefined || name.trim() === '' || name === code ? undefined : name;
    },
    tender: readTender(),
    ...readSpoken(),
    containment: readContainment(),
    scripts: readScripts(),
    likely(language) {
      const [, script, territory] = (subtags[language] ?? '').split('-');
      return script !== undefined && territory !== undefined ? { script, territory } : undefined;
    },
  };
}

function readNames(language: FactLanguage): Record<NameKind, Record<string, string | undefined>> {
  const display = (file: string) =>
    read(`cldr-localenames-full/main/${language}/${file}.json`).main[language].localeDisplayNames[file];
  const currencies: Record<string, { displayName?: string }> = read(
    `cldr-numbers-full/main/${language}/currencies.json`,
  ).main[language].numbers.currencies;
  return {
    territory: display('territories'),
    language: display('languages'),
    script: display('scripts'),
    currency: Object.fromEntries(
      Object.entries(currencies).map(([code, entry]) => [code, entry.displayName]),
    ),
  };
}

function readTender(): Cldr['tender'] {
  const region: Record<string, Record<string, { _to?: string; _tender?: string }>[]> =
    supplemental('currencyData').currencyData.region;
  return new Map(
    Object.entries(region).map(([territory, entries]) => [
      territory,
      entries.flatMap((entry) =>
        Object.entries(entry)
          .filter(([, use]) => use._to === undefined && use._tender !== 'false')
          .map(([currency]) => currency),
      ),
    ]),
  );
}

function readSpoken(): Pick<Cldr, 'spoken' | 'population'> {
  const territories: Record<
    string,
    {
      _population: string;
      languagePopulation?: Record<string, { _populationPercent: string; _officialStatus?: string }>;
    }
  > = supplemental('territoryInfo').territoryInfo;
  const spoken = new Map<string, Map<string, SpokenLanguage>>();
  const population = new Map<string, number>();
  for (const [territory, entry] of Object.entries(territories)) {
    population.set(territory, Number(entry._population));
    const languages = new Map<string, SpokenLanguage>();
    for (const [tag, use] of Object.entries(entry.languagePopulation ?? {})) {
      const language = tag.split('_')[0]!;
      const seen = languages.get(language);
      const status = use._officialStatus;
      languages.set(language, {
        // `sr` and `sr_Latn` are the same speakers counted twice, so the larger share stands for both.
        share: Math.max(seen?.share ?? 0, Number(use._populationPercent) / 100),
        official: seen?.official === true || status === 'official' || status === 'de_facto_official',
        anyStatus: seen?.anyStatus === true || status !== undefined,
      });
    }
    spoken.set(territory, languages);
  }
  return { spoken, population };
}

function readContainment(): Cldr['containment'] {
  const groups: Record<string, { _contains: string[]; _grouping?: string }> =
    supplemental('territoryContainment').territoryContainment;
  return new Map(
    Object.entries(groups)
      .filter(([code, group]) => /^\d{3}$/.test(code) && group._grouping !== 'true')
      .map(([code, group]) => [code, group._contains]),
  );
}

function readScripts(): Cldr['scripts'] {
  const entries: Record<string, { _scripts?: string[] }> = supplemental('languageData').languageData;
  return new Map(
    Object.keys(entries)
      .filter((tag) => !tag.includes('-'))
      .map((tag) => [
        tag,
        { primary: entries[tag]?._scripts ?? [], secondary: entries[`${tag}-alt-secondary`]?._scripts ?? [] },
      ]),
  );
}
