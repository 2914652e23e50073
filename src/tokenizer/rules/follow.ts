import { TokenizerError } from '../../errors.js';
import { isObject } from '../../read-json.js';
import type { Fields } from './added-tokens.js';
import { differences } from './differences.js';
import type { Outcome, RewrittenTokenizer } from './outcome.js';
import type { TokenizerSources } from './settings.js';
import { transformers4 } from './transformers4.js';
import { transformers5 } from './transformers5.js';

/** The versions of transformers whose rules are written down here. */
export const VERSIONS = { 4: '4.57', 5: '5.24' } as const;

export type Version = (typeof VERSIONS)[4 | 5];

/** Whose rules a tokenizer follows. */
export interface TokenizerRules {
  /** Version of transformers; null where tokenizer.json is taken as it stands. */
  readonly transformers: Version | null;
  /** The class that it sets the tokenizer up with. */
  readonly class: string | null;
  /** The parts that the other version sets up otherwise; null where that is not known. */
  readonly differences: readonly string[] | null;
  /** The version was chosen, and did not follow from the files. */
  readonly chosen?: true;
}

export interface FollowedTokenizer extends Pick<RewrittenTokenizer, 'json' | 'bos'> {
  readonly rules: TokenizerRules;
  readonly warnings: readonly string[];
}

/**
 * Rewrites a tokenizer.json by the rules of the version of transformers that saved it: 5.24 where tokenizer_config.json
 * bears a mark of version 5, else 4.57; by those of the other version where that one cannot open it.
 *
 * @param chosen the version to follow, whichever saved it
 * @throws TokenizerError if a field asks for what is not obeyed here, or neither version opens the files
 */
export function followTransformers(
  sources: TokenizerSources,
  path: string,
  chosen?: Version,
): FollowedTokenizer {
  refuseFields(sources.config ?? {}, path);
  if (chosen === undefined && !namesClass(sources)) return asItStands(sources);
  const outcomes = { 4: transformers4(sources), 5: transformers5(sources) };
  const savedBy = (chosen === undefined ? isSavedBy5(sources.config) : chosen === VERSIONS[5]) ? 5 : 4;
  const other = savedBy === 4 ? 5 : 4;
  const [first, second] = [outcomes[savedBy], outcomes[other]];
  if (!('refused' in first)) {
    const found = 'refused' in second ? null : differences(first, second);
    return {
      json: first.json,
      bos: first.bos,
      rules: {
        transformers: VERSIONS[savedBy],
        class: first.className,
        differences: found,
        ...(chosen !== undefined && { chosen: true }),
      },
      warnings: warningsOf(savedBy, other, second, found),
    };
  }
  if (chosen === undefined && first.unknown !== true && !('refused' in second)) {
    return {
      json: second.json,
      bos: second.bos,
      rules: { transformers: VERSIONS[other], class: second.className, differences: null },
      warnings: [
        `transformers ${VERSIONS[savedBy]} cannot open the tokenizer: ${first.refused}. The rules of ${VERSIONS[other]} are followed`,
      ],
    };
  }
  throw new TokenizerError({
    what: 'it is not known how transformers sets this tokenizer up',
    where: path,
    expected: 'a tokenizer_class whose rules docs/checkpoints.md lists',
    found: `${VERSIONS[savedBy]}: ${first.refused}${'refused' in second ? `; ${VERSIONS[other]}: ${second.refused}` : ''}`,
    remedy:
      'save it once with AutoTokenizer.from_pretrained(folder)._tokenizer.save(new + "/tokenizer.json"), write ' +
      '{"tokenizer_class": "PreTrainedTokenizerFast"} beside it as tokenizer_config.json, and give it with --tokenizer',
  });
}

function warningsOf(
  savedBy: 4 | 5,
  other: 4 | 5,
  second: Outcome,
  found: readonly string[] | null,
): string[] {
  if (found !== null && found.length > 0) {
    return [
      `transformers ${VERSIONS[4]} and ${VERSIONS[5]} set this tokenizer up differently (${found.join(', ')}): ` +
        `the rules of ${VERSIONS[savedBy]} are followed`,
    ];
  }
  if ('refused' in second && second.unknown !== true)
    return [
      `transformers ${VERSIONS[other]} cannot open the tokenizer: ${second.refused}. The rules of ${VERSIONS[savedBy]} are followed`,
    ];
  return [];
}

/** Version 5 writes its kind of backend into tokenizer_config.json, and has a class of a new name. */
function isSavedBy5(config: Fields | null): boolean {
  return config !== null && ('backend' in config || config.tokenizer_class === 'TokenizersBackend');
}

function namesClass({ config, model }: TokenizerSources): boolean {
  return [config?.tokenizer_class, model?.tokenizer_class, model?.model_type].some(
    (name) => typeof name === 'string',
  );
}

function asItStands({ tokenizer, config }: TokenizerSources): FollowedTokenizer {
  const named = config?.bos_token;
  const bos = isObject(named) ? named.content : named;
  return {
    json: tokenizer,
    bos: typeof bos === 'string' ? bos : null,
    rules: { transformers: null, class: null, differences: null },
    warnings: [
      'no file names a tokenizer class or a model type: tokenizer.json is taken as it stands, which transformers does not open',
    ],
  };
}

/** Fields of tokenizer_config.json that change ids and are not obeyed, by the values that change none. */
const REFUSED_FIELDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  split_special_tokens: (value) => value === true,
  from_slow: (value) => value === true,
  fix_mistral_regex: (value) => value === true,
  use_fast: (value) => value === false,
};

function refuseFields(config: Fields, path: string): void {
  for (const [field, changes] of Object.entries(REFUSED_FIELDS)) {
    if (!changes(config[field])) continue;
    throw new TokenizerError({
      what: `tokenizer_config.json has ${field}, which changes ids and is not obeyed here`,
      where: path,
      expected: `a tokenizer without ${field}`,
      found: `${field}: ${JSON.stringify(config[field])}`,
      remedy: 'remove the field if the model was trained without it; there is no other way yet',
    });
  }
}
