import { existsSync } from 'node:fs';
import { Command, Option } from '@commander-js/extra-typings';
import { UsageError } from '../errors.js';
import {
  importLahis,
  importLapeCounts,
  importLapeJson,
  importLapeMask,
  importSelfcond,
  parseSource,
} from '../interchange/index.js';
import { parseList } from './options.js';
import { say } from './terminal.js';

const FORMATS = ['lape-counts', 'lahis', 'lape-mask', 'lape-json', 'selfcond'] as const;

export function importCommand() {
  return new Command('import')
    .argument('<files...>', 'their files; language=file where the name does not say which language it is of')
    .addOption(
      new Option(
        '--format <format>',
        'lape-counts, lahis: a run, several files of a language being its folds; lape-mask, lape-json, selfcond: a selection',
      )
        .choices(FORMATS)
        .makeOptionMandatory(),
    )
    .requiredOption('--out <folder>', 'where it goes')
    .option('--model <name>', 'what to call the model (default: the name of the folder)')
    .option('--languages <tags>', 'of lape-mask: its languages, in order', parseList)
    .action(async (files, { format, out, model, languages }) => {
      const sources = files.map(parseSource);
      const missing = sources.find(({ path }) => !existsSync(path));
      if (missing !== undefined) {
        throw new UsageError({
          what: 'there is no such file',
          where: missing.path,
          expected: `a file of the format ${format}, or language=file`,
          remedy: 'check the path',
        });
      }
      if (format === 'lape-counts' || format === 'lahis') {
        const importRun = format === 'lahis' ? importLahis : importLapeCounts;
        const manifest = await importRun(sources, out, model);
        for (const warning of manifest.warnings) say(`warning: ${warning}`);
        const { plan, shape } = manifest;
        say(`wrote ${out}: ${plan.languages.length} languages, ${plan.folds} folds, ${shape.layers} layers`);
        say(`Next: babelscope score ${out}`);
        return;
      }
      const options = { out, model, languages };
      if (format === 'selfcond') {
        const { leftOut } = await importSelfcond(sources, options);
        if (leftOut > 0) say(`left out: ${leftOut} rows of modules whose outputs are no MLP neurons`);
      } else {
        const importFile = format === 'lape-mask' ? importLapeMask : importLapeJson;
        await importFile(onlyFile(files), options);
      }
      say(`wrote ${out}\nNext: babelscope compare ${out} <selection or scored run> --out <folder>`);
    });
}

function onlyFile(files: readonly string[]): string {
  const [first, ...more] = files;
  if (first !== undefined && more.length === 0) return first;
  throw new UsageError({
    what: 'a selection is one file',
    expected: 'one file',
    found: `${files.length}`,
    remedy: 'import each into a folder of its own',
  });
}
