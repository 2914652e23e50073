#!/usr/bin/env node
import { runCommandLine } from './command-line.js';
import { endAtSignals, guardConsole, reportError } from './terminal.js';

// `babelscope … | head` closes our output early; what was asked for has been delivered.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
// Nobody may be reading what is said meanwhile; the work goes on, and the exit status says how it ended.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  // EIO: the terminal is gone, which SIGHUP tells.
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
});
guardConsole();
endAtSignals();
// Also what nobody caught is shown in the way of every other error.
process.on('uncaughtException', (error) => process.exit(reportError(error)));

process.exitCode = await runCommandLine(process.argv.slice(2));
