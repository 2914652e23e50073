import { constants } from 'node:os';
import { format } from 'node:util';
import cliProgress from 'cli-progress';
import type { DownloadProgress } from '../checkpoint/index.js';
import { BabelscopeError, InterruptedError } from '../errors.js';
import { deviceError } from '../system-errors.js';
import { printable, printableJson, printableLine } from './printable.js';

/** A command reaches the outside through the functions of this file alone; they let nothing by that a terminal acts on. */
export function say(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

/** Makes what libraries say go the same way. */
export function guardConsole(): void {
  for (const method of ['log', 'info', 'debug', 'warn', 'error', 'trace'] as const)
    console[method] = (...words: unknown[]) => say(format(...words));
}

/** The one machine-readable object of a `--json` command, or the plain result of one without. */
export function print(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

type Rows = readonly (readonly (string | number)[])[];

export function printTable(head: readonly string[], rows: Rows): void {
  print(formatTable(head, rows));
}

export function sayTable(head: readonly string[], rows: Rows): void {
  say(formatTable(head, rows));
}

export function sayWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) say(`warning: ${warning}`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${printableJson(value)}\n`);
}

/** Says what went wrong and returns the exit status: 2 unusable input, 128 and more interrupted, 1 a fault of ours. */
export function reportError(cause: unknown): number {
  const error = deviceError(cause);
  if (error instanceof BabelscopeError) {
    say(`babelscope: ${error.message}`);
    return error instanceof InterruptedError ? statusOf(lastSignal) : error.exitCode;
  }
  say(
    `babelscope: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  say('This is a fault of babelscope, not of your input. Please report it with the lines above.');
  return 1;
}

/** Ctrl-C, the usual end of a process, and the end of its terminal or connection. */
const STOPS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Stop = (typeof STOPS)[number];

let lastSignal: Stop = 'SIGINT';

/** The exit status of what a signal ended: 130, 143 or 129. */
function statusOf(signal: Stop): number {
  return 128 + constants.signals[signal];
}

/** Ends a process by a signal as a command that hears of it does: work that nothing else stops is finished by its repetition. */
function endAtOnce(signal: Stop): void {
  say('\nbabelscope: interrupted');
  process.exit(statusOf(signal));
}

/** Lets signals end the process with their status, until a command asks for `interruptSignal`. */
export function endAtSignals(): void {
  for (const name of STOPS) process.once(name, endAtOnce);
}

/**
 * A signal that Ctrl-C, SIGTERM and SIGHUP abort. The first one asks the work to stop between batches; a second one ends
 * the process at once, which loses no finished part either.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of STOPS) {
    process.removeListener(name, endAtOnce);
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(statusOf(name));
      lastSignal = name;
      say('\nbabelscope: stopping after the current batch (again to stop at once)');
      controller.abort();
    });
  }
  return controller.signal;
}

export interface Progress {
  update(step: {
    done: number;
    total: number;
    rate: string;
    secondsLeft: number | null;
    label: string;
  }): void;
  stop(): void;
}

/** Plain lines are written at most this often where standard error is not a terminal. */
const PLAIN_LINE_INTERVAL_MS = 10_000;

/** A bar with rate and time left on a terminal; plain lines elsewhere. */
export function startProgress(title: string): Progress {
  return process.stderr.isTTY ? barProgress(title) : plainProgress(title);
}

function barProgress(title: string): Progress {
  const bar = new cliProgress.SingleBar(
    {
      format: '{title} {bar} {percentage}% · {rate} · {left} left · {label}',
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
  let started = false;
  return {
    update({ done, total, rate, secondsLeft, label }) {
      const texts = { title, rate, left: formatSeconds(secondsLeft), label };
      const payload = Object.fromEntries(
        Object.entries(texts).map(([name, text]) => [name, printableLine(text)]),
      );
      if (!started) {
        bar.start(total, done, payload);
        started = true;
      } else {
        bar.setTotal(total);
        bar.update(done, payload);
      }
    },
    stop() {
      if (started) bar.stop();
      started = false;
    },
  };
}

function plainProgress(title: string): Progress {
  let last = Date.now();
  return {
    update({ done, total, rate, secondsLeft, label }) {
      if (Date.now() - last < PLAIN_LINE_INTERVAL_MS) return;
      last = Date.now();
      const percent = ((100 * done) / total).toFixed(0);
      say(`${title} ${percent} % · ${rate} · ${formatSeconds(secondsLeft)} left · ${label}`);
    },
    stop() {},
  };
}

/** Draws progress while `work` goes layer by layer and calls its argument after each. */
export async function withLayerProgress<T>(
  title: string,
  work: (onLayer: (done: number, total: number) => void) => Promise<T>,
): Promise<T> {
  const progress = startProgress(title);
  const start = performance.now();
  try {
    return await work((done, total) => {
      const secondsEach = (performance.now() - start) / 1000 / done;
      progress.update({
        done,
        total,
        rate: `${(1 / secondsEach).toFixed(1)} layers/s`,
        secondsLeft: (total - done) * secondsEach,
        label: `layer ${done}/${total}`,
      });
    });
  } finally {
    progress.stop();
  }
}

/** A bar of what is downloaded; nothing is drawn where everything is in the cache. */
export function startDownloadProgress(): { update(step: DownloadProgress): void; stop(): void } {
  const progress = startProgress('download');
  return {
    update: ({ file, bytesDone, bytesTotal, bytesPerSecond }) =>
      progress.update({
        done: bytesDone,
        total: bytesTotal,
        rate: `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`,
        secondsLeft: bytesPerSecond > 0 ? (bytesTotal - bytesDone) / bytesPerSecond : null,
        label: `${file}, ${(bytesDone / 1e6).toFixed(0)} of ${(bytesTotal / 1e6).toFixed(0)} MB`,
      }),
    stop: () => progress.stop(),
  };
}

/** `9.4 MB`; powers of ten, as disks are sold and filled. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${Number((bytes / 1e3 ** power).toPrecision(3))} ${units[power]}`;
}

/** 3725 → `1 h 02 min`; 75 → `1 min 15 s`; null → `?`. */
export function formatSeconds(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '?';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  const pad = (n: number) => String(n).padStart(2, '0');
  if (minutes < 60) return `${minutes} min ${pad(whole % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** Columns aligned with two spaces between; numbers to the right. */
export function formatTable(head: readonly string[], rows: Rows): string {
  const cells = [head, ...rows].map((row) =>
    row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : printableLine(cell))),
  );
  const widths = head.map((_, c) => Math.max(...cells.map((row) => (row[c] ?? '').length)));
  const right = head.map((_, c) => rows.length > 0 && rows.every((row) => typeof row[c] === 'number'));
  return cells
    .map((row) =>
      row
        .map((cell, c) => (right[c] ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
