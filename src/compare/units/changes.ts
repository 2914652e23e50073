import { join } from 'node:path';
import { physicalCores, TaskThreads } from '../../runtime/index.js';
import { loadDefinitions } from '../../scores/index.js';
import {
  type ColumnType,
  liveFolds,
  makeFolder,
  removeStale,
  Scratch,
  streamTable,
  type TableValue,
  type UnitRange,
  type UnitType,
  unitBlocks,
} from '../../store/index.js';
import type { Comparison } from '../comparison.js';
import { assertSameRuns, CHANGES_FILE, listChanges } from '../files.js';
import { assertMatch } from '../inputs/match.js';
import { openRegimes, type RunToCompare } from '../inputs/regimes.js';
import type { RunSource } from '../inputs/run-source.js';
import { ChangeTable } from './change-table.js';
import type { ChangeResult, ChangeSet, ChangeSettings, ChangeTask } from './change-task.js';

export const CHANGES_SCHEMA_VERSION = 4;

/** Columns of `changes.parquet`. */
export const CHANGE_COLUMNS: readonly {
  readonly name: string;
  readonly type: ColumnType;
  readonly about: string;
}[] = [
  { name: 'label', type: 'string', about: 'the run compared with the reference' },
  { name: 'type', type: 'string', about: 'neuron, head or expert' },
  { name: 'layer', type: 'int32', about: 'from 0' },
  { name: 'index', type: 'int32', about: 'within the layer, from 0' },
  {
    name: 'expert',
    type: 'int32',
    about: 'the expert that a neuron is of, or that the row is about; null for other units',
  },
  {
    name: 'score',
    type: 'string',
    about:
      'as in the tables of a scored run; with `--changes basic` lape, eta2_item, omega2_language and vector_share_language',
  },
  {
    name: 'language',
    type: 'string',
    about:
      'BCP 47 tag; null for a score that a unit has one of, and for overlap as a mean over pairs of languages',
  },
  { name: 'reference', type: 'float64', about: 'the score in the reference run' },
  { name: 'other', type: 'float64', about: 'the score in the other' },
  { name: 'change', type: 'float64', about: 'other − reference' },
  {
    name: 'se',
    type: 'float64',
    about:
      'its paired standard error: delete-one-fold jackknife; of overlap and mi half-samples of the folds',
  },
  {
    name: 'low',
    type: 'float64',
    about: 'lower end of its 95 % interval; of mi centred on the change less its mean under permutation',
  },
  { name: 'high', type: 'float64', about: 'upper end of its 95 % interval' },
  { name: 'p', type: 'float64', about: "p of the change, from the interval's t" },
  {
    name: 'q',
    type: 'float64',
    about: 'Benjamini–Hochberg q of it over all units of the type and all their languages',
  },
  {
    name: 'language_reference',
    type: 'string',
    about:
      'language of the highest rate of a unit that is selected in the reference run under the `reference` policy; null where it is not selected',
  },
  { name: 'language_other', type: 'string', about: 'the same in the other run' },
];

export interface ChangesOptions {
  /** `basic` (default): scores of fold sums and shares of variance that a comparison rests on; `full`: every score, in every language. */
  readonly changes?: ChangeSet | undefined;
  /** Units of the comparison of these runs: the cuts that say which units are selected. Default: none is. */
  readonly units?: Comparison['units'] | undefined;
  /** URL of a module with another list of scores, as `scoreRun` takes. */
  readonly definitions?: string | undefined;
  /** Label of the run that the others are compared with. Default: the first. */
  readonly reference?: string | undefined;
  /** The seed of random halves and permutations; default 0. */
  readonly seed?: number | undefined;
  /** Threads. Default: physical cores, at most 8. Does not change any number. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each piece of work. */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/**
 * Writes `changes.parquet`: how scores of every unit differ between the reference and each other run, with paired
 * intervals, p and q. Intervals are delete-one-fold jackknives, of overlap and mutual information half-samples
 * (`ItemChanges`): of `full` changes each unit is ranked once a run and walked down some three hundred times. One layer of a
 * run is read at a time; what is computed lies on disk until a pair of runs is through. Of a single run there is no table,
 * and an earlier one is removed. `comparison.json` in the folder, which must be of the same runs, lists it.
 *
 * @throws RunError if a run is unreadable or does not match the reference; UsageError for an unusable label;
 *   InterruptedError; OutputError if it cannot be written.
 */
export async function writeChanges(
  folder: string,
  runs: readonly RunToCompare[],
  {
    changes = 'basic',
    units = [],
    definitions,
    reference,
    seed = 0,
    threads = Math.min(8, physicalCores()),
    signal,
    onProgress,
  }: ChangesOptions = {},
): Promise<void> {
  const regimes = await openRegimes(
    runs.map(({ folder: run, label }) => ({ folder: run, label })),
    reference,
  );
  const [first, ...others] = regimes.map(({ run }) => run) as [RunSource, ...RunSource[]];
  await assertSameRuns(
    folder,
    [first, ...others].map(({ label, manifest: { planSha256 } }) => ({ label, planSha256 })),
  );
  if (others.length === 0) {
    await removeStale(join(folder, CHANGES_FILE));
    await listChanges(folder, {}, changes);
    return;
  }
  assertMatch(first, others);
  for (const run of [first, ...others]) await run.check(signal);
  const scores = await loadDefinitions(definitions);
  const cuts = Object.fromEntries(units.map(({ type, policy }) => [type, policy]));
  const { plan, languages } = first.manifest;
  const live = liveFolds(first.tokens, plan);
  const types = first.types.filter((type) => others.every((run) => run.types.includes(type)));
  const work = types.map((type) => ({ type, tasks: tasksOf(first, type, threads) }));
  const total = others.length * work.reduce((sum, { tasks }) => sum + tasks.length, 0);
  let done = 0;

  const settings: ChangeSettings = {
    reference: first.folder,
    folds: live,
    seed,
    changes,
    cuts,
    definitions,
  };
  const computing = new TaskThreads<ChangeTask, ChangeResult>(
    new URL('./change-worker.js', import.meta.url),
    settings,
    threads,
    signal,
  );

  async function* pieces(): AsyncGenerator<readonly ArrayLike<TableValue>[]> {
    for (const other of others) {
      for (const { type, tasks } of work) {
        const scratch = new Scratch(folder);
        try {
          const table = new ChangeTable(first, type, scores, scratch);
          await computing.run(
            tasks.map((task) => ({ ...task, other: other.folder })),
            (result, task) => {
              table.add(result, task);
              onProgress?.({ done: ++done, total });
            },
          );
          yield* table.rows(other.label, plan.languages, live.length);
        } finally {
          scratch.close();
        }
      }
    }
  }
  await makeFolder(folder);
  const table = await streamTable(join(folder, CHANGES_FILE), CHANGE_COLUMNS, pieces(), {
    schema: 'babelscope/changes',
    schema_version: String(CHANGES_SCHEMA_VERSION),
    reference: first.label,
    seed: String(seed),
    languages: JSON.stringify(languages.map(({ tag, prompts, tokens }) => ({ tag, prompts, tokens }))),
    columns: JSON.stringify(Object.fromEntries(CHANGE_COLUMNS.map(({ name, about }) => [name, about]))),
  }).finally(() => computing.close());
  await listChanges(folder, { [CHANGES_FILE]: table }, changes);
}

/** Tasks of a type: fold sums, then pooled values where they are kept. */
function tasksOf(run: RunSource, type: UnitType, threads: number): Omit<ChangeTask, 'other'>[] {
  const { plan } = run.manifest;
  const { widths } = run.layout(type);
  const tasks = (
    kind: ChangeTask['kind'],
    bytesPerUnit: number,
    within: (layer: number) => UnitRange | null,
  ): Omit<ChangeTask, 'other'>[] =>
    widths.flatMap((_, layer) => {
      const range = within(layer);
      const blocks = range === null ? [] : unitBlocks(range, bytesPerUnit, threads);
      return blocks.map((block) => ({ kind, layer, type, ...block }));
    });
  const cell = plan.languages.length * Float64Array.BYTES_PER_ELEMENT;
  // A thread makes of the sums of both runs some eight times as much.
  const folds = tasks('folds', 8 * cell * plan.folds, (layer) => ({ unitStart: 0, unitEnd: widths[layer]! }));
  if (run.grid === null) return folds;
  return [...folds, ...tasks('items', cell * plan.items.length, (layer) => run.unitsWithItems(type, layer))];
}
