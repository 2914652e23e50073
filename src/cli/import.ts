import { existsSync } from 'node:fs';
import { Command, Option } from '@commander-js/extra-typings';
import { UsageError } from '../errors.js';
import {
  describeSelection,
  importLahis,
  importLapeCounts,
  importLapeJson,
  importLapeMask,
  importSelfcond,
  parseSource,
} from '../interchange/index.js';
import { parseList, parsePositiveInteger } from './options.js';
import { say, sayTable, sayWarnings } from './terminal.js';

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
    .option(
      '--neurons <n>',
      'of a selection: neurons of each layer, which no file says',
      parsePositiveInteger,
    )
    .option(
      '--rule <name>',
      'of lape-mask, lape-json: the rule that selected them, such as tang2024 or polyfact2026',
    )
    .action(async (files, { format, out, model, languages, neurons, rule }) => {
      assertApplies(format, { languages, neurons, rule });
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
        sayWarnings(manifest.warnings);
        const { plan, shape } = manifest;
        const [units, counted] =
          format === 'lahis' ? [`${shape.heads} heads`, 'files'] : [`${shape.dMlp} neurons`, 'tokens'];
        for (const { name, language } of manifest.imported!.files) say(`${name}: ${language}`);
        sayTable(
          ['language', counted],
          manifest.languages.map(({ tag, tokens }) => [tag, tokens]),
        );
        say(
          `wrote ${out}: ${plan.languages.length} languages, ${plan.folds} folds, ${shape.layers} layers of ${units}`,
        );
        say(`Next: babelscope score ${out}`);
        return;
      }
      const options = { out, model, languages, neurons, rule };
      if (format === 'selfcond') {
        const { leftOut } = await importSelfcond(sources, options);
        if (leftOut > 0) say(`left out: ${leftOut} rows of modules whose outputs are no MLP neurons`);
      } else {
        const importFile = format === 'lape-mask' ? importLapeMask : importLapeJson;
        await importFile(onlyFile(files), options);
      }
      const described = await describeSelection(out);
      const [set] = described.sets;
      sayTable(
        ['language', 'selected neurons'],
        described.languages.map((tag, k) => [tag, set!.perLanguage[k]!]),
      );
      if (format === 'lape-mask') {
        say('The file does not name its languages: check these counts against those published for them.');
      }
      say(
        `wrote ${out}: ${set!.selected} neurons of ${set!.byLayer.length} layers, selected by ${set!.rule}${
          set!.units === null ? '; of how many neurons is not known' : ` of ${set!.units}`
        }`,
      );
      say(`Next: babelscope compare ${out} <selection or scored run> --out <folder>`);
    });
}

/** Options of each format, besides those of all. */
const OWN_OPTIONS: Readonly<Record<(typeof FORMATS)[number], readonly string[]>> = {
  'lape-counts': [],
  lahis: [],
  'lape-mask': ['languages', 'neurons', 'rule'],
  'lape-json': ['neurons', 'rule'],
  selfcond: ['neurons'],
};

/** An option that would change nothing is a mistake. */
function assertApplies(format: (typeof FORMATS)[number], given: Readonly<Record<string, unknown>>): void {
  const own = OWN_OPTIONS[format];
  const idle = Object.keys(given).find((name) => given[name] !== undefined && !own.includes(name));
  if (idle === undefined) return;
  throw new UsageError({
    what: `files of ${format} do not need this option`,
    where: `--${idle}`,
    expected: own.length === 0 ? 'none of a format' : own.map((name) => `--${name}`).join(', '),
    remedy: 'leave it out, or name the --format that the files have',
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
