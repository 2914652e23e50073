import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Random } from '../../src/stats/index.js';
import { babelscopeProcess } from '../../test/support/command-line.js';
import {
  cutAfter,
  filesOf,
  openHub,
  refuseWith,
  sendInstead,
  sha256,
} from '../../test/support/hub-server.js';
import { mutateBytes } from '../../test/support/mutate-json.js';
import { pick } from '../commands.js';
import { eachSeed, Failed, type Trial } from '../trial.js';

const TOKEN = 'hf_tortureSecret';
const COMMIT = '1'.repeat(40);
const MODEL = fileURLToPath(new URL('../../test/fixtures/models/qwen2-tied-bf16', import.meta.url));
const MOST_SECONDS = 120;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** What a server may do instead of answering, by name. */
function mischief(files: Readonly<Record<string, Buffer>>, random: Random): readonly [string, Answer][] {
  const weights = files['model.safetensors']!;
  const status = pick([204, 301, 302, 400, 401, 403, 404, 416, 418, 429, 500, 503], random);
  const any = pick(Object.values(files), random);
  return [
    [`status ${status}`, refuseWith(status)],
    ['broken off', cutAfter(weights, random.integer(weights.length))],
    ['other bytes', sendInstead(Buffer.from(mutateBytes(any, random)))],
    ['bytes of another file', sendInstead(any)],
    [
      'wrong JSON',
      sendInstead(Buffer.from(pick(['null', '[]', '{}', '[null]', '"x"', '', '[{"path":"../x"}]'], random))),
    ],
    ['the token', (request, response) => response.end(request.headers.authorization)],
    ['a connection that closes', (request) => request.socket.destroy()],
    [
      'packed zeros',
      (_, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(5e7))),
    ],
    [
      'a redirect',
      (_, response) =>
        response
          .writeHead(pick([301, 302, 307, 308], random), {
            location: pick(['/', 'http://127.0.0.1:1/', 'file:///etc/passwd', '\\\\x'], random),
          })
          .end(),
    ],
    [
      'a wrong length',
      (request, response) => {
        response.writeHead(200, { 'content-length': weights.length + 7 });
        response.write(weights, () => request.socket.destroySoon());
      },
    ],
  ];
}

const PLACES = ['/api/models', '/revision/', '/tree/', '/resolve/', 'config.json', 'model.safetensors'];

export const servers: Trial = {
  name: 'servers',
  about: `a hub that answers one to three requests with something else, once or always: the model as it is, or exit 2, within ${MOST_SECONDS} s, with no token shown`,
  tries: { quick: 8, whole: 120 },
  run: async (request) => {
    const { 'expected.safetensors': _, 'gradients.safetensors': __, ...files } = filesOf(MODEL);
    return eachSeed(request, async (random, seed) => {
      const hub = await openHub([
        { name: 'org/tiny', refs: { main: COMMIT }, commits: { [COMMIT]: files }, token: TOKEN },
      ]);
      const done: string[] = [];
      try {
        for (let left = 1 + random.integer(3); left > 0; left--) {
          const [name, answer] = pick(mischief(files, random), random);
          const place = pick([...PLACES, sha256(files['model.safetensors']!)], random);
          const stays = random.integer(2) === 0;
          hub[stays ? 'always' : 'once'](place, answer);
          done.push(`${name} ${stays ? 'always' : 'once'} at ${place}`);
        }
        const home = join(request.folder, `home-${seed}`);
        const env = {
          HF_HOME: home,
          HF_ENDPOINT: hub.endpoint,
          HF_TOKEN: TOKEN,
          NO_PROXY: '*',
          no_proxy: '*',
        };
        const { code, signal, stdout, stderr } = await babelscopeProcess(
          ['inspect', 'hf://org/tiny', '--json'],
          {
            env,
            killAfter: MOST_SECONDS * 1000,
          },
        );
        const what = done.join('; ');
        if (`${stdout}${stderr}`.includes(TOKEN)) throw new Failed(`${what}: the token was shown`, true);
        if (code !== 0 && (code !== 2 || stderr.includes('internal error')))
          throw new Failed(`${what}: ended with ${code ?? signal}\n${stderr}`);
        const snapshot = join(home, 'hub/models--org--tiny/snapshots', COMMIT);
        for (const name of list(snapshot)) {
          if (!files[name]?.equals(readFileSync(join(snapshot, name))))
            throw new Failed(`${what}: ${name} holds what the hub's lists do not promise`, true);
        }
        if (code === 0 && list(snapshot).length === 0)
          throw new Failed(`${what}: exit 0 without a model`, true);
      } finally {
        await hub.close();
      }
    });
  },
};

function list(folder: string): string[] {
  return statSync(folder, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(folder);
}
