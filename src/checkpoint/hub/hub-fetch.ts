import { setTimeout as sleep } from 'node:timers/promises';
import { getProxyForUrl } from 'proxy-from-env';
import { Agent, type Dispatcher, Pool, ProxyAgent, fetch as undiciFetch } from 'undici';
import { HubError, InterruptedError } from '../../errors.js';
import { keepSecret } from '../../secrets.js';
import { VERSION } from '../../version.js';
import type { HubSettings } from './reference.js';
import { type HubReference, hubAddress } from './reference.js';

/** Tries of one request, the wait doubling in between: a hiccup is survived, a missing network soon told. */
const TRIES = 3;
const FIRST_WAIT_MS = 250;
/** A server that asks for a longer wait is not waited for. */
const LONGEST_WAIT_MS = 60_000;
/** Until an answer begins, and between two pieces of it. */
const SILENCE_MS = 60_000;
const TIMEOUTS = { headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS } as const;

/**
 * `fetch` for one model on the hub: sends the token to the hub and to nobody else, tries again after a failure of the
 * network or of the server, waits as long as the server asks, and throws what went wrong in the user's terms.
 *
 * @throws HubError for a refusal, a model, revision or file that does not exist, or no connection; InterruptedError on abort
 */
export function hubFetch(
  reference: HubReference,
  { endpoint, token }: HubSettings,
  signal: AbortSignal | undefined,
): typeof fetch {
  const send = proxiedFetch();
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init?.headers);
    headers.set('user-agent', `babelscope/${VERSION}`);
    // Ranges count bytes as they are stored.
    headers.set('accept-encoding', 'identity');
    // fetch drops it where a redirect leads to another host.
    if (token !== null && url.origin === new URL(endpoint).origin)
      headers.set('authorization', `Bearer ${token}`);
    for (let attempt = 1; ; attempt++) {
      let wait = waitBefore(attempt);
      if (signal?.aborted) throw new InterruptedError({ what: 'interrupted' }, { cause: signal.reason });
      const last = attempt === TRIES;
      try {
        const response = await send(url.href, { ...init, headers, signal: signal ?? null });
        if (response.ok) return response;
        const temporary = response.status === 429 || response.status >= 500;
        const asked = retryAfter(response);
        if (last || !temporary || asked > LONGEST_WAIT_MS)
          throw await refusal(response, reference, { endpoint, token }, asked);
        wait = Math.max(wait, asked);
        await response.body?.cancel();
      } catch (cause) {
        if (cause instanceof HubError) throw cause;
        if (signal?.aborted) throw new InterruptedError({ what: 'interrupted' }, { cause });
        if (last) throw unreachable(url, reference, cause);
      }
      await pause(wait, signal);
    }
  };
}

/** Milliseconds after the first, the second … failure. */
export function waitBefore(attempt: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
}

/** @throws InterruptedError on abort */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, { ...(signal !== undefined && { signal }) }).catch(
    (cause: unknown) => {
      throw new InterruptedError({ what: 'interrupted' }, { cause });
    },
  );
}

/** Milliseconds that the server asks to wait, in seconds or as a date; 0 where it does not. */
function retryAfter(response: Response): number {
  const asked = response.headers.get('retry-after');
  if (asked === null) return 0;
  const wait = /^\d+$/.test(asked.trim()) ? Number(asked) * 1000 : Date.parse(asked) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : 0;
}

/** An answer that is longer, or takes longer, than an answer of the hub. */
export class AnswerError extends Error {}

/**
 * The body of an answer as text, at most so many bytes of it once it is unpacked.
 *
 * @throws AnswerError if there is more, or if it takes too long; what the connection throws
 */
export async function readText(response: Response, mostBytes: number): Promise<string> {
  const end = performance.now() + SILENCE_MS;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop cancels the rest.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > mostBytes) throw new AnswerError(`the answer has more than ${mostBytes} bytes`);
    if (performance.now() > end) throw new AnswerError(`the answer takes more than ${SILENCE_MS / 1000} s`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** That the hub cannot be reached, or broke off. */
export function unreachable(url: URL, { name, revision }: HubReference, cause: unknown): HubError {
  const proxy = proxyHost(url);
  return new HubError(
    {
      what: 'the hub cannot be reached, or the connection broke off',
      where: url.origin,
      found: `${rootMessage(cause)}${proxy === null ? '' : `, by way of the proxy ${proxy}`}`,
      remedy:
        'run the same command again, it goes on where it stopped; ' +
        (proxy === null ? 'behind a proxy, set HTTPS_PROXY' : 'check HTTPS_PROXY and NO_PROXY') +
        `; on a machine without a network, fill the same cache with: hf download ${name} --revision ${revision}`,
    },
    { cause },
  );
}

/** undici says `fetch failed` and hides the reason in the cause. */
function rootMessage(cause: unknown): string {
  let error = cause;
  while (error instanceof Error && error.cause instanceof Error) error = error.cause;
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return error.message || code || error.name;
}

/** Says what an answer other than success means; the hub names its reason in `X-Error-Code`. */
async function refusal(
  response: Response,
  reference: HubReference,
  { endpoint, token }: Pick<HubSettings, 'endpoint' | 'token'>,
  wait: number,
): Promise<HubError> {
  const { status } = response;
  const said = (response.headers.get('x-error-message') ?? (await messageOf(response))).slice(
    0,
    SHOWN_CHARACTERS,
  );
  const origin = new URL(response.url).origin;
  const error = (what: string, remedy: string) =>
    new HubError({
      what,
      where: hubAddress(reference),
      found: `status ${status} from ${origin}${said === '' ? '' : `: ${said}`}`,
      remedy,
    });
  const page = `${endpoint}/${reference.name}`;
  const login = 'set HF_TOKEN, or log in with: hf auth login';
  // Storage behind the hub has rules of its own, such as addresses that expire.
  if (origin !== new URL(endpoint).origin) {
    return error('the storage behind the hub refuses the file', 'run the same command again');
  }
  switch (response.headers.get('x-error-code') ?? status) {
    case 'RevisionNotFound':
      return error(
        `the model has no revision ${reference.revision}`,
        `look at its branches and tags at ${page}/tree/main`,
      );
    case 'GatedRepo':
    case 403:
      return token === null
        ? error('the model is gated and no token was given', `accept its terms at ${page}, then ${login}`)
        : error(
            'the token gives no access to the model',
            `accept its terms at ${page} with the account of the token, and let the token read it`,
          );
    case 'RepoNotFound':
    case 404:
      return error(
        'there is no such model on the hub, or it is private',
        `check organisation and name; for a private model ${token === null ? login : 'check that the token may read it'}`,
      );
    case 401:
      return error(
        token === null ? 'the hub wants a token' : 'the hub does not accept the token',
        token === null ? login : `it may have expired: ${login}`,
      );
    case 429: {
      const minutes = wait === 0 ? 'some' : String(Math.ceil(wait / 60_000));
      return error(
        'the hub asks for fewer requests',
        `wait ${minutes} minutes and run the same command again`,
      );
    }
    default:
      return error('the hub refuses the request', 'run the same command again later');
  }
}

/** Characters of an answer that a message shows. */
const SHOWN_CHARACTERS = 200;
const MOST_ERROR_BYTES = 64 * 1024;

async function messageOf(response: Response): Promise<string> {
  const text = await readText(response, MOST_ERROR_BYTES).catch(() => '');
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? error : '';
  } catch {
    return '';
  }
}

/**
 * `fetch` by way of the proxies that the environment names, as curl understands it: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
 * `NO_PROXY`, small letters first. Node's own does not look at them before version 24. Each host that a redirect leads to
 * is looked up anew.
 */
function proxiedFetch(): typeof fetch {
  const dispatcher = new Agent({
    factory: dispatcherOf,
    ...TIMEOUTS,
  });
  const fetchBy = (input: string, init?: object) => undiciFetch(input, { ...init, dispatcher });
  return fetchBy as unknown as typeof fetch;
}

function dispatcherOf(origin: string | URL, options: object): Dispatcher {
  const proxy = getProxyForUrl(String(origin));
  if (proxy === '') return new Pool(origin, options);
  const { protocol, password } = new URL(proxy);
  keepSecret(password);
  if (!/%(?![0-9a-f]{2})/i.test(password)) keepSecret(decodeURIComponent(password));
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new Error(`a proxy that speaks ${protocol} cannot be used`);
  return new ProxyAgent({ uri: proxy, ...TIMEOUTS });
}

/** Host and port of the proxy by which an address is reached, without user and password; null: directly. */
function proxyHost(url: URL): string | null {
  const proxy = getProxyForUrl(url.href);
  if (proxy === '') return null;
  return URL.canParse(proxy) ? new URL(proxy).host : 'of an address that is none';
}
