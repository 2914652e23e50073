import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Tokenizer } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import type { Fields } from '../../src/tokenizer/rules/added-tokens.js';
import { differences } from '../../src/tokenizer/rules/differences.js';
import type { Outcome } from '../../src/tokenizer/rules/outcome.js';
import type { TokenizerSources } from '../../src/tokenizer/rules/settings.js';
import { transformers4 } from '../../src/tokenizer/rules/transformers4.js';
import { transformers5 } from '../../src/tokenizer/rules/transformers5.js';

const FIXTURES = join(import.meta.dirname, '../fixtures/tokenizer');

interface Answer {
  readonly error?: string;
  readonly class?: string;
  readonly sha256?: string;
  readonly first?: readonly number[];
  readonly spelt?: readonly number[];
}

/** What `test/reference/make_tokenizer_situations.py` recorded. */
interface Situation {
  readonly tokenizer: string;
  readonly edits: Fields;
  readonly config: Fields | null;
  readonly model: Fields | null;
  readonly specialTokensMap: Fields | null;
  readonly addedTokens: Fields | null;
  readonly answers: Readonly<Record<'4.57.3' | '5.24.0', Answer>>;
}

const { texts, situations }: { texts: string[]; situations: Situation[] } = JSON.parse(
  readFileSync(join(FIXTURES, 'situations.json'), 'utf8'),
);
const SPELT = 19;

const files = new Map<string, Fields>();
function stored(name: string): Fields {
  const known = files.get(name);
  if (known !== undefined) return known;
  const path = join(FIXTURES, `${name}.tokenizer.json`);
  const text = name.startsWith('published/') ? gunzipSync(readFileSync(`${path}.gz`)) : readFileSync(path);
  const json = JSON.parse(text.toString('utf8'));
  files.set(name, json);
  return json;
}

function sourcesOf({ tokenizer: name, edits, ...beside }: Situation): TokenizerSources {
  const json = stored(name);
  const model = { ...(json.model as Fields), ...(edits.model as Fields | undefined) };
  return { ...beside, tokenizer: { ...json, ...edits, model }, names: new Set() };
}

async function answerOf(json: Fields): Promise<Omit<Answer, 'class'>> {
  const library = Tokenizer.fromString(JSON.stringify(json));
  library.disablePadding();
  library.disableTruncation();
  const ids = await Promise.all(
    texts.map(async (text) => (await library.encode(text, null, { addSpecialTokens: true })).getIds()),
  );
  const sha256 = createHash('sha256')
    .update(ids.map((one) => one.join(' ')).join('\n'))
    .digest('hex')
    .slice(0, 16);
  return { sha256, first: ids[0]!.slice(0, 6), spelt: ids[SPELT]!.slice(0, 6) };
}

const told = ({ tokenizer, edits, config, model, specialTokensMap, addedTokens }: Situation) =>
  JSON.stringify({ tokenizer, edits, config, model, specialTokensMap, addedTokens }).slice(0, 400);

describe.each([
  ['4.57.3', transformers4, 150],
  ['5.24.0', transformers5, 150],
] as const)('the rules of transformers %s', (version, rules, least) => {
  it('give its ids in every situation, or refuse where it does, or where its class is not known', async () => {
    const wrong: unknown[] = [];
    let equal = 0;
    for (const situation of situations) {
      const answer = situation.answers[version];
      const outcome: Outcome = rules(sourcesOf(situation));
      if ('refused' in outcome) {
        if (answer.error === undefined && outcome.unknown !== true)
          wrong.push([told(situation), outcome, answer]);
        continue;
      }
      const { class: className, ...ids } = answer;
      const found = await answerOf(outcome.json);
      if (JSON.stringify(found) === JSON.stringify(ids) && outcome.className === className) equal++;
      else wrong.push([told(situation), { class: outcome.className, ...found }, answer]);
    }
    expect(wrong).toEqual([]);
    expect(equal).toBeGreaterThan(least);
  }, 120_000);
});

it('names a difference wherever the versions give other ids', () => {
  const silent = situations.filter((situation) => {
    const [a, b] = [transformers4(sourcesOf(situation)), transformers5(sourcesOf(situation))];
    if ('refused' in a || 'refused' in b) return false;
    const { answers } = situation;
    return answers['4.57.3'].sha256 !== answers['5.24.0'].sha256 && differences(a, b).length === 0;
  });
  expect(silent.map(told)).toEqual([]);
});
