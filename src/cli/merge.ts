import { Command } from '@commander-js/extra-typings';
import { mergeRun } from '../capture/index.js';
import { say } from './terminal.js';

export function mergeCommand() {
  return new Command('merge')
    .argument('<run>', 'the folder all shards were captured into')
    .action(async (run) => {
      await mergeRun(run);
      say(`merged ${run}\nNext: babelscope score ${run}`);
    });
}
