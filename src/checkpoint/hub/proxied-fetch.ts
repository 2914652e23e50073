import { getProxyForUrl } from 'proxy-from-env';
import { Agent, type Dispatcher, Pool, ProxyAgent, fetch as undiciFetch } from 'undici';

/**
 * `fetch` by way of the proxies that the environment names, as curl understands it: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
 * `NO_PROXY`, small letters first. Node's own does not look at them before version 24. Each host that a redirect leads to
 * is looked up anew.
 */
export function proxiedFetch(): typeof fetch {
  const dispatcher = new Agent({ factory: dispatcherOf });
  const fetchBy = (input: string, init?: object) => undiciFetch(input, { ...init, dispatcher });
  return fetchBy as unknown as typeof fetch;
}

function dispatcherOf(origin: string | URL, options: object): Dispatcher {
  const proxy = getProxyForUrl(String(origin));
  if (proxy === '') return new Pool(origin, options);
  const { protocol } = new URL(proxy);
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new Error(`a proxy that speaks ${protocol} cannot be used`);
  return new ProxyAgent(proxy);
}

/** Host and port of the proxy by which an address is reached, without user and password; null: directly. */
export function proxyHost(url: URL): string | null {
  const proxy = getProxyForUrl(url.href);
  if (proxy === '') return null;
  return URL.canParse(proxy) ? new URL(proxy).host : 'of an address that is none';
}
