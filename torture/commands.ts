import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Random } from '../src/stats/index.js';
import { babelscopeProcess, type Outcome, type ProcessOptions } from '../test/support/command-line.js';
import { spoilWeight, TINY_PROBES, writeTinyCheckpoint } from '../test/support/tiny-checkpoint.js';
import { Failed } from './trial.js';

const PRELOAD = fileURLToPath(new URL('../test/support/faulty-fs.cjs', import.meta.url));

/** A command that writes, prepared so that it can be run many times. */
export interface Command {
  readonly name: string;
  readonly words: readonly string[];
  /** The folder that it writes into. It is empty, or holds what the command begins with, before each try. */
  readonly target: string;
  /** A copy of what the folder holds before; null: the folder is not there. */
  readonly before: string | null;
  /** What an undisturbed run leaves, as `contents`. */
  readonly expected: Readonly<Record<string, string>>;
  /** Milliseconds that it took, and bytes that it leaves. */
  readonly milliseconds: number;
  readonly bytes: number;
}

/** What happens at the n-th call of the file system; see `faulty-fs.cjs`. */
export interface FaultAt {
  readonly at: number;
  readonly code: string;
  readonly stays?: boolean;
}

/**
 * Checkpoints, runs and a comparison, and the five commands that write: capture, score, compare, report and export.
 *
 * @param targetName where within the folder each of them writes
 */
export async function prepareCommands(folder: string, targetName = 'target'): Promise<Command[]> {
  const at = (name: string) => join(folder, name);
  for (const name of ['a', 'b']) writeTinyCheckpoint(at(`checkpoint-${name}`));
  for (const index of [3, 50, 700])
    await spoilWeight(at('checkpoint-b'), 'model.layers.1.mlp.up_proj.weight', index, 0.5);
  const capture = (name: string, out: string) => [
    ...['capture', at(`checkpoint-${name}`), '--probes', TINY_PROBES, '--threads', '1', '--out', out],
  ];
  for (const name of ['a', 'b']) await succeed(capture(name, at(`run-${name}`)));
  cpSync(at('run-a'), at('unscored'), { recursive: true });
  for (const name of ['a', 'b']) await succeed(['score', at(`run-${name}`)]);
  const compare = (out: string) => [
    ...['compare', at('run-a'), at('run-b'), '--labels', 'a,b', '--changes', 'basic', '--out', out],
  ];
  await succeed(compare(at('comparison')));
  const target = at(targetName);
  mkdirSync(dirname(target), { recursive: true });
  const plain: [string, string[], string | null][] = [
    ['capture', capture('a', target), null],
    ['score', ['score', target], at('unscored')],
    ['compare', compare(target), null],
    ['report', ['report', at('comparison'), '--out', target], null],
    ['export', ['export', at('run-a'), '--format', 'csv', '--out', target], null],
  ];
  const commands: Command[] = [];
  for (const [name, words, before] of plain) {
    const bare = { name, words, target, before, expected: {}, milliseconds: 0, bytes: 0 };
    reset(bare);
    const start = performance.now();
    await succeed(words);
    const milliseconds = performance.now() - start;
    const expected = contents(target);
    const bytes = filesOf(target).reduce((sum, path) => sum + readFileSync(path).byteLength, 0);
    commands.push({ ...bare, expected, milliseconds, bytes });
  }
  return commands;
}

async function succeed(words: readonly string[]): Promise<void> {
  const { code, stderr } = await babelscopeProcess(words);
  if (code !== 0) throw new Error(`babelscope ${words.join(' ')} ended with ${code}:\n${stderr}`);
}

/** Makes the folder of a command what it is before it. */
export function reset({ target, before }: Pick<Command, 'target' | 'before'>): void {
  rmSync(target, { recursive: true, force: true });
  if (before !== null) cpSync(before, target, { recursive: true });
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** SHA-256 of each file by its path within the folder; how long captures took is no part of it. */
export function contents(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const names = filesOf(folder).filter((path) => !path.endsWith('timings.json'));
  const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  return Object.fromEntries(names.sort().map((path) => [path.slice(folder.length + 1), digest(path)]));
}

/** Says how two contents differ; empty if they do not. */
export function difference(
  found: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, string>>,
): string {
  const names = [...new Set([...Object.keys(found), ...Object.keys(expected)])];
  return names
    .filter((name) => found[name] !== expected[name])
    .map(
      (name) => `${name} ${!(name in expected) ? 'left over' : !(name in found) ? 'missing' : 'other bytes'}`,
    )
    .join(', ');
}

/** @throws Failed, silent, if the folder does not hold what an undisturbed run leaves. */
export function expectWhole({ target, expected }: Command, folder = target): void {
  const differs = difference(contents(folder), expected);
  if (differs !== '') throw new Failed(`exit 0, and the files differ: ${differs}`, true);
}

/** Runs the command again, undisturbed: it must end well, with the bytes of an undisturbed run. */
export async function expectMended(command: Command): Promise<void> {
  const { code, signal, stderr } = await babelscopeProcess(command.words);
  if (code !== 0) throw new Failed(`the same command again ended with ${code ?? signal}:\n${stderr}`);
  expectWhole(command);
}

/** Runs a command of which something happens at a call of the file system. */
export function withFault(command: Command, fault: FaultAt, options: ProcessOptions = {}): Promise<Outcome> {
  return babelscopeProcess(command.words, { ...options, ...preloading(command, fault) });
}

function preloading({ target }: Command, fault: FaultAt & { readonly tally?: string }): ProcessOptions {
  const env = { TORTURE_FAULT: JSON.stringify({ stays: false, ...fault, under: target }) };
  return { flags: ['--require', PRELOAD], env };
}

/** Counts calls of the file system that an error or a signal can meet, once a command and class of code. */
export function callCounter(folder: string): (command: Command, code: string) => Promise<number> {
  const counts = new Map<string, number>();
  return async (command, code) => {
    const key = `${command.name} ${code === 'ENOSPC' || code === 'EROFS' ? 'writes' : 'all'}`;
    const known = counts.get(key);
    if (known !== undefined) return known;
    mkdirSync(folder, { recursive: true });
    const tally = join(folder, `${key}.calls`);
    reset(command);
    const outcome = await babelscopeProcess(command.words, preloading(command, { at: 0, code, tally }));
    if (outcome.code !== 0) throw new Error(`${command.name} is not undisturbed: ${outcome.stderr}`);
    const calls = Number(readFileSync(tally, 'utf8').split('\n')[0]);
    if (!(calls > 0)) throw new Error(`${command.name} made no call that is seen`);
    counts.set(key, calls);
    return calls;
  };
}

/** One of a list. */
export function pick<T>(of: readonly T[], random: Random): T {
  return of[random.integer(of.length)]!;
}
