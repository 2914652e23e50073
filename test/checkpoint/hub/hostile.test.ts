import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openCheckpoint } from '../../../src/checkpoint/open-checkpoint.js';
import { InputError, InterruptedError } from '../../../src/errors.js';
import { emptyCache } from '../../support/hub-environment.js';
import {
  filesOf,
  type HubServer,
  refuseWith,
  sendInstead,
  sha256,
  startHub,
} from '../../support/hub-server.js';
import { startProxy } from '../../support/proxy-server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const TOKEN = 'hf_verysecret';
const COMMIT = '1'.repeat(40);
const WEIGHTS = 'model.safetensors';

const home = emptyCache();
const cacheOf = (...path: string[]) => join(home(), 'hub/models--org--tiny', ...path);
const {
  'expected.safetensors': _,
  'gradients.safetensors': _gradients,
  ...files
} = filesOf(fileURLToPath(new URL('../../fixtures/models/qwen2-tied-bf16', import.meta.url)));
const weights = files[WEIGHTS]!;

async function hubOf(): Promise<HubServer> {
  const hub = await startHub([
    { name: 'org/tiny', refs: { main: COMMIT }, commits: { [COMMIT]: files }, token: TOKEN },
  ]);
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
  vi.stubEnv('HF_TOKEN', TOKEN);
  return hub;
}

/** The message of a typed error that the user can act on, which shows no secret wherever it is looked at. */
async function refusal(...secrets: string[]): Promise<string> {
  const error: unknown = await openCheckpoint('hf://org/tiny').then(
    () => 'accepted',
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(InputError);
  const { details, message } = error as InputError;
  expect(details.remedy).toBeTruthy();
  const everything = inspect(error, { depth: 9 }) + JSON.stringify(details) + message;
  for (const secret of [TOKEN, ...secrets]) expect(everything).not.toContain(secret);
  return message;
}

describe('a token', () => {
  it.each([
    ['an inner newline', 'hf_first\nhf_second'],
    ['an inner CR', 'hf_first\rhf_second'],
    ['a NUL', 'hf_first\0hf_second'],
    ['a space', 'hf_first hf_second'],
    ['a letter that headers do not hold', 'hf_first→hf_second'],
  ])('with %s is refused and never shown', async (_, text) => {
    const hub = await hubOf();
    vi.stubEnv('HF_TOKEN', '');
    writeFileSync(join(home(), 'token'), text);
    expect(await refusal('hf_first', 'hf_second', 'Bearer')).toMatch(
      /characters that no token has[\s\S]*auth login/,
    );
    expect(hub.requests).toEqual([]);
  });

  it('file of a gigabyte is not read', async () => {
    await hubOf();
    vi.stubEnv('HF_TOKEN', '');
    vi.stubEnv('HF_TOKEN_PATH', '/dev/zero');
    expect(await refusal()).toMatch(/no such model/);
    writeFileSync(join(home(), 'long'), 'x'.repeat(5000));
    vi.stubEnv('HF_TOKEN_PATH', join(home(), 'long'));
    expect(await refusal()).toMatch(/too long/);
  });

  it.each([
    [
      'in its body',
      { 'content-type': 'application/json' },
      (token: string) => JSON.stringify({ error: `you sent ${token}` }),
    ],
    ['in a header', { 'x-error-message': `you sent Bearer ${TOKEN}` }, () => ''],
    ['as the name of an error', { 'x-error-code': TOKEN }, (token: string) => token],
  ])('that the server echoes %s is not shown', async (_, headers, body) => {
    const hub = await hubOf();
    hub.always('/api/models', (request, response) =>
      response.writeHead(400, headers).end(body(request.headers.authorization ?? '')),
    );
    expect(await refusal()).toMatch(/status 400/);
  });

  it('that the server echoes in what is no JSON, or in the name of a file, is not shown', async () => {
    const hub = await hubOf();
    hub.once('/api/models', (request, response) => response.end(request.headers.authorization));
    expect(await refusal()).toMatch(/not one of the Hugging Face hub/);
    hub.once('/tree/', (request, response) =>
      response.end(
        JSON.stringify([{ type: 'file', oid: COMMIT, size: 1, path: request.headers.authorization }]),
      ),
    );
    expect(await refusal()).toMatch(/found: +Bearer \*\*\*/);
  });

  it.each([301, 302, 303, 307, 308])(
    'does not follow a redirect (%i) to another host, nor back',
    async (status) => {
      const hub = await hubOf();
      const seen: (string | undefined)[] = [];
      const other = createServer((request, response) => {
        seen.push(request.headers.authorization, request.headers.cookie);
        if (request.url === '/back')
          response.writeHead(status, { location: `${hub.endpoint}/came-back` }).end();
        else response.writeHead(status, { location: '/back' }).end();
      });
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void other.close());
      const { port } = other.address() as { port: number };
      for (const path of ['/api/models', '/tree/', '/resolve/']) {
        const before = seen.length;
        hub.once(path, (_request, response) =>
          response
            .writeHead(status, { location: `http://localhost:${port}/away`, 'set-cookie': `t=${TOKEN}` })
            .end(),
        );
        await refusal();
        expect(seen.length - before).toBe(4);
      }
      expect(new Set(seen)).toEqual(new Set([undefined]));
      expect(hub.requests.filter(({ path }) => path === '/came-back').map(({ token }) => token)).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    },
  );
});

describe('HF_ENDPOINT', () => {
  it.each([
    ['huggingface.co', /no address of a hub[\s\S]*found: +huggingface\.co[\s\S]*https:\/\//],
    ['//huggingface.co', /no address of a hub/],
    ['file:///etc', /no address of a hub/],
    ['http://127.0.0.1:1/?q=1', /no address of a hub/],
    ['nonsense', /no address of a hub/],
    ['https://me:hunter2@hub.test', /holds a user or a password[\s\S]*HF_TOKEN/],
    ['https://hunter2@hub.test', /holds a user or a password/],
    ['me:hunter2@hub.test', /no address of a hub/],
    ['https://me:hunter2/x@hub.test:port', /no address of a hub/],
  ])('%s is refused without its password', async (address, expected) => {
    vi.stubEnv('HF_ENDPOINT', address);
    expect(await refusal('hunter2')).toMatch(expected);
  });

  it("and a proxy's password are not shown where the proxy repeats it", async () => {
    const hub = await hubOf();
    const proxy = await startProxy({});
    vi.stubEnv('HTTP_PROXY', `http://me:hunter2@${new URL(proxy.address).host}`);
    hub.always('/', (_request, response) =>
      response.writeHead(400, { 'x-error-message': 'proxy-authorization of me:hunter2' }).end(),
    );
    await refusal('hunter2');
  });
});

describe('a server that does not end', () => {
  const counted = (hub: HubServer) => hub.requests.length + hub.storageRequests.length;

  it('and cuts at the same byte, knowing no ranges, is given up', async () => {
    const hub = await hubOf();
    hub.always(sha256(weights), (request, response) => {
      response.writeHead(200, { 'content-length': weights.byteLength });
      response.write(weights.subarray(0, 5000), () => request.socket.destroySoon());
    });
    expect(await refusal()).toMatch(/broke off/);
    expect(hub.storageRequests.length).toBeLessThan(10);
  });

  it('and names a next page for ever is given up', async () => {
    const hub = await hubOf();
    hub.always('/tree/', (request, response) =>
      response.writeHead(200, { link: `<${hub.endpoint}${request.url}>; rel="next"` }).end('[]'),
    );
    expect(await refusal()).toMatch(/more than 100 pages/);
    expect(counted(hub)).toBeLessThan(110);
  });

  it.each([
    ['an answer', '/api/models', 200, /more than 20000000 bytes/],
    ['an error', '/api/models', 400, /status 400/],
    ['a page', '/tree/', 200, /more than 20000000 bytes/],
  ])('and goes on with %s is cut off, packed or not', async (_, path, status, expected) => {
    const hub = await hubOf();
    const piece = Buffer.alloc(2 ** 20, 0x20);
    let sent = 0;
    hub.once(path, (_request, response) => {
      response.writeHead(status);
      const more = () => {
        while (!response.destroyed && response.write(piece)) sent += piece.byteLength;
      };
      response.on('drain', more);
      more();
    });
    expect(await refusal()).toMatch(expected);
    expect(sent).toBeLessThan(60e6);
    const bomb = gzipSync(Buffer.alloc(200e6, 0x20));
    hub.once(path, (_request, response) =>
      response.writeHead(status, { 'content-encoding': 'gzip' }).end(bomb),
    );
    const before = process.memoryUsage.rss();
    expect(await refusal()).toMatch(expected);
    expect(process.memoryUsage.rss() - before).toBeLessThan(150e6);
  });

  it('and asks for patience is waited for where that is short, and interrupted by an abort', async () => {
    const hub = await hubOf();
    const retry = (seconds: string) => (_: unknown, response: import('node:http').ServerResponse) =>
      response.writeHead(429, { 'retry-after': seconds }).end();
    hub.once('/api/models', retry('1'));
    const start = performance.now();
    await openCheckpoint('hf://org/tiny');
    expect(performance.now() - start).toBeGreaterThan(990);
    hub.always('/api/models', retry('36000'));
    vi.stubEnv('HF_HOME', temporaryFolder());
    expect(await refusal()).toMatch(/wait 600 minutes/);
    const patient = await hubOf();
    const controller = new AbortController();
    patient.always('/api/models', (request, response) => {
      retry('50')(request, response);
      // While the answer is waited for, however long the request took to come.
      response.once('close', () => setTimeout(() => controller.abort(), 100));
    });
    const { signal } = controller;
    await expect(openCheckpoint('hf://org/tiny', { signal })).rejects.toThrow(InterruptedError);
    expect(patient.requests).toHaveLength(1);
  });
});

describe('an answer that is no answer', () => {
  const wrong = ['null', '{}', '1', '"x"', '[null]', '[1]', '[{"type":"file"}]', '', '[', '{"error":null}'];

  it.each(wrong)('%s as the files of a model is refused', async (text) => {
    const hub = await hubOf();
    hub.once('/tree/', sendInstead(Buffer.from(text)));
    expect(await refusal()).toMatch(/not one of the Hugging Face hub/);
  });

  it.each([...wrong, '[]'])('%s as its revision is refused', async (text) => {
    const hub = await hubOf();
    hub.once('/revision/', sendInstead(Buffer.from(text)));
    expect(await refusal()).toMatch(/not one of the Hugging Face hub/);
  });

  it('a connection that breaks within it is told as such', async () => {
    const hub = await hubOf();
    hub.once('/tree/', (request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('[', () => request.socket.destroySoon());
    });
    expect(await refusal()).toMatch(/broke off/);
  });

  it('an error without any reason is refused', async () => {
    const hub = await hubOf();
    hub.once('/tree/', refuseWith(418));
    expect(await refusal()).toMatch(/status 418/);
  });
});

describe('a cache that others may write to', () => {
  const precious = () => {
    const path = join(temporaryFolder(), 'precious');
    writeFileSync(path, 'precious');
    return path;
  };

  it.each([
    ['a link', symlinkSync],
    ['a second name', linkSync],
  ])('whose download is %s of a file of the user is refused', async (_, plant) => {
    await hubOf();
    const target = precious();
    mkdirSync(cacheOf('blobs'), { recursive: true });
    plant(target, cacheOf('blobs', `${sha256(weights)}.incomplete`));
    expect(await refusal()).toMatch(/something else where a download goes[\s\S]*remove it/);
    expect(readFileSync(target, 'utf8')).toBe('precious');
  });

  it.each(['blobs', `snapshots/${COMMIT}`, 'refs'])(
    'whose folder %s leads elsewhere is refused',
    async (folder) => {
      await hubOf();
      const elsewhere = temporaryFolder();
      writeFileSync(join(elsewhere, 'config.json'), 'precious');
      mkdirSync(cacheOf(folder, '..'), { recursive: true });
      symlinkSync(elsewhere, cacheOf(folder));
      expect(await refusal()).toMatch(/leads out of it/);
      expect(readFileSync(join(elsewhere, 'config.json'), 'utf8')).toBe('precious');
      expect(existsSync(join(elsewhere, 'main'))).toBe(false);
    },
  );
});
