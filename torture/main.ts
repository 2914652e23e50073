import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../src/cli/terminal.js';
import type { Tally, Trial } from './trial.js';
import { TRIALS } from './trials.js';

const USAGE = `npm run torture -- [--quick] [--only <trial>,…] [--seed <first>] [--tries <n>] [--list]

Does to files and processes what may befall them, and prints how often babelscope survived. About an hour; --quick
takes some minutes. A failing try is repeated by its trial and seed: --only kills --seed 17 --tries 1`;

/** @returns the exit status: 0 if all was survived, 1 if not, 2 for words that it does not know */
export async function main(words: readonly string[]): Promise<number> {
  const options = parseOptions(words);
  if (typeof options === 'number') return options;
  const { trials, quick, firstSeed, tries } = options;
  const rows: string[][] = [];
  const notes: string[] = [];
  for (const trial of trials) {
    const tally = await runTrial(trial, firstSeed, tries ?? trial.tries[quick ? 'quick' : 'whole']);
    rows.push(rowOf(trial, tally));
    console.error(`${trial.name}: ${tally.tried - tally.faults.length} of ${tally.tried} survived`);
    notes.push(...notesOf(trial, tally));
  }
  console.log(formatTable(['trial', 'tried', 'survived', 'silent', 'failing seeds'], rows));
  if (notes.length > 0) console.log(`\n${notes.join('\n')}`);
  return rows.every(([, tried, survived]) => tried === survived) ? 0 : 1;
}

function parseOptions(words: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        seed: { type: 'string', default: '0' },
        tries: { type: 'string' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    if (values.list) {
      for (const { name, about } of TRIALS) console.log(`${name}: ${about}`);
      return 0;
    }
    const trials = values.only?.split(',').map((name) => named(name.trim())) ?? TRIALS;
    const tries = values.tries === undefined ? undefined : wholeNumber(values.tries);
    return { trials, quick: values.quick, firstSeed: wholeNumber(values.seed), tries };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
}

function named(name: string): Trial {
  const found = TRIALS.find((trial) => trial.name === name);
  if (found === undefined)
    throw new Error(`no trial ${name}: there are ${TRIALS.map((one) => one.name).join(', ')}`);
  return found;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${text} is no whole number`);
  return value;
}

async function runTrial(trial: Trial, firstSeed: number, tries: number): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'babelscope-torture-'));
  const say = (text: string) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`);
  try {
    say(trial.name);
    const onProgress = (done: number, of: number) => say(`${trial.name}: ${done} of ${of}`);
    return await trial.run({ firstSeed, tries, folder, onProgress });
  } finally {
    say('');
    rmSync(folder, { recursive: true, force: true });
  }
}

function rowOf({ name }: Trial, { tried, faults }: Tally): string[] {
  const silent = faults.filter((fault) => fault.silent);
  const seeds = [...new Set(faults.map(({ seed }) => seed))];
  return [
    name,
    `${tried}`,
    `${tried - faults.length}`,
    `${silent.length}`,
    seeds.slice(0, 10).join(' ') || '-',
  ];
}

function notesOf({ name }: Trial, { faults, left, measured }: Tally): string[] {
  const told = faults
    .slice(0, 10)
    .map(({ seed, problem }) => `${name}, seed ${seed}: ${problem.trim().replaceAll('\n', '\n  ')}`);
  return [...(left ? [`${name}: ${left}`] : []), ...(measured ? [`${name}: ${measured}`] : []), ...told];
}
