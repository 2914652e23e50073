import { Command, CommanderError, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { VERSION } from '../version.js';
import { printable } from './printable.js';
import { reportError } from './terminal.js';

/** Every command: what it does, and where it is. */
const COMMANDS: Readonly<
  Record<string, readonly [summary: string, load: () => Promise<CommandUnknownOpts>]>
> = {
  inspect: [
    'what a checkpoint is (architecture, exact parameter count, units, hook points) and what a capture of it takes',
    async () => (await import('./inspect.js')).inspectCommand(),
  ],
  probes: ['list, show and check probe sets', async () => (await import('./probes.js')).probesCommand()],
  capture: [
    'run parallel prompts through a checkpoint and record, per language, what each unit does',
    async () => (await import('./capture.js')).captureCommand(),
  ],
  merge: ['join the parts of a sharded capture', async () => (await import('./merge.js')).mergeCommand()],
  score: [
    'how language-selective is each unit, with its uncertainty',
    async () => (await import('./score.js')).scoreCommand(),
  ],
  compare: [
    'what differs between checkpoints, beside what would differ by chance alone',
    async () => (await import('./compare.js')).compareCommand(),
  ],
  plan: [
    'how many items a comparison needs to find a change of a given size',
    async () => (await import('./plan.js')).planCommand(),
  ],
  report: [
    'the figures and tables of a paper, and one HTML page to explore',
    async () => (await import('./report.js')).reportCommand(),
  ],
  import: [
    'what other programs released, as a run or as a selection of neurons',
    async () => (await import('./import.js')).importCommand(),
  ],
  export: [
    'what a run holds, as other programs read it',
    async () => (await import('./export.js')).exportCommand(),
  ],
  verify: [
    'whether every file of a run, a comparison or a selection is what was written',
    async () => (await import('./verify.js')).verifyCommand(),
  ],
  demo: [
    'the whole job on the bundled checkpoints: capture, score, compare, report',
    async () => (await import('./demo.js')).demoCommand(),
  ],
};

/** Every command, loaded. */
export async function loadCommands(): Promise<CommandUnknownOpts[]> {
  return Promise.all(
    Object.values(COMMANDS).map(async ([summary, load]) => (await load()).description(summary)),
  );
}

/**
 * Runs one command line, given as words.
 *
 * @returns the exit status: 0 done, 1 a fault of ours, 2 unusable input or arguments, 130, 143 or 129 interrupted by
 *   Ctrl-C, SIGTERM or SIGHUP
 */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  const program = new Command('babelscope')
    .description(
      'Look inside multilingual language models: which neurons and heads are tied to a language, ' +
        'and what training changed, beside what chance alone would change.',
    )
    .version(VERSION)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 a fault of babelscope, 2 unusable input or arguments, 130 interrupted (143 by SIGTERM, 129 by SIGHUP).' +
        '\nStart with: babelscope demo',
    );
  // Only the command that is asked for is loaded: help and version need none of the libraries that it needs.
  const asked = words.find((word) => Object.hasOwn(COMMANDS, word));
  for (const [name, [summary, load]] of Object.entries(COMMANDS)) {
    const command = name === asked ? await load() : new Command(name);
    program.addCommand(command.description(summary));
  }
  exitInsteadOfQuitting(program);
  try {
    await program.parseAsync(words, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return reportError(error);
  }
}

/** Unusable arguments are the user's to mend (2), with a hint how; `--help` and `--version` are a success. */
function exitInsteadOfQuitting(command: CommandUnknownOpts): void {
  command.exitOverride((error) => {
    throw error;
  });
  // Messages of the parser repeat words of the command line, and helps those of packages.
  command.configureOutput({
    writeOut: (text) => void process.stdout.write(printable(text)),
    writeErr: (text) => void process.stderr.write(printable(text)),
  });
  command.showHelpAfterError('Add --help for what it takes.');
  for (const child of command.commands) exitInsteadOfQuitting(child);
}
