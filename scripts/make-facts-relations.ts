import type { Cldr, NameKind } from './make-facts-cldr.js';
import { FACT_LANGUAGES, type Relation } from './make-facts-phrases.js';

/** One fact in codes: no language yet. */
export interface Fact {
  readonly relation: Relation;
  readonly subject: string;
  readonly object: string;
  /** Objects that are also true of the subject, if only in part: never distractors. */
  readonly alsoTrue: ReadonlySet<string>;
  /** Facts that give each other away share it, and so fall on the same side of the split. */
  readonly pair: string;
}

export const KINDS: Record<Relation, { readonly subject: NameKind; readonly object: NameKind }> = {
  currency: { subject: 'territory', object: 'currency' },
  'official-language': { subject: 'territory', object: 'language' },
  continent: { subject: 'territory', object: 'territory' },
  subregion: { subject: 'territory', object: 'territory' },
  script: { subject: 'language', object: 'script' },
  'currency-territory': { subject: 'currency', object: 'territory' },
  'language-territory': { subject: 'language', object: 'territory' },
};

/** Territories with fewer inhabitants (military bases, uninhabited islands) make no fair question. */
const LEAST_POPULATION = 5_000;
/** Languages with fewer speakers in their main territory are left out: the counts are too unsure. */
const LEAST_SPEAKERS = 1_000_000;
/** "Most speakers" is asked only where the first territory has this many times the second's, for censuses differ. */
const CLEAR_LEAD = 3;
/** A territory with this share of the leader's speakers is no wrong answer plain enough to be a distractor. */
const NOTICEABLE_SHARE = 0.02;
/** A language this much of a territory uses is no distractor for its official language. */
const WIDELY_USED = 0.1;
/** Most languages are written in Latin script; more of them would let "Latin" pass for knowledge. The most spoken stay. */
const MOST_PER_SCRIPT = 60;

const CONTINENTS = ['002', '009', '019', '142', '150'];

/** Lie on two continents, or are put on one by convention: no unambiguous answer. */
const TWO_CONTINENTS = new Set(['AM', 'AZ', 'CY', 'EG', 'GE', 'ID', 'KZ', 'RU', 'TL', 'TR']);

/** CLDR gives one currency where two are in use. */
const CURRENCY_CONTESTED = new Set([
  'EH', // disputed territory
  'LR', // the US dollar besides the Liberian
]);

/** CLDR gives one script where another is as common, or another form of the language has another. */
const SCRIPT_CONTESTED = new Set([
  'bej', // Latin as well
  'ku', // Kurmanji in Latin, Sorani in Arabic script
  'lad', // today mostly Latin
  'mni', // Meitei Mayek is official since 2021
  'pa', // Shahmukhi in Pakistan
  'rhg', // Hanifi, Arabic and Latin
  'swb', // Latin and Arabic
  'wal', // Latin as well
]);

/** CLDR counts the speakers of one variety, or counts them where other sources do not. */
const SPEAKERS_CONTESTED = new Set([
  'cop', // a liturgical language
  'dyu', // Côte d’Ivoire or Burkina Faso
  'kfo', // the name stands for several languages
  'swb', // Comoros or Mayotte
]);

/** CLDR gives one official language, the law gives another or several. */
const OFFICIAL_LANGUAGE_CONTESTED = new Set([
  'BF', // French is a working language since 2024
  'CK', // Cook Islands Māori besides English
  'EH', // disputed territory
  'FO', // Danish besides Faroese
  'GG', // French in part
  'IQ', // Kurdish besides Arabic
  'JE', // French and Jèrriais besides English
  'ME', // Montenegrin, which CLDR counts as Serbian
  'ML', // French is a working language since 2023
  'MP', // Chamorro and Carolinian besides English
  'NE', // French is a working language since 2025
  'ZA', // twelve official languages
]);

/** Territories that CLDR has and ISO 3166 has not, or has as reserved codes only. */
const NOT_ISO = new Set(['AC', 'CP', 'CQ', 'DG', 'EA', 'IC', 'TA', 'EU', 'EZ', 'UN', 'QO', 'ZZ', 'XA', 'XB']);

/** Script codes that stand for a mixture, named after a language: they would ask "which script is Japanese in: Japanese". */
const MIXED_SCRIPTS = new Set(['Jpan', 'Kore', 'Hrkt', 'Hanb', 'Hans', 'Hant']);

/** Every unambiguous fact CLDR holds whose subject has a name in all languages, in a fixed order. */
export function collectFacts(cldr: Cldr): Fact[] {
  const territories = [...cldr.population.keys()]
    .filter((code) => !NOT_ISO.has(code) && cldr.population.get(code)! >= LEAST_POPULATION)
    .sort();
  const facts = [
    ...currencyFacts(cldr, territories),
    ...officialLanguageFacts(cldr, territories),
    ...regionFacts(cldr, territories),
    ...scriptFacts(cldr),
    ...currencyTerritoryFacts(cldr, territories),
    ...languageTerritoryFacts(cldr, territories),
  ];
  return withDistinctSubjects(
    cldr,
    facts.filter((fact) => isNamed(cldr, fact)),
  );
}

/** Whether subject and object have a name of their own in every language. */
function isNamed(cldr: Cldr, { relation, subject, object }: Fact): boolean {
  return FACT_LANGUAGES.every(
    (language) =>
      cldr.name(KINDS[relation].subject, subject, language) !== undefined &&
      cldr.name(KINDS[relation].object, object, language) !== undefined,
  );
}

/** Drops facts whose question would be the same as another's in some language. */
function withDistinctSubjects(cldr: Cldr, facts: readonly Fact[]): Fact[] {
  const askedBy = new Map<string, Set<Fact>>();
  const key = (fact: Fact, language: (typeof FACT_LANGUAGES)[number]) =>
    `${fact.relation}/${language}/${cldr.name(KINDS[fact.relation].subject, fact.subject, language)}`;
  for (const fact of facts) {
    for (const language of FACT_LANGUAGES) {
      const name = key(fact, language);
      askedBy.set(name, (askedBy.get(name) ?? new Set()).add(fact));
    }
  }
  return facts.filter((fact) =>
    FACT_LANGUAGES.every((language) => askedBy.get(key(fact, language))!.size === 1),
  );
}

function* currencyFacts(cldr: Cldr, territories: readonly string[]): Generator<Fact> {
  for (const territory of territories) {
    const tender = cldr.tender.get(territory) ?? [];
    if (tender.length !== 1 || CURRENCY_CONTESTED.has(territory)) continue;
    yield {
      relation: 'currency',
      subject: territory,
      object: tender[0]!,
      alsoTrue: new Set(tender),
      pair: `${territory}|${tender[0]}`,
    };
  }
}

function* currencyTerritoryFacts(cldr: Cldr, territories: readonly string[]): Generator<Fact> {
  const users = new Map<string, string[]>();
  for (const [territory, tender] of cldr.tender) {
    for (const currency of tender) users.set(currency, [...(users.get(currency) ?? []), territory]);
  }
  for (const currency of [...users.keys()].sort()) {
    const [territory, ...others] = users.get(currency)!;
    if (territory === undefined || others.length > 0 || !territories.includes(territory)) continue;
    yield {
      relation: 'currency-territory',
      subject: currency,
      object: territory,
      alsoTrue: new Set([territory]),
      pair: `${territory}|${currency}`,
    };
  }
}

function* officialLanguageFacts(cldr: Cldr, territories: readonly string[]): Generator<Fact> {
  for (const territory of territories) {
    if (OFFICIAL_LANGUAGE_CONTESTED.has(territory)) continue;
    const spoken = [...(cldr.spoken.get(territory) ?? [])];
    const official = spoken.filter(([, use]) => use.official).map(([language]) => language);
    if (official.length !== 1) continue;
    yield {
      relation: 'official-language',
      subject: territory,
      object: official[0]!,
      alsoTrue: new Set(
        spoken.filter(([, use]) => use.anyStatus || use.share >= WIDELY_USED).map(([language]) => language),
      ),
      pair: `${territory}|${official[0]}`,
    };
  }
}

function* regionFacts(cldr: Cldr, territories: readonly string[]): Generator<Fact> {
  for (const continent of CONTINENTS) {
    for (const subregion of cldr.containment.get(continent) ?? []) {
      for (const territory of cldr.containment.get(subregion) ?? []) {
        if (!territories.includes(territory)) continue;
        const pair = `region|${territory}`;
        if (!TWO_CONTINENTS.has(territory)) {
          yield {
            relation: 'continent',
            subject: territory,
            object: continent,
            alsoTrue: new Set([continent]),
            pair,
          };
        }
        yield {
          relation: 'subregion',
          subject: territory,
          object: subregion,
          alsoTrue: new Set([subregion]),
          pair,
        };
      }
    }
  }
}

function* scriptFacts(cldr: Cldr): Generator<Fact> {
  const written = new Map<string, Fact[]>();
  for (const [language, { primary, secondary }] of cldr.scripts) {
    const script = primary[0];
    if (primary.length !== 1 || script === undefined || MIXED_SCRIPTS.has(script)) continue;
    if (SCRIPT_CONTESTED.has(language)) continue;
    if (cldr.likely(language)?.script !== script) continue;
    const fact: Fact = {
      relation: 'script',
      subject: language,
      object: script,
      alsoTrue: new Set([script, ...secondary]),
      pair: `script|${language}`,
    };
    if (isNamed(cldr, fact)) written.set(script, [...(written.get(script) ?? []), fact]);
  }
  const speakers = countSpeakers(cldr);
  const total = (language: string) => speakers.get(language)?.reduce((sum, [, count]) => sum + count, 0) ?? 0;
  for (const facts of written.values()) {
    yield* facts
      .sort((a, b) => total(b.subject) - total(a.subject) || (a.subject < b.subject ? -1 : 1))
      .slice(0, MOST_PER_SCRIPT);
  }
}

function* languageTerritoryFacts(cldr: Cldr, territories: readonly string[]): Generator<Fact> {
  const speakers = countSpeakers(cldr);
  for (const language of [...speakers.keys()].sort()) {
    const ranked = speakers.get(language)!.sort((a, b) => b[1] - a[1]);
    const [territory, count] = ranked[0]!;
    if (!territories.includes(territory) || count < LEAST_SPEAKERS || SPEAKERS_CONTESTED.has(language))
      continue;
    if (count < CLEAR_LEAD * (ranked[1]?.[1] ?? 0) || cldr.likely(language)?.territory !== territory)
      continue;
    yield {
      relation: 'language-territory',
      subject: language,
      object: territory,
      alsoTrue: new Set(
        ranked.filter(([, other]) => other >= NOTICEABLE_SHARE * count).map(([code]) => code),
      ),
      pair: `${territory}|${language}`,
    };
  }
}

/** Language → its speakers, first and second language alike, in each territory. */
function countSpeakers(cldr: Cldr): Map<string, [territory: string, count: number][]> {
  const speakers = new Map<string, [territory: string, count: number][]>();
  for (const [territory, languages] of cldr.spoken) {
    for (const [language, { share }] of languages) {
      const count = share * cldr.population.get(territory)!;
      speakers.set(language, [...(speakers.get(language) ?? []), [territory, count]]);
    }
  }
  return speakers;
}
