import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import type { DownloadProgress } from '../../../src/checkpoint/hub/snapshot.js';
import { identifyCheckpoint } from '../../../src/checkpoint/identify-checkpoint.js';
import { openCheckpoint } from '../../../src/checkpoint/open-checkpoint.js';
import { HubError, InterruptedError } from '../../../src/errors.js';
import { inspectCheckpoint } from '../../../src/models/inspect.js';
import { emptyCache } from '../../support/hub-environment.js';
import {
  cutAfter,
  filesOf,
  gitSha1,
  type HubModel,
  type HubServer,
  refuseWith,
  sendInstead,
  sha256,
  startHub,
} from '../../support/hub-server.js';
import { startProxy } from '../../support/proxy-server.js';
import { tinyCheckpoint } from '../../support/tiny-checkpoint.js';

const FIRST = '1'.repeat(40);
const SECOND = '2'.repeat(40);
const WEIGHTS = 'model.safetensors';

const fixture = (name: string) =>
  filesOf(fileURLToPath(new URL(`../../fixtures/models/${name}`, import.meta.url)));

/** What a repository may hold beside what is needed. */
const OTHERS = {
  'README.md': Buffer.from('# tiny\n'),
  'pytorch_model.bin': Buffer.alloc(9000, 1),
  'consolidated.safetensors': Buffer.alloc(9000, 2),
  'model.Q4_K_M.gguf': Buffer.alloc(9000, 3),
  'onnx/model.onnx': Buffer.alloc(9000, 4),
};

function tinyFiles(): Record<string, Buffer> {
  const { 'expected.safetensors': _, 'gradients.safetensors': __, ...files } = filesOf(tinyCheckpoint());
  return files;
}

function tinyModel(more: Partial<HubModel> = {}): HubModel & { readonly files: Record<string, Buffer> } {
  const files = tinyFiles();
  return {
    name: 'org/tiny',
    refs: { main: FIRST, step1000: SECOND, 'refs/pr/1': SECOND },
    commits: { [FIRST]: { ...files, ...OTHERS }, [SECOND]: files },
    files,
    ...more,
  };
}

const home = emptyCache();
const cacheOf = (model = 'models--org--tiny') => join(home(), 'hub', model);

/** Starts a hub and makes it the one that is asked, with an empty cache and no token. */
async function hubOf(...models: HubModel[]): Promise<HubServer> {
  const hub = await startHub(models);
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
  return hub;
}

async function refusal(source: string): Promise<string> {
  const error: unknown = await openCheckpoint(source).then(
    () => 'accepted',
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(HubError);
  expect((error as HubError).exitCode).toBe(2);
  expect((error as HubError).details.remedy).toBeTruthy();
  return (error as HubError).message;
}

/** Everything below a folder: a link as what it points to, a file as its SHA-256. */
function tree(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    paths
      .filter((entry) => !entry.isDirectory())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        const content = entry.isSymbolicLink() ? `→ ${readlinkSync(path)}` : sha256(readFileSync(path));
        return [path.slice(folder.length + 1), content];
      }),
  );
}

describe('a model on the hub', () => {
  it('is downloaded into the standard layout of the cache, the needed files and no others', async () => {
    const model = tinyModel();
    const hub = await hubOf(model);
    const checkpoint = await openCheckpoint('hf://org/tiny');
    const weights = model.files[WEIGHTS]!;
    const small = ['config.json', 'tokenizer.json', 'tokenizer_config.json'].map((name) => {
      const bytes = model.files[name]!;
      return [name, bytes.byteLength < 4096 ? gitSha1(bytes) : sha256(bytes), bytes] as const;
    });
    expect(tree(cacheOf())).toEqual({
      [`blobs/${sha256(weights)}`]: sha256(weights),
      [`snapshots/${FIRST}/${WEIGHTS}`]: `→ ../../blobs/${sha256(weights)}`,
      ...Object.fromEntries(
        small.flatMap(([name, oid, bytes]) => [
          [`blobs/${oid}`, sha256(bytes)],
          [`snapshots/${FIRST}/${name}`, `→ ../../blobs/${oid}`],
        ]),
      ),
      'refs/main': sha256(Buffer.from(FIRST)),
    });
    expect(checkpoint.folder).toBe(join(cacheOf(), 'snapshots', FIRST));
    expect(checkpoint.ref).toBe('main');
    expect(checkpoint.tensors.size).toBeGreaterThan(0);
    expect(hub.storageRequests.length).toBe(1 + small.filter(([, oid]) => oid.length === 64).length);
  });

  it('names the blobs of small files as git does', () => {
    // printf 'hello\n' | git hash-object --stdin
    expect(gitSha1(Buffer.from('hello\n'))).toBe('ce013625030ba8dba906f756967f9e9ca394464a');
  });

  it('is not asked for again once it is in the cache', async () => {
    const hub = await hubOf(tinyModel());
    const first = await openCheckpoint('hf://org/tiny@step1000');
    await hub.close();
    for (const source of ['hf://org/tiny@step1000', `hf://org/tiny@${SECOND}`]) {
      expect((await openCheckpoint(source)).folder).toBe(first.folder);
    }
  });

  it('has revisions of which each is a snapshot, sharing the files that are the same', async () => {
    const model = tinyModel();
    const other = Buffer.from(model.files[WEIGHTS]!);
    other[other.byteLength - 1]! ^= 1;
    const hub = await hubOf({
      ...model,
      commits: { ...model.commits, [SECOND]: { ...model.files, [WEIGHTS]: other } },
    });
    await openCheckpoint('hf://org/tiny');
    const before = hub.requests.length;
    const checkpoint = await openCheckpoint('hf://org/tiny@refs/pr/1');
    expect(checkpoint.folder).toBe(join(cacheOf(), 'snapshots', SECOND));
    expect(readFileSync(join(cacheOf(), 'refs', 'refs', 'pr', '1'), 'utf8')).toBe(SECOND);
    const resolved = hub.requests.slice(before).filter(({ path }) => path.includes('/resolve/'));
    expect(resolved.map(({ path }) => path)).toEqual([`/org/tiny/resolve/${SECOND}/${WEIGHTS}`]);
  });

  it('of several weight files is downloaded by its index', async () => {
    const {
      'expected.safetensors': _,
      'gradients.safetensors': __,
      ...files
    } = fixture('llama-llama3-sharded-bf16');
    await hubOf({
      name: 'sharded',
      refs: { main: FIRST },
      commits: { [FIRST]: { ...files, 'model-00009-of-00009.safetensors': Buffer.alloc(9000) } },
    });
    const checkpoint = await openCheckpoint('hf://sharded');
    expect(readdirSync(checkpoint.folder).sort()).toEqual(Object.keys(files).sort());
    expect(new Set([...checkpoint.tensors.values()].map(({ location }) => location)).size).toBe(5);
    expect(checkpoint.weightsRoot).toBe(cacheOf('models--sharded'));
  });

  it('is inspected from its config.json alone', async () => {
    const hub = await hubOf(tinyModel());
    expect((await inspectCheckpoint('hf://org/tiny')).weights).toBeNull();
    const resolved = hub.requests.filter(({ path }) => path.includes('/resolve/'));
    expect(resolved.map(({ path }) => path)).toEqual([`/org/tiny/resolve/${FIRST}/config.json`]);
    await openCheckpoint('hf://org/tiny');
    expect((await inspectCheckpoint('hf://org/tiny')).weights?.files).toBe(1);
  });

  it('has what is missing from the cache downloaded again', async () => {
    const model = tinyModel();
    await hubOf(model);
    const { folder } = await openCheckpoint('hf://org/tiny');
    rmSync(join(cacheOf(), 'blobs', sha256(model.files[WEIGHTS]!)));
    await openCheckpoint('hf://org/tiny');
    expect(readFileSync(join(folder, WEIGHTS)).equals(model.files[WEIGHTS]!)).toBe(true);
  });

  it('may be an adapter, of which two files are wanted', async () => {
    const adapter = filesOf(fileURLToPath(new URL('../../fixtures/adapters/patterns-bf16', import.meta.url)));
    const { 'adapter_config.json': config, 'adapter_model.safetensors': weights } = adapter;
    await hubOf(tinyModel(), {
      name: 'org/lora',
      refs: { main: FIRST, v2: SECOND },
      commits: { [FIRST]: {}, [SECOND]: { ...adapter, 'optimizer.pt': Buffer.alloc(9000) } },
    });
    const checkpoint = await openCheckpoint('hf://org/tiny', { adapter: 'hf://org/lora@v2' });
    expect(filesOf(checkpoint.adapter!.folder)).toEqual({
      'adapter_config.json': config,
      'adapter_model.safetensors': weights,
    });
    expect(checkpoint.adapter?.tensors.size).toBe(42);
    expect((await identifyCheckpoint(checkpoint)).adapter).toMatchObject({
      name: 'org/lora',
      ref: 'v2',
      revision: SECOND,
    });
  });

  it('tells its progress in bytes, up to all of them', async () => {
    const model = tinyModel();
    await hubOf(model);
    const steps: DownloadProgress[] = [];
    await openCheckpoint('hf://org/tiny', { onDownload: (step) => steps.push(step) });
    const total = Object.values(model.files).reduce((sum, bytes) => sum + bytes.byteLength, 0);
    expect(steps.at(-1)).toMatchObject({ file: WEIGHTS, bytesDone: total, bytesTotal: total });
    expect(steps.every(({ bytesDone }, i) => i === 0 || bytesDone >= steps[i - 1]!.bytesDone)).toBe(true);
  });
});

describe('a download', () => {
  const blobOf = (bytes: Buffer) => join(cacheOf(), 'blobs', sha256(bytes));

  it('that is cut goes on behind the bytes it has', async () => {
    const model = tinyModel();
    const hub = await hubOf(model);
    const weights = model.files[WEIGHTS]!;
    for (const count of [10_000, 0, 7_000]) hub.once(sha256(weights), cutAfter(weights, count));
    await openCheckpoint('hf://org/tiny');
    expect(readFileSync(blobOf(weights)).equals(weights)).toBe(true);
    const ranges = hub.storageRequests
      .filter(({ path }) => path.includes(sha256(weights)))
      .map(({ range }) => range);
    expect(ranges).toEqual([undefined, 'bytes=10000-', 'bytes=10000-', 'bytes=17000-']);
  });

  it('is given up after five breaks without a byte gained, keeps what it has, and goes on with the next call', async () => {
    const model = tinyModel();
    const hub = await hubOf(model);
    const weights = model.files[WEIGHTS]!;
    for (const count of [10_000, 0, 0, 0, 0, 0]) hub.once(sha256(weights), cutAfter(weights, count));
    expect(await refusal('hf://org/tiny')).toMatch(/broke off[\s\S]*run the same command again/);
    expect(statSync(`${blobOf(weights)}.incomplete`).size).toBe(10_000);
    expect(existsSync(blobOf(weights))).toBe(false);
    await openCheckpoint('hf://org/tiny');
    expect(hub.storageRequests.at(-1)?.range).toBe('bytes=10000-');
    expect(readdirSync(join(cacheOf(), 'blobs')).filter((name) => name.endsWith('.incomplete'))).toEqual([]);
  });

  it('begins anew where the server knows no ranges', async () => {
    const model = tinyModel();
    const hub = await hubOf(model);
    const weights = model.files[WEIGHTS]!;
    hub.once(sha256(weights), cutAfter(weights, 10_000));
    hub.once(sha256(weights), sendInstead(weights));
    await openCheckpoint('hf://org/tiny');
    expect(readFileSync(blobOf(weights)).equals(weights)).toBe(true);
  });

  it.each([
    [
      'with other bytes',
      (bytes: Buffer) => Buffer.from(bytes).fill(7, 5000, 5001),
      /sha256 [0-9a-f]{64}[\s\S]*sha256/,
    ],
    ['with too many bytes', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('!')]), /bytes[\s\S]*more/],
  ])('of a large file that arrives %s is refused and thrown away', async (_, spoil, expected) => {
    const model = tinyModel();
    const hub = await hubOf(model);
    const weights = model.files[WEIGHTS]!;
    hub.once(sha256(weights), sendInstead(spoil(weights)));
    expect(await refusal('hf://org/tiny')).toMatch(expected);
    expect(existsSync(join(cacheOf(), 'snapshots', FIRST, WEIGHTS))).toBe(false);
    expect(existsSync(blobOf(weights))).toBe(false);
    await openCheckpoint('hf://org/tiny');
    expect(readFileSync(blobOf(weights)).equals(weights)).toBe(true);
  });

  it("of a small file that differs from git's hash is refused", async () => {
    const model = tinyModel();
    const hub = await hubOf(model);
    const config = model.files['config.json']!;
    hub.once('/resolve/', sendInstead(Buffer.from(config.toString().replace('37', '38'))));
    expect(await refusal('hf://org/tiny')).toMatch(/config\.json[\s\S]*git-sha1/);
  });

  it('that continues what somebody else left is checked as a whole', async () => {
    const model = tinyModel();
    await hubOf(model);
    const weights = model.files[WEIGHTS]!;
    mkdirSync(join(cacheOf(), 'blobs'), { recursive: true });
    writeFileSync(`${blobOf(weights)}.incomplete`, Buffer.alloc(1000, 9));
    expect(await refusal('hf://org/tiny')).toContain(WEIGHTS);
    await openCheckpoint('hf://org/tiny');
    expect(readFileSync(blobOf(weights)).equals(weights)).toBe(true);
  });

  it('survives a server that is busy for a moment', async () => {
    const hub = await hubOf(tinyModel());
    hub.once('/api/models', refuseWith(503));
    hub.once('/resolve/', refuseWith(429));
    expect((await openCheckpoint('hf://org/tiny')).tensors.size).toBeGreaterThan(0);
  });

  it('of the same model by two at once gives both the same files', async () => {
    const model = tinyModel();
    const hub = await hubOf(model);
    const weights = model.files[WEIGHTS]!;
    hub.once(sha256(weights), cutAfter(weights, 20_000));
    const both = await Promise.all([openCheckpoint('hf://org/tiny'), openCheckpoint('hf://org/tiny')]);
    expect(new Set(both.map(({ folder }) => folder)).size).toBe(1);
    expect(readFileSync(blobOf(weights)).equals(weights)).toBe(true);
  });

  it('can be aborted and keeps what it has', async () => {
    const model = tinyModel();
    const hub = await hubOf(model);
    const weights = model.files[WEIGHTS]!;
    const controller = new AbortController();
    const incomplete = `${blobOf(weights)}.incomplete`;
    hub.once(sha256(weights), (_request, response) => {
      response.writeHead(200, { 'content-length': weights.byteLength }).write(weights.subarray(0, 5000));
      void vi
        .waitFor(() => expect(statSync(incomplete).size).toBe(5000), { timeout: 60_000 })
        .then(() => controller.abort());
    });
    await expect(openCheckpoint('hf://org/tiny', { signal: controller.signal })).rejects.toThrow(
      InterruptedError,
    );
    expect(statSync(incomplete).size).toBe(5000);
  });
});

describe('the token', () => {
  it('is sent to the hub and not to the storage it redirects to', async () => {
    const hub = await hubOf(tinyModel({ token: 'hf_secret' }));
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    await openCheckpoint('hf://org/tiny');
    expect(new Set(hub.requests.map(({ token }) => token))).toEqual(new Set(['Bearer hf_secret']));
    expect(new Set(hub.storageRequests.map(({ token }) => token))).toEqual(new Set([undefined]));
  });

  it('is not sent where a page of a listing names another host as the next', async () => {
    const hub = await hubOf(tinyModel({ token: 'hf_secret' }));
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    hub.once('/tree/', (_request, response) => {
      const headers = { 'content-type': 'application/json', link: `<${hub.storage}/more>; rel="next"` };
      response.writeHead(200, headers).end('[]');
    });
    await refusal('hf://org/tiny');
    expect(hub.storageRequests.map(({ path, token }) => [path, token])).toEqual([['/more', undefined]]);
  });

  it('is read from the file that logging in writes', async () => {
    await hubOf(tinyModel({ token: 'hf_from_file' }));
    writeFileSync(join(home(), 'token'), 'hf_from_file\n');
    expect((await openCheckpoint('hf://org/tiny')).tensors.size).toBeGreaterThan(0);
    vi.stubEnv('HF_HUB_DISABLE_IMPLICIT_TOKEN', '1');
    await expect(openCheckpoint('hf://org/tiny@step1000')).rejects.toThrow(HubError);
  });

  it.each([
    [
      'gated',
      undefined,
      /gated and no token was given[\s\S]*accept its terms at \S+\/org\/tiny[\s\S]*HF_TOKEN/,
    ],
    ['gated', 'hf_other', /the token gives no access[\s\S]*accept its terms/],
    ['private', undefined, /no such model on the hub, or it is private[\s\S]*HF_TOKEN/],
    [
      'private',
      'hf_other',
      /no such model on the hub, or it is private[\s\S]*check that the token may read it/,
    ],
  ] as const)('that a %s model wants, being %s, is asked for', async (access, token, expected) => {
    await hubOf(tinyModel({ token: 'hf_secret', access }));
    if (token !== undefined) vi.stubEnv('HF_TOKEN', token);
    expect(await refusal('hf://org/tiny')).toMatch(expected);
    expect(existsSync(cacheOf())).toBe(false);
  });
});

describe('behind a proxy', () => {
  const WEIGHTS_TOKEN = 'hf_secret';

  /** A hub under a name that only the proxy knows. */
  async function hubBehindProxy() {
    const hub = await hubOf(tinyModel({ token: WEIGHTS_TOKEN }));
    const { port } = new URL(hub.endpoint);
    const proxy = await startProxy({ 'hub.test': '127.0.0.1' });
    vi.stubEnv('HF_ENDPOINT', `http://hub.test:${port}`);
    vi.stubEnv('HF_TOKEN', WEIGHTS_TOKEN);
    return { hub, proxy, port };
  }

  it('a model is downloaded through it, its storage too, the token for the hub alone', async () => {
    const { hub, proxy, port } = await hubBehindProxy();
    vi.stubEnv('HTTP_PROXY', proxy.address);
    expect((await openCheckpoint('hf://org/tiny')).tensors.size).toBeGreaterThan(0);
    expect(new Set(proxy.targets)).toEqual(
      new Set([`hub.test:${port}`, expect.stringMatching(/^127\.0\.0\.1:\d+$/)]),
    );
    expect(new Set(hub.requests.map(({ token }) => token))).toEqual(new Set([`Bearer ${WEIGHTS_TOKEN}`]));
    expect(hub.storageRequests.length).toBeGreaterThan(0);
    expect(new Set(hub.storageRequests.map(({ token }) => token))).toEqual(new Set([undefined]));
  });

  it('hosts that NO_PROXY names are asked directly, those that a redirect leads to included', async () => {
    const { hub, proxy, port } = await hubBehindProxy();
    vi.stubEnv('http_proxy', proxy.address);
    vi.stubEnv('NO_PROXY', '127.0.0.1,.example');
    await openCheckpoint('hf://org/tiny');
    expect(new Set(proxy.targets)).toEqual(new Set([`hub.test:${port}`]));
    expect(hub.storageRequests.length).toBeGreaterThan(0);
  });

  it('HTTPS_PROXY is for the hub itself; one that refuses is named without its password', async () => {
    const proxy = await startProxy({});
    const { host } = new URL(proxy.address);
    vi.stubEnv('HF_ENDPOINT', 'https://hub.test');
    vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:9');
    vi.stubEnv('HTTPS_PROXY', `http://somebody:secret@${host}`);
    const message = await refusal('hf://org/tiny');
    expect(proxy.targets).toContain('hub.test:443');
    expect(message).toMatch(new RegExp(`cannot be reached[\\s\\S]*502[\\s\\S]*by way of the proxy ${host}`));
    expect(message).toContain('check HTTPS_PROXY and NO_PROXY');
    expect(message).not.toContain('secret');
  });

  it.each([
    ['socks5://127.0.0.1:1080', /a proxy that speaks socks5: cannot be used/],
    ['http://[', /Invalid URL, by way of the proxy of an address that is none/],
  ])('%s as address of it is refused', async (address, expected) => {
    vi.stubEnv('HF_ENDPOINT', 'https://hub.test');
    vi.stubEnv('HTTPS_PROXY', address);
    expect(await refusal('hf://org/tiny')).toMatch(expected);
  });
});

describe('a model that cannot be had is refused', () => {
  it('where there is no model of that name', async () => {
    await hubOf(tinyModel());
    expect(await refusal('hf://org/tinny')).toMatch(
      /no such model[\s\S]*status 401[\s\S]*check organisation and name/,
    );
  });

  it('where it has no such revision', async () => {
    await hubOf(tinyModel());
    expect(await refusal('hf://org/tiny@step999')).toMatch(/no revision step999[\s\S]*branches and tags/);
  });

  it('where its weights are of another format, naming what is there', async () => {
    const { [WEIGHTS]: _, ...files } = tinyFiles();
    await hubOf(tinyModel({ commits: { [FIRST]: { ...files, ...OTHERS } } }));
    expect(await refusal('hf://org/tiny')).toMatch(
      /no model\.safetensors[\s\S]*pytorch_model\.bin[\s\S]*refs\/pr\/1/,
    );
  });

  it('where it is an adapter', async () => {
    await hubOf(tinyModel({ commits: { [FIRST]: { 'adapter_config.json': Buffer.from('{}') } } }));
    expect(await refusal('hf://org/tiny')).toMatch(/no config\.json[\s\S]*--adapter/);
  });

  it('where the index names a file that is not there', async () => {
    const { 'model-00003-of-00005.safetensors': _, ...files } = fixture('llama-llama3-sharded-bf16');
    await hubOf(tinyModel({ commits: { [FIRST]: files } }));
    expect(await refusal('hf://org/tiny')).toMatch(/1 of 5 weight files[\s\S]*model-00003-of-00005/);
  });

  it('where nobody answers', async () => {
    const hub = await hubOf(tinyModel());
    await hub.close();
    expect(await refusal('hf://org/tiny')).toMatch(
      /cannot be reached[\s\S]*ECONNREFUSED[\s\S]*hf download org\/tiny/,
    );
  });

  it('where somebody else answers', async () => {
    const hub = await hubOf(tinyModel());
    hub.once('/api/models', sendInstead(Buffer.from('<html>Please log in to the network</html>')));
    expect(await refusal('hf://org/tiny')).toMatch(/not one of the Hugging Face hub[\s\S]*HF_ENDPOINT/);
  });

  it('offline, naming the files that the cache lacks', async () => {
    const hub = await hubOf(tinyModel());
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect(await refusal('hf://org/tiny')).toMatch(
      /HF_HUB_OFFLINE forbids[\s\S]*config\.json[\s\S]*hf download/,
    );
    vi.stubEnv('HF_HUB_OFFLINE', '0');
    await inspectCheckpoint('hf://org/tiny');
    vi.stubEnv('HF_HUB_OFFLINE', 'yes');
    const before = hub.requests.length;
    expect(await refusal('hf://org/tiny')).toMatch(/tokenizer\.json, model\.safetensors in /);
    expect((await inspectCheckpoint('hf://org/tiny')).weights).toBeNull();
    expect(hub.requests.length).toBe(before);
  });
});
