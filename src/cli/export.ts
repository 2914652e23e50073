import { Command, Option } from '@commander-js/extra-typings';
import { EXPORT_POLICIES, exportCsv, exportLapeMask, exportTransformerLens } from '../interchange/index.js';
import { choice } from './options.js';
import { say } from './terminal.js';

const FORMATS = ['csv', 'lape-mask', 'transformer-lens'] as const;

export function exportCommand() {
  return new Command('export')
    .argument('<run>', 'a run; for csv also a comparison')
    .addOption(
      new Option(
        '--format <format>',
        'csv: the tables, into a folder; lape-mask: selected neurons as a .pt file; transformer-lens: pooled values as one safetensors file',
      )
        .choices(FORMATS)
        .makeOptionMandatory(),
    )
    .requiredOption('--out <path>', 'where it goes')
    .addOption(choice('--policy <name>', 'of lape-mask: whose selection', EXPORT_POLICIES, 'tang2024'))
    .action(async (run, { format, out, policy }) => {
      if (format === 'csv') for (const path of await exportCsv(run, out)) say(`wrote ${path}`);
      else if (format === 'lape-mask') {
        const { languages, layers } = await exportLapeMask(run, out, policy);
        say(`wrote ${out}: ${languages.join(', ')} in this order (${out}.json), ${layers} layers`);
      } else {
        const names = await exportTransformerLens(run, out);
        say(`wrote ${out}: ${names.length} arrays, ${names[0]} …`);
      }
    });
}
