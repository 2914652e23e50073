import { Command } from '@commander-js/extra-typings';
import {
  checkProbes,
  describeSource,
  listBuiltinProbes,
  listProbeFormats,
  loadProbes,
} from '../probes/index.js';
import { plural } from '../report/index.js';
import { print, printJson, printTable, say } from './terminal.js';

export function probesCommand() {
  const probes = new Command('probes');

  probes
    .command('list')
    .description('the built-in probe sets, and the formats that published ones are read in')
    .option('--json', 'print one JSON object')
    .action(async ({ json }) => {
      const sets = await listBuiltinProbes();
      if (json) {
        printJson({ sets, formats: listProbeFormats() });
        return;
      }
      printTable(
        ['name', 'kind', 'items', 'languages', 'licence'],
        sets.map((set) => [set.name, set.kind, set.items, set.languages.join(' '), set.licence]),
      );
      print('\nPublished sets are read from their own files, by --probes <path> [--format <name>]:\n');
      for (const { name, title, files } of listProbeFormats())
        print(`${name.padEnd(15)} ${title}\n${' '.repeat(16)}${files}`);
    });

  probes
    .command('show')
    .description('the first items of a probe set, in every language')
    .argument('<set>', 'a built-in name, a folder, or files of a published set')
    .option('--format <name>', 'how the files are to be read (default: what they look like)')
    .option('--json', 'print one JSON object')
    .action(async (name, { json, format }) => {
      const set = await loadProbes(name, format === undefined ? {} : { format });
      const first = set.items
        .slice(0, 3)
        .map((item) => ({ id: item.id, prompts: Object.fromEntries(item.prompts) }));
      if (json) {
        printJson({
          identity: set.identity,
          languages: set.languages,
          items: set.items.length,
          sources: set.sources ?? [],
          first,
          warnings: set.warnings,
        });
        return;
      }
      const { identity } = set;
      print(
        `${identity.name} ${identity.version} (${identity.kind}): ${set.items.length} items, ${set.languages.length} languages`,
      );
      print(`licence: ${identity.licence}\nsource:  ${identity.source}\nsha256:  ${identity.sha256}\n`);
      for (const source of set.sources ?? []) print(describeSource(source));
      for (const item of first) {
        print(item.id);
        for (const [language, prompt] of Object.entries(item.prompts)) {
          print(
            `  ${language.padEnd(8)} ${prompt.text}${prompt.answer === undefined ? '' : `  →  ${prompt.answer}`}`,
          );
        }
        print('');
      }
      for (const warning of set.warnings) say(`warning: ${warning.message}`);
    });

  probes
    .command('check')
    .description('everything that is wrong with a probe set')
    .argument('<path>', 'a folder with probe.json and items.jsonl, or files of a published set')
    .option('--format <name>', 'how the files are to be read (default: what they look like)')
    .option('--json', 'print one JSON object')
    .action(async (folder, { json, format }) => {
      const check = await checkProbes(folder, format);
      if (json) printJson(check);
      else {
        for (const source of check.sources) print(describeSource(source));
        for (const error of check.errors) print(`error: ${error.message}`);
        for (const warning of check.warnings) print(`warning: ${warning.message}`);
        print(
          check.errors.length === 0
            ? `${folder}: ${check.identity!.name}, ${plural(check.items, 'item')} in ${plural(check.languages.length, 'language')}, usable`
            : `${folder}: not usable, ${plural(check.errors.length, 'error')}`,
        );
      }
      if (check.errors.length > 0) process.exitCode = 2;
    });

  return probes;
}
