import { ProbeError, UsageError } from '../errors.js';
import { languageOfCode } from './languages/language-code.js';
import type { ReadProbes } from './own/read-probes.js';
import type {
  LanguageTag,
  LoadProbesOptions,
  ProbeItem,
  ProbeLanguage,
  ProbeSet,
  ProbeWarning,
} from './types.js';

/** How many items a warning names. */
const NAMED_ITEMS = 5;

/** The chosen languages and items of a set, with what is worth telling about exactly those. */
export function selectPrompts(read: ReadProbes, { languages, limit }: LoadProbesOptions = {}): ProbeSet {
  const chosen = languages === undefined ? read.languages : chooseLanguages(read, languages);
  const tags = chosen.map(({ tag }) => tag);
  const isParallel = read.identity.parallel !== false;
  const present = read.items
    .map((item) => withLanguages(item, tags))
    .filter(({ prompts }) => prompts.size > 0);
  const items = isParallel
    ? limitItems(present, tags, limit)
    : tags.flatMap((tag) =>
        limitItems(
          present.filter(({ prompts }) => prompts.has(tag)),
          [tag],
          limit,
        ),
      );
  const kept = new Set(items.map(({ id }) => id));
  const without = (tag: LanguageTag) => idsOf(items, ({ prompts }) => !prompts.has(tag));
  const wrongScript = chosen.map(({ tag, script }) => {
    const ids = read.wrongScript.get(tag)?.filter((id) => kept.has(id)) ?? [];
    return warn('wrong-script', tag, ids, `in ${tag} not written in ${script}`);
  });
  const missing = tags.map((tag) =>
    warn('missing-language', tag, without(tag), `of ${items.length} without ${tag}`),
  );
  const alone = idsOf(items, ({ prompts }) => prompts.size === 1);
  const single = warn('single-language', null, alone, 'in one language only, which compare nothing');
  // One language asked for is a choice; one language in the file is worth a warning.
  const isOneByChoice = languages !== undefined && chosen.length === 1;
  return {
    identity: read.identity,
    languages: chosen,
    items,
    ...(read.sources.length > 0 && {
      sources: read.sources.filter(({ language }) => tags.includes(language)),
    }),
    warnings: [
      ...wrongScript,
      ...(isParallel ? missing : []),
      ...(isOneByChoice || !isParallel ? [] : [single]),
    ].filter(({ count }) => count > 0),
  };
}

function idsOf(items: readonly ProbeItem[], is: (item: ProbeItem) => boolean): string[] {
  return items.filter(is).map(({ id }) => id);
}

function chooseLanguages(read: ReadProbes, requested: readonly string[]): ProbeLanguage[] {
  const available = read.languages.map(({ tag }) => tag);
  const wanted = new Set(requested.map((tag) => languageOfCode(tag, 'languages')));
  for (const tag of wanted) {
    if (available.includes(tag)) continue;
    const { language } = new Intl.Locale(tag);
    const near = available.filter((other) => new Intl.Locale(other).language === language);
    throw new ProbeError({
      what: `no prompt in ${tag}`,
      where: `probe set ${read.identity.name}`,
      expected: `languages among ${available.join(' ')}`,
      found: tag,
      remedy: near.length > 0 ? `did you mean ${near.join(' or ')}?` : `leave ${tag} out, or use another set`,
    });
  }
  if (wanted.size === 0)
    throw new UsageError({
      what: 'no language asked for',
      where: 'languages',
      remedy: 'name at least one, or leave languages out',
    });
  return read.languages.filter(({ tag }) => wanted.has(tag));
}

function withLanguages(item: ProbeItem, tags: readonly LanguageTag[]): ProbeItem {
  const prompts = new Map(
    tags.flatMap((tag) => {
      const prompt = item.prompts.get(tag);
      return prompt === undefined ? [] : [[tag, prompt] as const];
    }),
  );
  return { ...item, prompts };
}

/**
 * The first `limit` items that have every language, in file order, so that languages are compared on the same items;
 * where there are fewer, the first of the others fill up. The built-in sets are in a seeded order, which makes any
 * first n a fair sample of them.
 */
function limitItems(
  items: readonly ProbeItem[],
  tags: readonly LanguageTag[],
  limit: number | undefined,
): readonly ProbeItem[] {
  if (limit === undefined) return items;
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new UsageError({
      what: 'not a number of items',
      where: 'limit',
      expected: 'a whole number from 1',
      found: `${limit}`,
      remedy: 'leave limit out to take every item',
    });
  }
  const isComplete = ({ prompts }: ProbeItem) => prompts.size === tags.length;
  const complete = items.filter(isComplete);
  const others = items.filter((item) => !isComplete(item));
  const kept = new Set([
    ...complete.slice(0, limit),
    ...others.slice(0, Math.max(0, limit - complete.length)),
  ]);
  return items.filter((item) => kept.has(item));
}

function warn(
  kind: ProbeWarning['kind'],
  language: LanguageTag | null,
  ids: readonly string[],
  what: string,
): ProbeWarning {
  const items = ids.slice(0, NAMED_ITEMS);
  const counted = ids.length === 1 ? '1 item' : `${ids.length} items`;
  const message = `${counted} ${what}: ${items.join(', ')}${ids.length > items.length ? ', …' : ''}`;
  return { kind, language, count: ids.length, items, message };
}
