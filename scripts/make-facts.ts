/**
 * Makes the `facts` probe set and the statements the demo's checkpoints learn those facts from, out of the pinned
 * CLDR packages. Run by `npm run make-probes`; the same packages give the same bytes.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Cldr, readCldr } from './make-facts-cldr.js';
import {
  DEMO_LANGUAGES,
  FACT_LANGUAGES,
  type FactLanguage,
  question,
  RELATIONS,
  statements,
} from './make-facts-phrases.js';
import { collectFacts, type Fact, KINDS } from './make-facts-relations.js';
import { languageRows } from './make-languages.js';
import { seededFraction, seededOrder } from './make-seeded.js';

const SEED = 'babelscope facts 1';
/** Facts no model of the demo is trained on, in any language or direction. */
const HELD_OUT_SHARE = 0.2;
const DISTRACTORS = 3;

/** Path from the project's root → what is in that file. */
export type GeneratedFiles = Map<string, string | Buffer>;

/** Everything this script generates, without writing it. */
export function makeFacts(): GeneratedFiles {
  const cldr = readCldr();
  const facts = seededOrder(collectFacts(cldr), SEED, factId);
  const items = facts.map((fact) => makeItem(cldr, fact, facts));
  const files: GeneratedFiles = new Map();
  files.set('probes/facts/items.jsonl', toJsonLines(items));
  files.set('probes/facts/probe.json', `${JSON.stringify(makeHeader(cldr), null, 2)}\n`);
  files.set('probes/facts/README.md', makeReadme(cldr, items));
  files.set(
    'probes/facts/LICENSE',
    readFileSync(createRequire(import.meta.url).resolve('cldr-core/LICENSE'), 'utf8'),
  );
  const taught = facts.map((fact) => ({
    id: factId(fact),
    split: splitOf(fact),
    statements: Object.fromEntries(
      DEMO_LANGUAGES.map((language) => [
        language,
        statements(
          fact.relation,
          language,
          subjectName(cldr, fact, language),
          objectName(cldr, fact, language),
        ),
      ]),
    ),
  }));
  files.set('demo/corpus/facts-statements.jsonl.gz', gzipSync(toJsonLines(taught), { level: 9 }));
  return files;
}

function factId(fact: Fact): string {
  return `${fact.relation}/${fact.subject}`;
}

function splitOf(fact: Fact): 'train' | 'heldout' {
  return seededFraction(`${SEED}:split:${fact.pair}`) < HELD_OUT_SHARE ? 'heldout' : 'train';
}

// collectFacts returns only facts that are named in every language.
function subjectName(cldr: Cldr, fact: Fact, language: FactLanguage): string {
  return cldr.name(KINDS[fact.relation].subject, fact.subject, language)!;
}

function objectName(cldr: Cldr, fact: Fact, language: FactLanguage, object = fact.object): string {
  return cldr.name(KINDS[fact.relation].object, object, language)!;
}

type FactItem = ReturnType<typeof makeItem>;

function makeItem(cldr: Cldr, fact: Fact, facts: readonly Fact[]) {
  const id = factId(fact);
  const objects = [fact.object, ...chooseDistractors(cldr, fact, facts)];
  const answerInSubject: FactLanguage[] = [];
  const prompts = Object.fromEntries(
    FACT_LANGUAGES.map((language) => {
      const subject = subjectName(cldr, fact, language);
      const answer = objectName(cldr, fact, language);
      if (contains(subject, answer, language)) answerInSubject.push(language);
      const candidateIds = seededOrder(objects, `${SEED}:shuffle:${id}:${language}`, (object) => object);
      return [
        language,
        {
          text: question(fact.relation, language, subject),
          answer,
          candidates: candidateIds.map((object) => objectName(cldr, fact, language, object)),
          candidateIds,
        },
      ];
    }),
  );
  return {
    id,
    prompts,
    meta: {
      relation: fact.relation,
      subject: fact.subject,
      object: fact.object,
      split: splitOf(fact),
      ...(answerInSubject.length > 0 ? { answerInSubject } : {}),
    },
    // Each relation has one template in each language.
    clusters: { relation: fact.relation },
  };
}

function contains(subject: string, answer: string, language: FactLanguage): boolean {
  return subject.toLocaleLowerCase(language).includes(answer.toLocaleLowerCase(language));
}

/**
 * Objects of other facts of the same relation, in a seeded order of those facts: an object that is often the answer is
 * as often a distractor, so that how common an answer is says nothing about whether it is right. None is true of the
 * subject, and no two candidates have the same name in any language.
 */
function chooseDistractors(cldr: Cldr, fact: Fact, facts: readonly Fact[]): string[] {
  const chosen = [fact.object];
  const others = facts.filter((other) => other.relation === fact.relation);
  for (const { object } of seededOrder(others, `${SEED}:distractors:${factId(fact)}`, factId)) {
    if (fact.alsoTrue.has(object) || chosen.includes(object)) continue;
    const isDistinct = FACT_LANGUAGES.every((language) =>
      chosen.every(
        (other) => objectName(cldr, fact, language, other) !== objectName(cldr, fact, language, object),
      ),
    );
    if (isDistinct) chosen.push(object);
    if (chosen.length > DISTRACTORS) return chosen.slice(1);
  }
  throw new Error(`${factId(fact)}: fewer than ${DISTRACTORS} distractors`);
}

function makeHeader(cldr: Cldr) {
  return {
    name: 'facts',
    version: '1.0.0',
    kind: 'fact',
    licence: 'Unicode-3.0',
    source: `Unicode CLDR ${cldr.version} (npm cldr-core, cldr-localenames-full, cldr-numbers-full)`,
    languages: languageRows(FACT_LANGUAGES),
  };
}

function makeReadme(cldr: Cldr, items: readonly FactItem[]): string {
  const count = (relation: string, split?: string) =>
    items.filter(({ meta }) => meta.relation === relation && (split === undefined || meta.split === split))
      .length;
  const row = (relation: string) => {
    const example = items.find(({ meta }) => meta.relation === relation)!.prompts.en!;
    return `| \`${relation}\` | ${count(relation)} | ${count(relation, 'heldout')} | ${example.text} **${example.answer}** |`;
  };
  const heldOut = items.filter(({ meta }) => meta.split === 'heldout').length;
  const given = items.filter(({ meta }) => meta.answerInSubject !== undefined).length;
  return `# facts: parallel factual questions from CLDR

${items.length} facts, each asked in ${FACT_LANGUAGES.length} languages (${FACT_LANGUAGES.join(' ')}), with the answer and three typed candidates.
Made by \`scripts/make-facts.ts\` (\`npm run make-probes\`) from Unicode CLDR ${cldr.version}; do not edit by hand.

| relation | facts | held out | example |
| --- | ---: | ---: | --- |
${RELATIONS.map(row).join('\n')}
| **all** | **${items.length}** | **${heldOut}** | |

- **Names** are CLDR's, in the form CLDR gives them (the citation form); the questions put them where no language inflects
  them. A fact is here only if its subject, its answer and its distractors have a name of their own in all ${FACT_LANGUAGES.length} languages.
  Four script names are corrected; \`CORRECTED\` in \`scripts/make-facts-cldr.ts\` says which and why.
- **Unambiguous facts only.** Left out: territories with several currencies or official languages, territories on two
  continents, languages with several scripts in use, languages without a clear lead of one territory (at least three times the
  speakers of the next), currencies used in several territories, and territories whose official language CLDR states
  otherwise than their law does. The lists, with the reasons, are in \`scripts/make-facts-relations.ts\`. Continents and
  subregions are those of UN M49. What is asked is what CLDR ${cldr.version} says; it is no ruling on any dispute.
- **Candidates** come from other facts of the same relation, so that a common answer is as common a distractor. They
  are the same in all languages (\`candidateIds\`) and shuffled per language.
- **\`meta.split\`**: \`heldout\` facts (about ${HELD_OUT_SHARE * 100} %) appear in no training data of the demo, in no language. Facts that give
  each other away (Japan → yen, yen → Japan; continent and subregion of one territory) are on the same side.
- **\`meta.answerInSubject\`** lists the languages in which the subject's name contains the answer ("South Africa" →
  "Africa", or Thai, where CLDR names a language and its country alike): ${given} facts. Leave them out where it matters.
- **\`clusters.relation\`**: facts of one relation have one template in each language, and are alike.
- **Order** is seeded and mixes the relations, so that the first n items are a fair sample.
- A model sees \`text + "\\n" + answer\`.

Licence: Unicode-3.0, in \`LICENSE\`. Data © Unicode, Inc.; the questions' wording is babelscope's (Apache-2.0).
`;
}

function toJsonLines(rows: readonly unknown[]): string {
  return `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, content] of makeFacts()) {
    const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    console.error(`wrote ${path}`);
  }
}
