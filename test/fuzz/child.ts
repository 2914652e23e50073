import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BabelscopeError } from '../../src/errors.js';
import { Random } from '../../src/stats/index.js';
import { damage, KINDS, seal } from './kinds.js';

/** Reads damaged files of one kind, in a process of its own, and says of each seed what came of it: see `fuzz.ts`. */
const [kindName, firstSeed, seeds, fixtures] = process.argv.slice(2);
const kind = KINDS.find(({ name }) => name === kindName)!;
const root = mkdtempSync(join(tmpdir(), 'babelscope-fuzz-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));
const folder = join(root, 'input');
mkdirSync(folder);
await kind.make(folder, fixtures!);
const names = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
const files = kind.damaged(names);
const sound = new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]));
await kind.read(folder, new Random(0)); // sound files are read
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
process.on('unhandledRejection', (cause) => {
  say({ fault: `unhandled: ${cause instanceof Error ? cause.stack : cause}` });
  process.exit(3);
});

for (let seed = Number(firstSeed); seed < Number(firstSeed) + Number(seeds); seed++) {
  say({ seed });
  const random = new Random(seed);
  damage(folder, files, sound, random);
  if (random.integer(4) > 0) await seal(folder);
  const start = process.cpuUsage();
  let outcome = 'read';
  try {
    await kind.read(folder, random);
  } catch (error) {
    outcome = 'refused';
    if (!(error instanceof BabelscopeError && error.exitCode === 2)) {
      say({ fault: `seed ${seed}: ${error instanceof Error ? error.stack : error}` });
      outcome = 'fault';
    }
  }
  const { user, system } = process.cpuUsage(start);
  say({ outcome, milliseconds: (user + system) / 1000 });
  for (const file of sound.keys()) writeFileSync(join(folder, file), sound.get(file)!);
}
say({ done: true, bytes: process.resourceUsage().maxRSS * 1024 });
