import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../errors.js';
import { keepSecret } from '../../secrets.js';

/** A model on the Hugging Face hub, as a checkpoint argument names it. */
export interface HubReference {
  /** `org/name`, or `name` for the few repositories without an organisation. */
  readonly name: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

const SCHEME = 'hf://';
const NAME = /^[A-Za-z0-9_][\w.-]*(\/[A-Za-z0-9_][\w.-]*)?$/;
const REVISION = /^[\w+-][\w.+-]*(\/[\w+-][\w.+-]*)*$/;

/** The first name among several: shells leave `@{step1000,step2000}` in quotes as it is. */
const REVISION_ALONE = /[\w+-][\w.+/-]*/;

/**
 * `hf://org/name@revision` → its parts; without `@revision` the revision is `main`. Null for anything that is not
 * an `hf://` address, hence a path.
 *
 * @throws UsageError if the address names no model
 */
export function parseHubReference(source: string): HubReference | null {
  if (!source.startsWith(SCHEME)) return null;
  const [name, revision = 'main'] = source.slice(SCHEME.length).replaceAll('%2F', '/').split(/@(.*)/) as [
    string,
    string?,
  ];
  if (NAME.test(name) && !name.includes('--') && REVISION.test(revision)) return { name, revision };
  throw new UsageError({
    what: 'this is no address of a model on the hub',
    where: source,
    expected: 'hf://org/name or hf://org/name@revision, the revision a branch, a tag or a commit',
    remedy: remedyFor(name, revision),
  });
}

function remedyFor(name: string, revision: string): string {
  if (/^(datasets|spaces)\//.test(name)) return 'give a model: data sets and spaces hold no checkpoint';
  if (NAME.test(name) && /[{},*]/.test(revision))
    return `give one revision, and run the command once for each: hf://${name}@${revision.match(REVISION_ALONE)?.[0] ?? 'main'}`;
  return 'take organisation and name from the address of the model on huggingface.co';
}

/** The address of a reference, as `parseHubReference` reads it. */
export function hubAddress({ name, revision }: HubReference): string {
  return `${SCHEME}${name}@${revision}`;
}

/** How to reach the hub and where to keep what comes from it. */
export interface HubSettings {
  /** Folder of `models--org--name` folders. */
  readonly cache: string;
  /** Base address, without a slash at the end. */
  readonly endpoint: string;
  readonly token: string | null;
  /** Nothing may be fetched. */
  readonly offline: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Settings from the environment, by the variables of Python's huggingface_hub 0.36: `HF_HUB_CACHE`, `HF_HOME`,
 * `HF_ENDPOINT`, `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HUB_OFFLINE`, `HF_HUB_DISABLE_IMPLICIT_TOKEN`; the token is otherwise
 * in the file that `hf auth login` writes.
 *
 * @throws UsageError for an endpoint that is no web address or holds a password, and for a token that cannot be one
 */
export async function hubSettings(environment: Environment = process.env): Promise<HubSettings> {
  const { XDG_CACHE_HOME, HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_ENDPOINT } = environment;
  const home = expandHome(
    environment.HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface'),
  );
  return {
    cache: expandHome(HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(home, 'hub')),
    endpoint: checkedEndpoint(HF_ENDPOINT || 'https://huggingface.co'),
    token: await findToken(environment, home),
    offline: isTrue(environment.HF_HUB_OFFLINE || environment.TRANSFORMERS_OFFLINE),
  };
}

async function findToken(environment: Environment, home: string): Promise<string | null> {
  if (isTrue(environment.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return null;
  for (const name of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN']) {
    const given = environment[name]?.trim();
    if (given) return checkedToken(given, name);
  }
  const path = expandHome(environment.HF_TOKEN_PATH || join(home, 'token'));
  const stored = (await readTokenFile(path)).trim();
  return stored === '' ? null : checkedToken(stored, path);
}

/** Real tokens have some 40 characters. */
const MOST_TOKEN_CHARACTERS = 4096;

/** What a file that may hold a token holds; empty where there is none. A device or a pipe would never end. */
async function readTokenFile(path: string): Promise<string> {
  const entry = await stat(path).catch(() => null);
  if (!entry?.isFile()) return '';
  if (entry.size > MOST_TOKEN_CHARACTERS) throw noToken(path);
  return readFile(path, 'utf8').catch(() => '');
}

/** A token goes into a header, which holds neither line breaks nor other control characters. */
function checkedToken(token: string, where: string): string {
  keepSecret(token);
  // Each of its lines may be a token by itself.
  for (const word of token.split(/[^\x21-\x7e]+/)) keepSecret(word);
  if (token.length > MOST_TOKEN_CHARACTERS || !/^[\x21-\x7e]+$/.test(token)) throw noToken(where);
  return token;
}

function noToken(where: string): UsageError {
  return new UsageError({
    what: 'the token holds characters that no token has, or is too long',
    where,
    expected: 'one line of letters, digits and signs, such as hf_…',
    remedy: 'copy the token from the settings of your account again, or log in with: hf auth login',
  });
}

/** An address without a slash at the end. Its password, if there is one, is a secret from here on. */
function checkedEndpoint(given: string): string {
  const fail = (what: string, remedy: string) =>
    new UsageError({
      what,
      where: 'HF_ENDPOINT',
      expected: 'such as https://huggingface.co',
      found: given,
      remedy,
    });
  const parts = URL.canParse(given) ? new URL(given) : null;
  // Also where the address cannot be read.
  const [, login = ''] = /^(?:\w+:\/\/)?(.*)@/s.exec(given) ?? [];
  for (const part of [login, login.slice(login.indexOf(':') + 1), parts?.password ?? '']) keepSecret(part);
  if (parts === null || !/^https?:$/.test(parts.protocol) || parts.search !== '' || parts.hash !== '')
    throw fail('this is no address of a hub', 'write https:// before the host, and nothing after the path');
  if (parts.username !== '' || parts.password !== '')
    throw fail(
      'the address of the hub holds a user or a password',
      'leave them out, and give a token with HF_TOKEN',
    );
  return given.replace(/\/+$/, '');
}

function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

function isTrue(value: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((value ?? '').toUpperCase());
}
