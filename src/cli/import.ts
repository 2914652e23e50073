import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import {
  describeSelection,
  FACTS,
  type FactName,
  type Facts,
  FILE_OPTIONS,
  type FileOption,
  IMPORT_FORMATS,
  type ImportResult,
  importFiles,
  parseSource,
  readMatrix,
} from '../interchange/index.js';
import type { RunManifest } from '../store/index.js';
import { formatTable, say } from './terminal.js';

export function importCommand() {
  const command = new Command('import')
    .argument('<files...>', 'their files; language=file where the name does not say which language it is of')
    .addOption(
      new Option(
        '--format <format>',
        `of the files (default: recognised by the first). ${IMPORT_FORMATS.map(({ name, title }) => `${name}: ${title}`).join('. ')}`,
      ).choices(IMPORT_FORMATS.map(({ name }) => name)),
    )
    .requiredOption('--out <folder>', 'where it goes')
    .addOption(fileOption('prefix'))
    .addOption(fileOption('baseline'));
  for (const name of Object.keys(FACTS) as FactName[]) command.addOption(factOption(name));
  return command.action(async (files, given) => {
    const { format, out, prefix, baseline, expectCounts, ...facts } = given as typeof given & {
      readonly prefix?: readonly string[];
      readonly baseline?: string;
      readonly expectCounts?: Facts['counts'];
    } & Facts;
    const result = await importFiles(files.map(parseSource), {
      ...facts,
      counts: expectCounts,
      format,
      out,
      prefix: prefix?.map(parseSource),
      baseline: baseline === undefined ? undefined : parseSource(baseline),
    });
    if (format === undefined) say(`format: ${result.format}`);
    for (const path of result.sidecars) say(`read beside the file: ${path}`);
    for (const sentence of result.overridden) say(sentence);
    await sayImported(out, result);
  });
}

/** The help of an option, after the formats that it is of: `of lape-mask, lape-json: …`. */
function about(name: FactName | FileOption, text: string): string {
  const formats = IMPORT_FORMATS.filter(({ options }) => (options as readonly string[]).includes(name));
  return formats.length === 0 ? text : `of ${formats.map((format) => format.name).join(', ')}: ${text}`;
}

function fileOption(name: FileOption) {
  return new Option(FILE_OPTIONS[name].flag, about(name, FILE_OPTIONS[name].about));
}

function factOption(name: FactName) {
  const { flag, about: text, parse, schema } = FACTS[name];
  return new Option(flag, about(name, text)).argParser((given) => {
    const parsed = schema.safeParse(parse(given));
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(parsed.error.issues[0]!.message);
  });
}

async function sayImported(out: string, result: ImportResult): Promise<void> {
  switch (result.becomes) {
    case 'run':
      return sayRun(out, result.manifest);
    case 'selection':
      return saySelection(out, result.notes);
    case 'matrix': {
      const { intervened, languages, quantity, baseline } = await readMatrix(out);
      say(
        `wrote ${out}: ${quantity} of ${intervened.length} languages intervened on × ${languages.length} tested, ${baseline === null ? 'no baseline' : 'with a baseline'}`,
      );
      say(`Next: babelscope report ${out} --out <folder>`);
    }
  }
}

function sayRun(out: string, { warnings, imported, languages, plan, shape }: RunManifest): void {
  for (const warning of warnings) say(`warning: ${warning}`);
  const heads = imported!.format === 'lahis';
  for (const { name, language } of imported!.files) say(`${name}: ${language}`);
  say(
    formatTable(
      ['language', heads ? 'files' : 'tokens'],
      languages.map(({ tag, tokens }) => [tag, tokens]),
    ),
  );
  const units = heads ? `${shape.heads} heads` : `${shape.dMlp} neurons`;
  say(
    `wrote ${out}: ${plan.languages.length} languages, ${plan.folds} folds, ${shape.layers} layers of ${units}`,
  );
  say(`Next: babelscope score ${out}`);
}

async function saySelection(out: string, notes: readonly string[]): Promise<void> {
  const { unit, languages, sets } = await describeSelection(out);
  const { perLanguage, selected, byLayer, layers, rule, units } = sets[0]!;
  say(
    formatTable(
      ['language', `selected ${unit}s`],
      languages.map((tag, k) => [tag, perLanguage[k]!]),
    ),
  );
  for (const note of notes) say(note);
  const many = selected === null ? `counts of ${unit}s` : `${selected} ${unit}s`;
  say(
    `wrote ${out}: ${many} of ${layers === null ? 'at least ' : ''}${byLayer.length} layers, selected by ${rule}${
      units === null ? '; of how many is not known' : ` of ${units}`
    }`,
  );
  say(`Next: babelscope compare ${out} <selection or scored run> --out <folder>`);
}
