import { Command, Option } from '@commander-js/extra-typings';
import { importLahis, importLapeCounts, parseSource } from '../interchange/index.js';
import { say } from './terminal.js';

const FORMATS = { 'lape-counts': importLapeCounts, lahis: importLahis } as const;

export function importCommand() {
  return new Command('import')
    .description('what other programs released, as a run')
    .argument('<files...>', 'their files; language=file where the name does not say which language it is of')
    .addOption(
      new Option('--format <format>', 'what the files are')
        .choices(Object.keys(FORMATS) as (keyof typeof FORMATS)[])
        .makeOptionMandatory(),
    )
    .requiredOption('--out <folder>', 'where it goes')
    .option('--model <name>', 'what to call the model (default: the name of the folder)')
    .action(async (files, { format, out, model }) => {
      const { warnings, languages, plan, shape } = await FORMATS[format](files.map(parseSource), out, model);
      for (const warning of warnings) say(`warning: ${warning}`);
      say(`wrote ${out}: ${languages.length} languages, ${plan.folds} folds, ${shape.layers} layers`);
      say(`Next: babelscope score ${out}`);
    });
}
