import { Command } from '@commander-js/extra-typings';
import { verify } from '../store/index.js';
import { formatTable, interruptSignal, print, printJson, say } from './terminal.js';

export function verifyCommand() {
  return new Command('verify')
    .argument('<run|comparison|selection>', 'a folder that `capture`, `score`, `compare` or `import` wrote')
    .option('--json', 'print one JSON object')
    .action(async (folder, { json }) => {
      const result = await verify(folder, { signal: interruptSignal() });
      const { files, damaged, unfinished } = result;
      if (damaged.length > 0) process.exitCode = 2;
      if (json) {
        printJson(result);
        return;
      }
      for (const verb of unfinished) say(`${verb} has not finished: repeat the command to go on`);
      if (damaged.length === 0) {
        print(`${files} files are what was written`);
        return;
      }
      print(
        formatTable(
          ['file', 'of', 'problem'],
          damaged.map(({ file, of, problem }) => [file, of, problem]),
        ),
      );
      say(`\n${damaged.length} of ${files} files are not what was written. Make them anew:`);
      for (const command of new Set(damaged.map((one) => one.command))) say(`  ${command}`);
    });
}
