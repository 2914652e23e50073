import { Command, InvalidArgumentError } from '@commander-js/extra-typings';
import { type ItemPlan, planItems } from '../compare/index.js';
import { interruptSignal, print, printJson, printTable } from './terminal.js';

export function planCommand() {
  return new Command('plan')
    .requiredOption('--from <run>', 'a captured run: the pilot whose variance is planned by')
    .option(
      '--against <run>',
      'another run over the same items: the error is then that of the change between the two',
    )
    .option(
      '--detect <change>',
      "the change to be found, in per cent of the pilot's level",
      parsePercent,
      0.1,
    )
    .option('--power <chance>', 'the chance to find it', parsePower, 0.8)
    .option('--json', 'print the plan as one JSON object')
    .action(async ({ from, json, ...options }) => {
      const plan = await planItems(from, { ...options, signal: interruptSignal() });
      if (json) printJson(plan);
      else printPlan(plan);
    });
}

function printPlan({ measures, detect, power, level, items, folds, clusters, paired }: ItemPlan): void {
  const pilot = `${items} items in ${folds} folds${clusters === null ? '' : `, ${clusters.count} clusters by ${clusters.by}`}`;
  print(
    `To find a change of ${percent(detect)} in ${percent(power)} of comparisons (two-sided, ${percent(level)}).`,
  );
  print(
    paired
      ? `Errors are those of the change between the two runs. Pilot: ${pilot}.`
      : `Errors are those of two runs that share nothing; with --against they are of a change, and smaller. Pilot: ${pilot}.`,
  );
  printTable(
    [
      'units',
      'measure',
      'level',
      'change',
      'error',
      'pilot finds',
      'items',
      ...(clusters === null ? [] : ['clusters']),
    ],
    measures.map((row) => [
      row.type === null ? 'residual' : `${row.type}s`,
      row.measure,
      number(row.level),
      number(row.detect),
      number(row.se),
      number(row.detectable),
      row.items ?? '–',
      ...(clusters === null ? [] : [row.clusters ?? '–']),
    ]),
  );
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

function number(value: number | null): string {
  return value === null ? '–' : Number(value.toPrecision(3)).toString();
}

/** `10%` or `0.1`. */
function parsePercent(text: string): number {
  const match = /^([0-9]*\.?[0-9]+(?:e-?[0-9]+)?)\s*(%?)$/i.exec(text.trim());
  const share = Number(match?.[1]) / (match?.[2] === '%' ? 100 : 1);
  if (!(share > 0) || !Number.isFinite(share))
    throw new InvalidArgumentError('expected a change above 0, for example 10%');
  return share;
}

function parsePower(text: string): number {
  const share = parsePercent(text);
  if (share <= 0.05 || share >= 1)
    throw new InvalidArgumentError('expected a chance above 5% and below 100%, for example 80%');
  return share;
}
