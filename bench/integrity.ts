/**
 * What checksums cost a capture, in processor time of all threads. Build first, then:
 *
 *     npx tsx bench/integrity.ts [--pairs 3] [--limit 300]
 *
 * The demo's base is captured in processes of their own, in turn as it is and with the hashing of run files left out. Beside
 * the difference of the medians, which other programs on the machine disturb, stands the hashing by itself: as many bytes
 * as the capture hashed, hashed again alone.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DIST } from './measure.js';

const DEMO = fileURLToPath(new URL('../demo/checkpoints/base', import.meta.url));
const { values } = parseArgs({
  options: { pairs: { type: 'string', default: '3' }, limit: { type: 'string', default: '300' } },
});

interface Measured {
  /** Seconds of processor time. */
  readonly capture: number;
  /** Bytes of run files that were hashed, and the seconds that hashing as many takes. */
  readonly bytes: number;
  readonly hashing: number;
  /** Seconds that `verify` of the finished run takes. */
  readonly verify: number;
}

/** `createHash` counts what the writers and checkers of run files hash, and does nothing else where it is left out. */
function script(out: string, hashes: boolean): string {
  return `
    import crypto from 'node:crypto';
    import { syncBuiltinESMExports } from 'node:module';
    const { createHash } = crypto;
    let bytes = 0;
    const counted = (hash) => ({
      update(data) { bytes += data.length; if (${hashes}) hash.update(data); return this; },
      copy: () => counted(${hashes} ? hash.copy() : hash),
      digest: (form) => (${hashes} ? hash : createHash('sha256')).digest(form),
    });
    crypto.createHash = (name) => {
      const ours = /\\/store\\/(files|integrity)\\//.test(new Error().stack);
      return ours ? counted(createHash(name)) : createHash(name);
    };
    syncBuiltinESMExports();
    const { capture } = await import('${DIST}capture/index.js');
    const { verify } = await import('${DIST}store/index.js');
    const seconds = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
    await capture({
      checkpoint: ${JSON.stringify(DEMO)}, probes: 'facts', limit: ${Number(values.limit)}, out: ${JSON.stringify(out)},
    });
    const captured = seconds();
    const hashed = bytes;
    const piece = Buffer.alloc(1 << 20);
    const again = createHash('sha256');
    const before = seconds();
    for (let done = 0; done < hashed; done += piece.length) again.update(piece);
    const hashing = seconds() - before;
    const start = seconds();
    if (${hashes}) await verify(${JSON.stringify(out)});
    console.log(JSON.stringify({ capture: captured, bytes: hashed, hashing, verify: seconds() - start }));`;
}

function measureOnce(hashes: boolean): Measured {
  const folder = mkdtempSync(join(tmpdir(), 'babelscope-bench-'));
  try {
    const code = script(join(folder, 'run'), hashes);
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (status !== 0) throw new Error(`the capture ended with ${status}`);
    return JSON.parse(stdout.toString()) as Measured;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

const pairs = Array.from(
  { length: Number(values.pairs) },
  () => [measureOnce(true), measureOnce(false)] as const,
);
const withHashes = pairs.map(([one]) => one);
const capture = median(withHashes.map((one) => one.capture));
const without = median(pairs.map(([, one]) => one.capture));
const hashing = median(withHashes.map((one) => one.hashing));
const percent = (part: number) => `${((100 * part) / without).toFixed(2)} %`;
console.log(`capture with checksums    ${capture.toFixed(2)} s of processor time`);
console.log(`the same without          ${without.toFixed(2)} s; difference ${percent(capture - without)}`);
console.log(
  `hashing ${(withHashes[0]!.bytes / 1e6).toFixed(0)} MB by itself   ${hashing.toFixed(3)} s: ${percent(hashing)} of the capture`,
);
console.log(`verify of the run         ${median(withHashes.map((one) => one.verify)).toFixed(3)} s`);
