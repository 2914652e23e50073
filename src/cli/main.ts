#!/usr/bin/env node
import { Command, CommanderError } from '@commander-js/extra-typings';
import { VERSION } from '../version.js';
import { captureCommand } from './capture.js';
import { compareCommand } from './compare.js';
import { demoCommand } from './demo.js';
import { exportCommand } from './export.js';
import { importCommand } from './import.js';
import { inspectCommand } from './inspect.js';
import { mergeCommand } from './merge.js';
import { probesCommand } from './probes.js';
import { reportCommand } from './report.js';
import { scoreCommand } from './score.js';
import { reportError } from './terminal.js';

// `babelscope … | head` closes our output early; what was asked for has been delivered.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const program = new Command('babelscope')
  .description(
    'Look inside multilingual language models: which neurons and heads are tied to a language,\n' +
      'and what training changed, beside what chance alone would change.',
  )
  .version(VERSION)
  .addHelpText(
    'after',
    '\nExit status: 0 done, 1 a fault of babelscope, 2 unusable input or arguments, 130 interrupted.' +
      '\nStart with: babelscope demo',
  );

const commands = [
  inspectCommand(),
  probesCommand(),
  captureCommand(),
  mergeCommand(),
  scoreCommand(),
  compareCommand(),
  reportCommand(),
  importCommand(),
  exportCommand(),
  demoCommand(),
];
for (const command of commands) program.addCommand(command);

/** Unusable arguments are the user's to mend (2), with a hint how; `--help` and `--version` are a success. */
function exitInsteadOfQuitting(command: Command): void {
  command.exitOverride((error) => {
    throw error;
  });
  command.showHelpAfterError('Add --help for what it takes.');
  for (const child of command.commands) exitInsteadOfQuitting(child as Command);
}
exitInsteadOfQuitting(program as unknown as Command);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = reportError(error);
}
