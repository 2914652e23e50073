import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import {
  againstReference,
  type Change,
  type Comparison,
  compareRuns,
  type Estimate,
  findingInWords,
  languageGroups,
  mainUnits,
  perCentOfLevel,
  type QuantityKey,
  type RunToCompare,
  rowsOf,
  writeChanges,
  writeComparison,
} from '../compare/index.js';
import { UsageError } from '../errors.js';
import { EXPORT_POLICIES, isMatrix, isSelection } from '../interchange/index.js';
import { openRun, withFolderLock } from '../store/index.js';
import { compareSelected, inPerCent } from './compare-selected.js';
import { choice, parseList, parseSeed, parseShare } from './options.js';
import {
  formatTable,
  interruptSignal,
  print,
  printJson,
  say,
  sayWarnings,
  withLayerProgress,
} from './terminal.js';

export function compareCommand() {
  return new Command('compare')
    .argument(
      '<runs...>',
      'captured or imported runs, every two of which are compared; or imported selections, with scored runs',
    )
    .requiredOption('--out <comparison>', 'folder of the comparison')
    .option('--labels <names>', 'a name for each run, comma-separated (default: model@revision)', parseList)
    .option('--reference <label>', 'the run that sets the entropy cut (default: the first)')
    .option(
      '--groups <group>',
      'languages to be measured apart as well: family, script, name=en,es,… or a JSON file {"name": ["en", …]}; repeatable',
      collect,
    )
    .option(
      '--seeds <label=run,…>',
      'runs of further training seeds of one of the runs: its seed floor; repeatable',
      collectSeeds,
    )
    .option(
      '--contrast <from,to>',
      'difference in differences against the reference, to − from (default: every two other runs, of a trajectory none); repeatable',
      collectPairs,
    )
    .option('--trajectory', 'the runs are checkpoints of one training run (labels such as base@step1000)')
    .option('--steps <numbers>', 'the training step of each run, instead of its label', parseSteps)
    .addOption(
      choice(
        '--changes <how much>',
        'basic: changes of LAPE, ω² and η² of every unit; full: of every score in every language too, which takes minutes to hours (changes.parquet)',
        ['basic', 'full'],
        'basic',
      ),
    )
    .addOption(
      new Option(
        '--policy <rule>',
        'against an imported selection: the rule by which neurons of scored runs are selected (default: tang2024)',
      ).choices(EXPORT_POLICIES),
    )
    .option(
      '--margin <share>',
      "changes up to this share of the first run's level do not matter, and may be found unchanged (default: every change matters)",
      parseShare,
    )
    .option('--seed <n>', 'seed of random halves and of exchanged labels', parseSeed, 0)
    .option('--json', 'print the comparison as one JSON object')
    .action(async (runs, { out, labels, reference, groups = [], seeds, contrast, steps, ...rest }) => {
      onePerRun('--labels', runs, labels);
      noMatrix(runs);
      if (runs.some(isSelection)) {
        await compareSelected(runs, { labels, policy: rest.policy }, out, rest.json === true);
        return;
      }
      if (rest.policy !== undefined) {
        throw new UsageError({
          what: 'a policy is chosen where an imported selection is compared, and none is',
          where: '--policy',
          found: runs.join(', '),
          remedy: 'leave it out: comparisons of runs are of both policies',
        });
      }
      onePerRun('--steps', runs, steps);
      const named = runs.map(
        (folder, i): RunToCompare => ({
          folder,
          label: labels?.[i],
          step: steps?.[i],
          seeds: labels?.[i] === undefined ? undefined : seeds?.get(labels[i]),
        }),
      );
      const unknown = [...(seeds?.keys() ?? [])].find((label) => !labels?.includes(label));
      if (unknown !== undefined) {
        throw new UsageError({
          what: 'no run has this label',
          where: '--seeds',
          expected: labels === undefined ? 'a label that --labels gives' : `one of ${labels.join(', ')}`,
          found: unknown,
          remedy: 'name the runs with --labels, and use one of those names: --seeds <label>=<run>,<run>',
        });
      }
      const languages = groups.length === 0 ? [] : (await openRun(runs[0]!)).manifest.languages;
      const options = {
        reference,
        groups: await languageGroups(groups, languages),
        contrasts: contrast,
        trajectory: rest.trajectory === true || steps !== undefined,
        margin: rest.margin,
        seed: rest.seed,
        signal: interruptSignal(),
      };
      const comparison = await withLayerProgress('compare', (onLayer) =>
        compareRuns(named, { ...options, onProgress: ({ done, total }) => onLayer(done, total) }),
      );
      await withFolderLock(out, { what: 'compare' }, async () => {
        await writeComparison(out, comparison);
        await withLayerProgress('changes', (onPiece) =>
          writeChanges(out, named, {
            changes: rest.changes,
            units: comparison.units,
            reference,
            seed: options.seed,
            signal: options.signal,
            onProgress: ({ done, total }) => onPiece(done, total),
          }),
        );
      });
      if (rest.json) printJson(comparison);
      else printComparison(comparison);
      sayWarnings(comparison.warnings);
      say(`\nNext: babelscope report ${out} --out <folder>`);
    });
}

/** A matrix of languages has nothing that runs or selections share. @throws UsageError */
function noMatrix(folders: readonly string[]): void {
  const matrix = folders.find(isMatrix);
  if (matrix === undefined) return;
  throw new UsageError({
    what: 'a matrix of languages is not compared',
    where: matrix,
    expected: 'captured or imported runs, or imported selections',
    remedy: `draw it: babelscope report ${matrix} --out <folder>`,
  });
}

/** The changes against the reference, also of each language's selected units, trends, and differences in differences, as tables. */
export function printComparison(comparison: Comparison): void {
  const [reference, ...others] = comparison.runs.map(({ label }) => label);
  if (others.length === 0) {
    print(`One run, ${reference}: described, with nothing to compare it with.`);
    return;
  }
  const measured = comparison.changes.some(({ change }) => change.value !== null);
  if (measured) for (const line of comparison.population?.words ?? []) print(line);
  const types = [...comparison.units.map(({ type }) => type), null];
  const changes = types.flatMap((type) => againstReference(comparison, type));
  if (hasNumber(changes.map(({ change }) => change.value))) {
    printSection(
      `Changes from ${reference}:`,
      ['units', 'to', 'measure', 'change', '%', '95 % interval', 'p', 'finding', 'other training'],
      changes.map((c) => [
        unitsOf(c),
        c.to,
        c.measure,
        number(c.change.value),
        number(perCentOfLevel(c)),
        interval(c.change),
        number(c.test.adjusted),
        findingInWords(c.test),
        c.seeds.test.finding,
      ]),
    );
  } else {
    print(`Changes from ${reference}: not measured${reasons(changes)}.`);
  }
  printLanguages(comparison);
  const trends = rowsOf(comparison.trends, { layer: null });
  printSection(
    'Trends over training steps (Mann–Kendall):',
    ['units', 'languages', 'measure', 'τ', 'p', 'corrected p', 'trend'],
    (hasNumber(trends.map(({ tau }) => tau)) ? trends : []).map((t) => [
      unitsOf(t),
      t.group ?? 'all',
      t.measure,
      number(t.tau),
      number(t.p),
      number(t.adjusted),
      t.finding,
    ]),
  );
  const contrasts = rowsOf(comparison.contrasts, { layer: null });
  printSection(
    'Differences in differences against the reference:',
    [
      'units',
      'languages',
      'to − from',
      'measure',
      'difference',
      '95 % interval',
      'p',
      'finding',
      'other training',
    ],
    (hasNumber(contrasts.map(({ difference }) => difference.value)) ? contrasts : []).map((c) => [
      unitsOf(c),
      c.group ?? 'all',
      `${c.to} − ${c.from}`,
      c.measure,
      number(c.difference.value),
      interval(c.difference),
      number(c.test.adjusted),
      findingInWords(c.test),
      c.seeds.test.finding,
    ]),
  );
}

/** Selected units of each language in the reference and in every other run, with the change in units and per cent. */
function printLanguages(comparison: Comparison): void {
  const type = mainUnits(comparison)?.type;
  const [reference, ...others] = comparison.runs.map(({ label }) => label);
  if (type === undefined || reference === undefined) return;
  const selected = rowsOf(comparison.changes, { type, measure: 'selected', layer: null, from: reference });
  const rows = comparison.languages.flatMap(({ tag }) => {
    const own = rowsOf(selected, { language: tag });
    if (!hasNumber(own.map(({ change }) => change.value))) return [];
    const cells = others.map((to) => {
      const change = own.find((row) => row.to === to);
      return change === undefined ? '–' : countAndChange(change);
    });
    return [[tag, own[0]!.valueFrom ?? '–', ...cells]];
  });
  printSection(
    `Selected ${type}s by language, from ${reference} to each run:`,
    ['language', reference, ...others],
    rows,
  );
}

/** `68 (-9, -12 %)`. */
function countAndChange({ valueFrom, valueTo, change: { value } }: Change): string {
  if (valueFrom === null || valueTo === null || value === null) return '–';
  return `${valueTo} (${inPerCent(valueFrom, value).join(', ')})`;
}

function hasNumber(values: readonly (number | null)[]): boolean {
  return values.some((value) => value !== null);
}

/** Why changes are not measured, each reason once; empty without any. */
function reasons(changes: readonly Change[]): string {
  const notes = [...new Set(changes.map(({ test }) => test.note).filter((note) => note !== ''))];
  return notes.length === 0 ? '' : ` (${notes.join('; ')})`;
}

/** A heading and a table, and neither where there are no rows. */
function printSection(
  heading: string,
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  if (rows.length > 0) print(`\n${heading}\n${formatTable(columns, rows)}`);
}

/** The residual stream, of which languages are aligned, has no units. */
function unitsOf({ type }: QuantityKey): string {
  return type === null ? 'residual' : `${type}s`;
}

function interval({ low, high }: Estimate): string {
  return `${number(low)} … ${number(high)}`;
}

function number(value: number | null): string {
  return value === null ? '–' : Number(value.toPrecision(3)).toString();
}

function onePerRun(option: string, runs: readonly string[], given: readonly unknown[] | undefined): void {
  if (given === undefined || given.length === runs.length) return;
  throw new UsageError({
    what: 'there must be one for each run',
    where: option,
    expected: `${runs.length}`,
    found: `${given.length}: ${given.join(', ')}`,
    remedy: 'give as many as there are runs, in the same order',
  });
}

function collect(text: string, previous: string[] = []): string[] {
  return [...previous, text];
}

function collectSeeds(text: string, previous = new Map<string, string[]>()): Map<string, string[]> {
  const [label = '', folders] = [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)];
  if (!text.includes('=') || label === '') throw new InvalidArgumentError('expected label=run,run');
  return previous.set(label, [...(previous.get(label) ?? []), ...parseList(folders)]);
}

function collectPairs(text: string, previous: [string, string][] = []): [string, string][] {
  const [from, to, ...more] = parseList(text);
  if (from === undefined || to === undefined || more.length > 0) {
    throw new InvalidArgumentError('expected two labels, for example sft,grpo');
  }
  return [...previous, [from, to]];
}

function parseSteps(text: string): number[] {
  return parseList(text).map((part) => {
    const step = Number(part);
    if (!Number.isFinite(step) || step < 0) throw new InvalidArgumentError(`${part} is no training step`);
    return step;
  });
}
