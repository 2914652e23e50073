import { Command, Option } from '@commander-js/extra-typings';
import { EXPORT_POLICIES, exportCsv, exportLapeMask, exportTransformerLens } from '../interchange/index.js';
import { choice } from './options.js';
import { say } from './terminal.js';

const FORMATS = ['csv', 'lape-mask', 'transformer-lens'] as const;

export function exportCommand() {
  return new Command('export')
    .argument('<run>', 'a run; for csv also a comparison or an import')
    .addOption(
      new Option(
        '--format <format>',
        'csv: the tables, into a folder; lape-mask: selected neurons as a .pt file; transformer-lens: pooled values as one safetensors file',
      )
        .choices(FORMATS)
        .makeOptionMandatory(),
    )
    .requiredOption(
      '--out <path>',
      'where it goes; .pt or .safetensors is added to the name of a file that has neither',
    )
    .addOption(choice('--policy <name>', 'of lape-mask: whose selection', EXPORT_POLICIES, 'tang2024'))
    .action(async (run, { format, out, policy }) => {
      if (format === 'csv') for (const path of await exportCsv(run, out)) say(`wrote ${path}`);
      else if (format === 'lape-mask') {
        const path = withSuffix(out, ['.pt', '.pth']);
        const { languages, layers } = await exportLapeMask(run, path, policy);
        say(`wrote ${path}: ${languages.join(', ')} in this order (${path}.json), ${layers} layers`);
      } else {
        const path = withSuffix(out, ['.safetensors']);
        const names = await exportTransformerLens(run, path);
        say(`wrote ${path}: ${names.length} arrays, ${names[0]} …`);
      }
    });
}

/** The path of a file that programs recognise by its suffix; the first is added where it has none of them. */
function withSuffix(path: string, suffixes: readonly string[]): string {
  return suffixes.some((suffix) => path.toLowerCase().endsWith(suffix)) ? path : `${path}${suffixes[0]}`;
}
