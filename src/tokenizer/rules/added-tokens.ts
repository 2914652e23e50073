import { isObject } from '../../read-json.js';

export type Fields = Readonly<Record<string, unknown>>;

/** A token that is looked for in a text before anything else is done with it (AddedToken of the tokenizers library). */
export interface AddedToken {
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

/** A special token as a file names it: its text alone, or with how it is looked for. */
export type NamedToken = string | AddedToken;

/** An added token of the given text, with the library's defaults. */
export function addedToken(content: string, given: Partial<AddedToken> = {}): AddedToken {
  const { special = false } = given;
  return {
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: !special,
    ...given,
    special,
    content,
  };
}

/** The added token that a JSON object describes; null for anything else. */
export function readAddedToken(value: unknown): AddedToken | null {
  if (!isObject(value) || typeof value.content !== 'string') return null;
  const flag = (name: 'single_word' | 'lstrip' | 'rstrip' | 'normalized' | 'special') =>
    typeof value[name] === 'boolean' ? { [name]: value[name] } : {};
  return addedToken(value.content, {
    ...flag('single_word'),
    ...flag('lstrip'),
    ...flag('rstrip'),
    ...flag('normalized'),
    ...flag('special'),
  });
}

/** A special token as text or as an object; null where it is neither. */
export function readNamedToken(value: unknown): NamedToken | null {
  return typeof value === 'string' ? value : readAddedToken(value);
}

export function textOf(token: NamedToken): string {
  return typeof token === 'string' ? token : token.content;
}

export function sameToken(a: NamedToken, b: NamedToken): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return (
    a.content === b.content &&
    a.special === b.special &&
    a.normalized === b.normalized &&
    a.lstrip === b.lstrip &&
    a.rstrip === b.rstrip &&
    a.single_word === b.single_word
  );
}

/** The id of each token of tokenizer.json's model. */
export function modelVocabulary({ model }: Fields): ReadonlyMap<string, number> {
  const vocabulary = isObject(model) ? model.vocab : undefined;
  const ids = new Map<string, number>();
  if (Array.isArray(vocabulary)) {
    for (const [id, entry] of vocabulary.entries()) {
      const token: unknown = Array.isArray(entry) ? entry[0] : entry;
      if (typeof token === 'string') ids.set(token, id);
    }
  } else if (isObject(vocabulary)) {
    for (const [token, id] of Object.entries(vocabulary)) if (typeof id === 'number') ids.set(token, id);
  }
  return ids;
}

/** The ids of a tokenizer that tokens are added to, as the library gives them. */
export class AddedTokens {
  readonly #vocabulary: ReadonlyMap<string, number>;
  readonly #ids = new Map<string, number>();
  readonly #entries: (AddedToken & { readonly id: number })[] = [];
  readonly #byText = new Map<string, AddedToken[]>();

  constructor(vocabulary: ReadonlyMap<string, number>) {
    this.#vocabulary = vocabulary;
  }

  /** Adds a token; one that is there already is replaced where its flags differ. */
  add(token: AddedToken): void {
    const same = this.#byText.get(token.content) ?? [];
    if (token.content === '' || same.some((known) => sameToken(known, token))) return;
    this.#byText.set(token.content, [...same, token]);
    const id = this.id(token.content) ?? this.#nextId();
    this.#ids.set(token.content, id);
    this.#entries.push({ id, ...token });
  }

  id(content: string): number | undefined {
    return this.#ids.get(content) ?? this.#vocabulary.get(content);
  }

  has(content: string): boolean {
    return this.#ids.has(content);
  }

  /** In the order in which the library is to add them. */
  get entries(): readonly (AddedToken & { readonly id: number })[] {
    return this.#entries;
  }

  #nextId(): number {
    const size = this.#vocabulary.size;
    let most = -1;
    for (const id of this.#ids.values()) most = Math.max(most, id);
    return most >= size || (size === 0 && most >= 0) ? most + 1 : size;
  }
}

/** The added tokens of tokenizer.json. */
export function storedTokens({ added_tokens: stored }: Fields): (AddedToken & { readonly id: number })[] {
  return (Array.isArray(stored) ? stored : []).flatMap((entry: unknown) => {
    const token = readAddedToken(entry);
    return token !== null && isObject(entry) && Number.isInteger(entry.id)
      ? [{ id: entry.id as number, ...token }]
      : [];
  });
}
