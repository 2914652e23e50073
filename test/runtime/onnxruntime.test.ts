import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { watchNetwork } from '../support/network-watch.js';
import { TRANSPILED } from '../support/transpile-sources.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CHECKPOINT = join(ROOT, 'test/fixtures/models/qwen2-tied-bf16');
const LIBRARY = pathToFileURL(join(TRANSPILED, 'index.js')).href;
const DOT_PRODUCTS = pathToFileURL(join(TRANSPILED, 'runtime/dot-products.js')).href;
const ONNXRUNTIME = createRequire(import.meta.url).resolve('onnxruntime-node');

/** What onnxruntime writes where its telemetry is on. */
const TRACES = ['deviceid', 'onnxruntime.db'].map(
  (name) => `.cache/Microsoft/DeveloperTools/.onnxruntime/${name}`,
);

/** Sessions both in a thread of babelscope's and in the caller's. */
const USE = `
  const { loadModel } = await import(${JSON.stringify(LIBRARY)});
  const model = await loadModel(${JSON.stringify(CHECKPOINT)}, { threads: 2 });
  await model.run([1, 2, 3], ['blocks.0.mlp.hook_post']);
  await model.close();
  const products = await (await import(${JSON.stringify(DOT_PRODUCTS)})).openDotProducts(2, 1);
  await products.of(new Float32Array(2), new Float32Array(2));
  await products.release();
`;
const SESSION = `
  const ort = (await import(${JSON.stringify(pathToFileURL(ONNXRUNTIME).href)}));
  await ort.InferenceSession.create(new Uint8Array([8, 1])).catch(() => {});
`;
const thread = (code: string, options: string) => `
  const { Worker, SHARE_ENV } = await import('node:worker_threads');
  const code = 'data:text/javascript,' + encodeURIComponent(${JSON.stringify(code)});
  await new Promise((resolve, reject) =>
    new Worker(new URL(code), ${options}).once('exit', resolve).once('error', reject));
`;

/** Runs a module as a program of its own and says what it left and what it asked the network for. */
async function run(code: string) {
  const watch = watchNetwork();
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: { ...process.env, ...watch.env },
  });
  let stderr = '';
  child.stderr.on('data', (bytes) => {
    stderr += bytes;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return { stderr, files: watch.files(), calls: watch.calls(), watch };
}

describe('the telemetry of onnxruntime', () => {
  const quiet = { stderr: '', files: [], calls: [] };

  it.each([
    ['a program that asks for it', USE],
    [
      'a program that asks for it after the import',
      `await import(${JSON.stringify(LIBRARY)}); process.env.ORT_DISABLE_TELEMETRY = '0'; ${USE}`,
    ],
    [
      'a program that loads onnxruntime itself, after babelscope',
      `await import(${JSON.stringify(LIBRARY)}); ${SESSION} ${USE}`,
    ],
    ['a thread with a copy of the environment', thread(USE, '{}')],
    ['a thread that shares the environment', thread(USE, '{ env: SHARE_ENV }')],
    ['a thread without an environment', thread(USE, '{ env: {} }')],
    ['a thread in a thread', thread(thread(USE, '{}'), '{}')],
    [
      'a thread whose main thread is busy',
      `${thread(USE, '{}').replace('await new', 'const end = new')} const until = Date.now() + 3000; while (Date.now() < until); await end;`,
    ],
  ])('is off in %s', async (_, code) => {
    const { watch, ...outcome } = await run(code);
    expect(outcome).toEqual(quiet);
  });

  it('is off under Deno too, whose threads nobody can look at', async () => {
    const program = join(TRANSPILED, `telemetry-${process.pid}.mjs`);
    onTestFinished(() => rmSync(program, { force: true }));
    const underDeno = async (code: string) => {
      const watch = watchNetwork();
      writeFileSync(program, code);
      const deno = join(ROOT, 'node_modules/.bin/deno');
      const child = spawn(deno, ['run', '-A', '--node-modules-dir=manual', program], {
        cwd: ROOT,
        env: { ...process.env, ...watch.env, DENO_NO_UPDATE_CHECK: '1' },
      });
      const said: Buffer[] = [];
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => said.push(bytes));
      await new Promise((resolve) => child.once('close', resolve));
      const files = watch.files().filter((file) => TRACES.includes(file));
      return { said: Buffer.concat(said).toString(), files, calls: watch.calls() };
    };
    const main = `${USE} console.log('ran');`;
    expect(await underDeno(main)).toEqual({ said: 'ran\n', files: [], calls: [] });
  });

  it('that another program switched on before is refused', async () => {
    const { stderr } = await run(`${SESSION} ${USE}`);
    expect(stderr).toMatch(
      /UsageError: onnxruntime was loaded before babelscope[\s\S]*ORT_DISABLE_TELEMETRY=1/,
    );
  });

  it('would be seen: its files, and the look-up of where it sends to', async ({ skip }) => {
    const { reason } = watchNetwork();
    // Without the watch nothing keeps it from being sent.
    if (reason !== null) skip(reason);
    const { files, calls } = await run(`${SESSION}
      import { existsSync } from 'node:fs';
      const last = Date.now() + 60_000;
      while (!existsSync(process.env.NETWORK_WATCH) && Date.now() < last)
        await new Promise((resolve) => setTimeout(resolve, 100));
    `);
    expect(files).toEqual(TRACES);
    expect(calls[0]).toMatch(/^getaddrinfo \S+/);
  });

  it('is not all that is watched for: Node is too', async ({ skip }) => {
    const { reason } = watchNetwork();
    if (reason !== null) skip(reason);
    const { calls } = await run(`
      import dgram from 'node:dgram'; import net from 'node:net'; import dns from 'node:dns';
      net.connect(9, '127.0.0.1').on('error', () => {});
      dns.lookup('example.invalid', () => {});
      const socket = dgram.createSocket('udp4').on('error', () => {});
      socket.send('x', 9, '127.0.0.1', () => socket.close());
    `);
    expect(calls.sort()).toEqual([
      'connect 127.0.0.1 9',
      'getaddrinfo example.invalid',
      'sendmsg 127.0.0.1 9',
    ]);
  });
});

it('is loaded in one place', () => {
  const files = ['src', 'test', 'bench', 'validation', 'scripts', 'examples', 'notebooks'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true })
      .map((name) => join(folder, String(name)))
      .filter((name) => /\.(ts|mjs|js|ipynb)$/.test(name) && !name.includes('node_modules')),
  );
  const loads =
    /^(?!\s*import type\b).*(?:from|import\(|require\()\s*['"]onnxruntime-(?:node|web|common)['"]/m;
  const loaders = files.filter((name) => loads.test(readFileSync(join(ROOT, name), 'utf8')));
  expect(loaders).toEqual(['src/runtime/onnxruntime.ts']);
});
