/** The page of commands and options, from what commander knows of them. */
import { fileURLToPath } from 'node:url';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { loadCommands } from '../src/cli/command-line.js';

export const CLI_PAGE = fileURLToPath(new URL('../docs/cli.md', import.meta.url));

/** One line that works, for each command. */
const EXAMPLES: Readonly<Record<string, string>> = {
  inspect: 'babelscope inspect hf://Qwen/Qwen2.5-0.5B',
  probes: 'babelscope probes show facts',
  capture: 'babelscope capture path/to/base --probes facts --languages en,de,ja --limit 300 --out runs/base',
  merge: 'babelscope merge runs/base',
  score: 'babelscope score runs/base --scores lape,ap',
  compare:
    'babelscope compare runs/base runs/sft runs/grpo --labels base,sft,grpo --seeds sft=runs/sft-2 --contrast sft,grpo --out runs/all',
  report: 'babelscope report runs/all --out report',
  import: 'babelscope import activation.*.pt --format lape-counts --out runs/llama',
  export: 'babelscope export runs/base --format csv --out tables',
  demo: 'babelscope demo',
};

export async function renderCliPage(): Promise<string> {
  const commands = await loadCommands();
  const sections = commands.map((command) => section(command, EXAMPLES[command.name()] ?? ''));
  return `${[
    '# Commands',
    'Made from the commands themselves by `npx tsx scripts/make-cli-doc.ts`. `babelscope <command> --help` says the same.',
    'Exit status: 0 done, 1 a fault of babelscope, 2 unusable input or arguments, 130 interrupted (143 by SIGTERM, 129 by SIGHUP). ' +
      '`--json` prints one object on standard output; everything else goes to standard error.',
    ...sections,
  ].join('\n\n')}\n`;
}

function section(command: CommandUnknownOpts, example: string, parent = ''): string {
  const name = `${parent}${command.name()}`;
  const options = command.options
    .filter(({ hidden }) => !hidden)
    .map(({ flags, description, argChoices, defaultValue }) => {
      const more = [
        argChoices === undefined ? '' : `one of ${argChoices.join(', ')}`,
        defaultValue === undefined || defaultValue === false ? '' : `default ${shown(defaultValue)}`,
      ].filter((part) => part !== '');
      return row(`\`${flags}\``, [description, ...more].join('; '));
    });
  const words = [
    parent === '' ? `## ${name}` : `### ${name}`,
    sentence(command.description()),
    example === '' ? '' : `    ${example}`,
    command.registeredArguments
      .map((argument) => `\`${argument.name()}\`: ${argument.description}.`)
      .join(' '),
    options.length === 0 ? '' : ['| option | |', '| --- | --- |', ...options].join('\n'),
    ...command.commands.map((child) => section(child, '', `${name} `)),
  ];
  return words.filter((part) => part !== '').join('\n\n');
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replace(/\s+/g, ' ')).join(' | ')} |`;
}

function shown(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : String(value);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\s+/g, ' ')}.`;
}
