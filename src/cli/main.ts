#!/usr/bin/env node
import { runCommandLine } from './command-line.js';

// `babelscope … | head` closes our output early; what was asked for has been delivered.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
// Nobody may be reading what is said meanwhile; the work goes on, and the exit status says how it ended.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2));
