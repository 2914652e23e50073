import { ImportError, messageOf, UsageError } from '../../errors.js';
import { readWholeFile } from '../../read-file.js';
import { isObject, parseJson } from '../../read-json.js';
import { Members, UNKNOWN_RULE } from '../selection.js';
import { isUnitIndex, LanguageCodes, MOST_LAYERS, placeFiles, TAG, TAG_ALONE } from '../source-files.js';
import type { Said } from './facts.js';
import { type ImportFormat, unusableFile } from './format.js';

/** A head: its number layer × heads + head, or its layer and its place there. */
type Head = number | readonly [layer: number, head: number];

/** `heads_en.txt`, `en.json`. */
const NAMES = [new RegExp(`[._-](${TAG})\\.[A-Za-z]+$`), TAG_ALONE];
/** Pairs as papers print them: `(3, 5)`, `[3, 5]`, `L3H5`, `L3.H5`, `3.5`. */
const PAIRS = /[([]\s*(\d+)\s*,\s*(\d+)\s*[)\]]|\bL(\d+)\W?\s*H(\d+)\b|\b(\d+)\.(\d+)\b/gi;
/** Lists of all heads of the largest models take some 100 kB. */
const MAX_BYTES = 2 ** 24; // 16 MiB
/** A line of a text that names its language: `en: …`. */
const LANGUAGE_LINE = new RegExp(`^\\s*["']?(${TAG})["']?\\s*[:=\\t]\\s*(.*)$`);

/**
 * Lists of attention heads by language, layers and heads from 0: flat numbers layer × heads + head, as language_heads.py
 * of Linuxin-xxx/LAHIS saves them, or pairs (layer, head). JSON holds all languages, or one as a list; text has a language
 * a line, or is of one language.
 */
export const headList: ImportFormat = {
  name: 'head-list',
  title: 'lists of attention heads by language become a selection; flat numbers need --heads',
  files: '{"en": [947, …]}, {"en": [[29, 19], …]} or {"en": {"29": [19, …]}} in JSON; or text',
  languages: 'each',
  options: ['layers', 'heads', 'rule', 'counts'],
  recognise: (sample) =>
    sample.kind === 'json' &&
    isObject(sample.value) &&
    Object.keys(sample.value).length > 0 &&
    Object.entries(sample.value).every(
      ([key, own]) =>
        !/^\d+$/.test(key) &&
        (Array.isArray(own) || (isObject(own) && Object.values(own).every((list) => Array.isArray(list)))),
    ),
  async read({ files }, said) {
    const lists = new Map<string, readonly Head[]>();
    for (const file of files) {
      const unusable = unusableFile(
        'the file is no list of heads',
        file.path,
        'heads by language as layer × heads + head, or as pairs (layer, head), all from 0',
      );
      const own = await readLists(file.path, unusable);
      if (Array.isArray(own)) {
        const { language } = placeFiles([file], NAMES, 'heads_en.txt')[0]!;
        add(lists, language, own, file.path);
        continue;
      }
      if (file.language !== null) throw unusable(`several languages, not ${file.language} alone`);
      for (const [language, heads] of own as ReadonlyMap<string, readonly Head[]>) {
        add(lists, language, heads, file.path);
      }
    }
    const members = new Members();
    let layers = 0;
    for (const [k, heads] of [...lists.values()].entries()) {
      for (const head of heads) {
        const [layer, index] = typeof head === 'number' ? splitFlat(head, said) : head;
        if (layer >= MOST_LAYERS) {
          throw unusableFile(
            'a layer is unusable',
            files[0]!.path,
            `layers below ${MOST_LAYERS}`,
          )(String(layer));
        }
        layers = Math.max(layers, layer + 1);
        members.add(layer, index, k);
      }
    }
    return {
      becomes: 'selection',
      unit: 'head',
      languages: [...lists.keys()],
      layers,
      layersKnown: false,
      width: null,
      rule: said.facts.rule ?? UNKNOWN_RULE,
      members,
      counts: null,
      notes: ['Layers and heads are taken to be counted from 0.'],
    };
  },
};

function add(lists: Map<string, readonly Head[]>, language: string, heads: readonly Head[], path: string) {
  if (lists.has(language)) {
    throw new ImportError({
      what: 'a language has two lists',
      where: path,
      found: language,
      remedy: 'give one list a language, or import each into a folder of its own',
    });
  }
  lists.set(language, heads);
}

/** Layer and place of the head of a flat number. @throws UsageError where nobody said how many heads a layer has. */
function splitFlat(flat: number, { facts, where }: Said): readonly [layer: number, head: number] {
  if (facts.heads !== undefined) return [Math.floor(flat / facts.heads), flat % facts.heads];
  throw new UsageError({
    what: 'heads are flat numbers, layer × heads + head, and how many heads a layer has is not in the file',
    where: where('heads'),
    expected: 'num_attention_heads in config.json of the model',
    found: String(flat),
    remedy: 'say it with --heads <n>, or in the sidecar',
  });
}

/** One list, or lists by language. */
async function readLists(
  path: string,
  unusable: ReturnType<typeof unusableFile>,
): Promise<readonly Head[] | ReadonlyMap<string, readonly Head[]>> {
  let text: string;
  try {
    text = new TextDecoder().decode(await readWholeFile(path, MAX_BYTES));
  } catch (cause) {
    throw unusable(messageOf(cause), cause);
  }
  if (!/\.json$/i.test(path)) return textLists(text, path, unusable);
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw unusable(messageOf(cause), cause);
  }
  if (Array.isArray(value)) return value.map((entry) => jsonHead(entry, unusable));
  if (!isObject(value) || Object.keys(value).length === 0) throw unusable('neither a list nor an object');
  const codes = new LanguageCodes(path);
  return new Map(
    Object.entries(value).map(([code, own]): [string, readonly Head[]] => {
      const tag = codes.tags[codes.index(code, unusable)]!;
      if (Array.isArray(own)) return [tag, own.map((entry) => jsonHead(entry, unusable))];
      if (!isObject(own)) throw unusable(`no list for ${code}`);
      const heads = Object.entries(own).flatMap(([layer, list]) => {
        if (!/^\d+$/.test(layer) || !Array.isArray(list)) throw unusable(`layer "${layer}" of ${code}`);
        return list.map((head: unknown) => jsonHead([Number(layer), head], unusable));
      });
      return [tag, heads];
    }),
  );
}

function jsonHead(entry: unknown, unusable: ReturnType<typeof unusableFile>): Head {
  if (isUnitIndex(entry)) return entry;
  if (Array.isArray(entry) && entry.length === 2 && entry.every(isUnitIndex)) {
    return entry as unknown as readonly [number, number];
  }
  throw unusable(`head ${JSON.stringify(entry)}`);
}

/**
 * Lines of heads, `#` before a remark. With two numbers on every line those are layer and head; pairs in brackets, `L3H5`
 * and `3.5` are pairs wherever they stand; anything else is flat.
 */
function textLists(
  text: string,
  path: string,
  unusable: ReturnType<typeof unusableFile>,
): readonly Head[] | ReadonlyMap<string, readonly Head[]> {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '' && !/^layers?\W+heads?$/i.test(line));
  if (lines.length === 0) throw unusable('no line');
  const named = lines.map((line) => LANGUAGE_LINE.exec(line));
  if (named.every((match) => match === null)) {
    const columns = lines.every((line) => /^\d+[\s,;]+\d+$/.test(line));
    return lines.flatMap((line) =>
      columns ? [line.split(/[\s,;]+/).map(Number) as [number, number]] : textHeads(line, unusable),
    );
  }
  const codes = new LanguageCodes(path);
  const lists = new Map<string, readonly Head[]>();
  for (const [i, match] of named.entries()) {
    if (match === null) throw unusable(`a line without its language: ${lines[i]!.slice(0, 40)}`);
    add(lists, codes.tags[codes.index(match[1]!, unusable)]!, textHeads(match[2]!, unusable), path);
  }
  return lists;
}

function textHeads(line: string, unusable: ReturnType<typeof unusableFile>): Head[] {
  const pairs = [...line.matchAll(PAIRS)].map((match) => match.slice(1).filter((part) => part !== undefined));
  const rest = line
    .replaceAll(PAIRS, ' ')
    .replaceAll(/[\s,;()[\]{}]+/g, ' ')
    .trim();
  if (pairs.length > 0 && rest === '') return pairs.map(([layer, head]) => [Number(layer), Number(head)]);
  const flat = rest === '' ? [] : rest.split(' ').map(Number);
  if (pairs.length === 0 && flat.length > 0 && flat.every(isUnitIndex)) return flat;
  throw unusable(line.slice(0, 80));
}
