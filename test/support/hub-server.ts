import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** One request as it arrived. */
export interface SeenRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly token: string | undefined;
}

export interface HubServer {
  readonly endpoint: string;
  /** Base address of the storage. */
  readonly storage: string;
  /** To the hub itself. */
  readonly requests: SeenRequest[];
  /** To the storage that the hub redirects to for large files: another origin, which refuses any token. */
  readonly storageRequests: SeenRequest[];
  /** Answers the next request whose path contains `part` otherwise than by the rules; once. */
  once(part: string, answer: Answer): void;
  /** Answers every request whose path contains `part` otherwise than by the rules. */
  always(part: string, answer: Answer): void;
  close(): Promise<void>;
}

export interface HubModel {
  readonly name: string;
  /** Commit of each branch and tag. */
  readonly refs: Readonly<Record<string, string>>;
  /** Files of each commit. */
  readonly commits: Readonly<Record<string, Readonly<Record<string, Buffer>>>>;
  /** Only requests with this token are let in. */
  readonly token?: string;
  /** Why others are not: a gated model is known to exist, a private one is not. Default `private`. */
  readonly access?: 'gated' | 'private';
}

/** Files at least this large are stored apart, as LFS does it with weights. */
const LARGE_BYTES = 4096;
/** Entries of a page when files are listed. */
const PAGE = 3;

/**
 * A server on this machine that speaks as much of the Hugging Face hub's protocol as downloading takes: revisions, paged
 * listings with LFS hashes, `resolve` with redirects to a storage of another origin, ranges, ETags and error codes.
 */
export async function startHub(models: readonly HubModel[]): Promise<HubServer> {
  const hub = await openHub(models);
  onTestFinished(hub.close);
  return hub;
}

/** The same where no test closes it at its end. */
export async function openHub(models: readonly HubModel[]): Promise<HubServer> {
  const requests: SeenRequest[] = [];
  const storageRequests: SeenRequest[] = [];
  const faults: { readonly part: string; readonly answer: Answer; readonly stays?: true }[] = [];
  const blobs = new Map<string, Buffer>();
  for (const { commits } of models) {
    for (const files of Object.values(commits)) {
      for (const bytes of Object.values(files)) blobs.set(sha256(bytes), bytes);
    }
  }
  const listen = async (seen: SeenRequest[], answer: Answer): Promise<Server> => {
    const server = createServer((request, response) => {
      const { url = '', headers } = request;
      seen.push({ path: url, range: headers.range, token: headers.authorization });
      const fault = faults.findIndex(({ part }) => url.includes(part));
      if (fault === -1) answer(request, response);
      else if (faults[fault]!.stays) faults[fault]!.answer(request, response);
      else faults.splice(fault, 1)[0]!.answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  };
  const storage = await listen(storageRequests, (request, response) => {
    const bytes = blobs.get(request.url!.slice(1));
    // As S3 does where an address is signed and a token is sent besides.
    if (request.headers.authorization !== undefined || bytes === undefined) refuse(response, 400);
    else sendBytes(request, response, bytes);
  });
  const hub = await listen(requests, (request, response) =>
    answerHub(models, `http://127.0.0.1:${portOf(storage)}`, request, response),
  );
  const close = async () => {
    for (const server of [hub, storage]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };
  return {
    endpoint: `http://127.0.0.1:${portOf(hub)}`,
    storage: `http://127.0.0.1:${portOf(storage)}`,
    requests,
    storageRequests,
    once: (part, answer) => faults.push({ part, answer }),
    always: (part, answer) => faults.push({ part, answer, stays: true }),
    close,
  };
}

function answerHub(
  models: readonly HubModel[],
  storage: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const url = new URL(request.url!, `http://${request.headers.host}`);
  const path = decodeURIComponent(url.pathname);
  const model = models.find(
    ({ name }) => path.startsWith(`/api/models/${name}/`) || path.startsWith(`/${name}/`),
  );
  const admitted = model?.token === undefined || request.headers.authorization === `Bearer ${model.token}`;
  const [, revision] = /\/revision\/(.+)$/.exec(path) ?? [];
  const [, listed] = /\/tree\/([0-9a-f]+)$/.exec(path) ?? [];
  if (model === undefined) {
    // What the hub says of an unknown model to somebody without a token.
    refuse(response, 401, 'RepoNotFound', 'Invalid username or password.');
  } else if (!admitted && model.access === 'gated') {
    refuse(response, 403, 'GatedRepo', `Access to model ${model.name} is restricted.`);
  } else if (!admitted) {
    refuse(response, 404, 'RepoNotFound', 'Repository not found');
  } else if (revision !== undefined) {
    sendRevision(response, model, revision);
  } else if (listed !== undefined) {
    sendPage(response, url, entriesOf(model.commits[listed]!));
  } else {
    const [, commit = '', file = ''] = /\/resolve\/([0-9a-f]+)\/(.+)$/.exec(path) ?? [];
    const bytes = model.commits[commit]?.[file];
    response.setHeader('X-Repo-Commit', commit);
    if (bytes === undefined) refuse(response, 404, 'EntryNotFound', 'Entry not found');
    else if (bytes.byteLength < LARGE_BYTES) {
      response.setHeader('ETag', `"${gitSha1(bytes)}"`);
      sendBytes(request, response, bytes);
    } else {
      response.setHeader('X-Linked-Etag', `"${sha256(bytes)}"`);
      response.setHeader('X-Linked-Size', bytes.byteLength);
      response.writeHead(302, { location: `${storage}/${sha256(bytes)}` }).end();
    }
  }
}

function sendRevision(response: ServerResponse, model: HubModel, revision: string): void {
  const sha = model.refs[revision] ?? revision;
  if (!(sha in model.commits)) {
    refuse(response, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
    return;
  }
  sendJson(response, {
    _id: 'a'.repeat(24),
    id: model.name,
    sha,
    private: false,
    gated: false,
    downloads: 0,
    likes: 0,
    siblings: Object.keys(model.commits[sha]!).map((rfilename) => ({ rfilename })),
    lastModified: '2025-01-01T00:00:00.000Z',
  });
}

/** As the hub lists them: folders too, and the hash and true size of a large file beside those of its pointer. */
function entriesOf(files: Readonly<Record<string, Buffer>>): object[] {
  const folders = new Set(Object.keys(files).flatMap((path) => path.split('/').slice(0, -1)));
  return [
    ...[...folders].map((path) => ({ type: 'directory', oid: '0'.repeat(40), size: 0, path })),
    ...Object.entries(files)
      .filter(([path]) => !path.includes('/'))
      .map(([path, bytes]) => {
        const size = bytes.byteLength;
        if (size < LARGE_BYTES) return { type: 'file', oid: gitSha1(bytes), size, path };
        const lfs = { oid: sha256(bytes), size, pointerSize: 134 };
        return { type: 'file', oid: gitSha1(Buffer.from(lfs.oid)), size, lfs, xetHash: 'b'.repeat(64), path };
      }),
  ];
}

function sendPage(response: ServerResponse, url: URL, entries: readonly object[]): void {
  const from = Number(url.searchParams.get('cursor') ?? 0);
  if (from + PAGE < entries.length) {
    url.searchParams.set('cursor', String(from + PAGE));
    response.setHeader('Link', `<${url.href}>; rel="next"`);
  }
  sendJson(response, entries.slice(from, from + PAGE));
}

function sendBytes(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
  const [, start] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? [];
  if (start === undefined) {
    response.writeHead(200, { 'content-length': bytes.byteLength }).end(bytes);
    return;
  }
  const rest = bytes.subarray(Number(start));
  response
    .writeHead(206, {
      'content-length': rest.byteLength,
      'content-range': `bytes ${start}-${bytes.byteLength - 1}/${bytes.byteLength}`,
    })
    .end(rest);
}

/** Sends the first of the bytes that were asked for, promising all, and breaks the connection. */
export function cutAfter(bytes: Buffer, count: number): Answer {
  return (request, response) => {
    const [, start = '0'] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? [];
    const rest = bytes.subarray(Number(start));
    const ranged = request.headers.range !== undefined;
    response.writeHead(ranged ? 206 : 200, {
      'content-length': rest.byteLength,
      ...(ranged && { 'content-range': `bytes ${start}-${bytes.byteLength - 1}/${bytes.byteLength}` }),
    });
    response.write(rest.subarray(0, count), () => request.socket.destroySoon());
  };
}

/** Sends these bytes and status 200 whatever was asked for. */
export function sendInstead(bytes: Buffer): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': bytes.byteLength }).end(bytes);
  };
}

export function refuseWith(status: number, code?: string): Answer {
  return (_request, response) => refuse(response, status, code);
}

function refuse(response: ServerResponse, status: number, code?: string, message?: string): void {
  if (code !== undefined) response.setHeader('X-Error-Code', code);
  if (message !== undefined) response.setHeader('X-Error-Message', message);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: message ?? `status ${status}` }));
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What `git hash-object` prints. */
export function gitSha1(bytes: Buffer): string {
  return createHash('sha1').update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex');
}

/** Contents of a folder's files, by name. */
export function filesOf(folder: string): Record<string, Buffer> {
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
}
