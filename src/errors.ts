import { redact, redactCause } from './secrets.js';

/** A message to the user names the thing, the place, what was expected, what was found, and the way out. */
export interface ErrorDetails {
  /** One sentence: what is wrong. */
  readonly what: string;
  /** File, field, tensor, item or option it concerns. */
  readonly where?: string;
  readonly expected?: string;
  readonly found?: string;
  /** How to mend it. */
  readonly remedy?: string;
}

/** Base of everything babelscope throws on purpose. `exitCode` is what the command line exits with. */
export class BabelscopeError extends Error {
  readonly exitCode: number = 1;
  readonly details: ErrorDetails;

  constructor(given: ErrorDetails, options?: ErrorOptions) {
    // No error carries a token or a password, whoever shows it.
    const details = Object.fromEntries(
      Object.entries(given).map(([part, text]) => [part, typeof text === 'string' ? redact(text) : text]),
    ) as unknown as ErrorDetails;
    super(
      formatDetails(details),
      options?.cause === undefined ? undefined : { cause: redactCause(options.cause) },
    );
    this.name = new.target.name;
    this.details = details;
  }
}

/** Input or arguments that cannot be used; the user can mend it. */
export class InputError extends BabelscopeError {
  override readonly exitCode = 2;
}

/** The class thrown for an unusable file: what kind of artefact the file was to be. */
export type InputErrorClass = new (details: ErrorDetails, options?: ErrorOptions) => InputError;

/** The message of a caught value, which need not be an error. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The first of some names, for a message. */
export function listed(names: readonly string[], most: number): string {
  return names.slice(0, most).join(', ') + (names.length > most ? `, … (${names.length})` : '');
}

/** A checkpoint folder that is malformed, incomplete or of an unsupported kind. */
export class CheckpointError extends InputError {}

/** A model on the hub that does not exist, may not be read, came damaged, or cannot be reached. */
export class HubError extends InputError {}

/** A tokenizer that is missing, malformed or cannot reproduce its input. */
export class TokenizerError extends InputError {}

/** A probe set that is malformed or unfit for the request. */
export class ProbeError extends InputError {}

/** A run, part or table on disk that is malformed, incomplete or does not match. */
export class RunError extends InputError {}

/** A file of another program that is malformed, or that holds what is not read. */
export class ImportError extends InputError {}

/** Options that contradict each other or name something that does not exist. */
export class UsageError extends InputError {}

/** A folder that cannot be written, or a disk that is full. */
export class OutputError extends InputError {}

/** The user interrupted (Ctrl-C) or aborted; finished parts are kept. */
export class InterruptedError extends BabelscopeError {
  override readonly exitCode = 130;
}

const FIELDS = ['what', 'where', 'expected', 'found', 'remedy'] as const;

/** Characters of a detail that a message shows: a file's content may be of any length. */
const SHOWN_CHARACTERS = 2_000;

function formatDetails(details: ErrorDetails): string {
  const [what, where, expected, found, remedy] = FIELDS.map((field) => shortened(details[field]));
  const lines = [where === undefined ? `${what}` : `${where}: ${what}`];
  if (expected !== undefined) lines.push(`  expected: ${expected}`);
  if (found !== undefined) lines.push(`  found:    ${found}`);
  if (remedy !== undefined) lines.push(`  remedy:   ${remedy}`);
  // A line of a file's own text never stands where a line of ours would.
  return lines.map((line) => line.replaceAll('\n', '\n            ')).join('\n');
}

function shortened(text: string | undefined): string | undefined {
  return text === undefined || text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}
