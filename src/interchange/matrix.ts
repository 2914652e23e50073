import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { LanguageTag } from '../probes/index.js';
import { readTable } from '../store/index.js';
import { type MatrixQuantity, QUANTITIES } from './formats/facts.js';
import { readChecked } from './selection.js';
import { describeImport, type ImportAbout, type ImportTable, writeTables } from './write-import.js';

/** The layout of `matrix.json` and the table beside it. */
export const MATRIX_SCHEMA_VERSION = 1;

const matrixSchema = z.object({
  schema: z.literal('babelscope/matrix'),
  schemaVersion: z.literal(MATRIX_SCHEMA_VERSION),
  babelscope: z.string(),
  format: z.string(),
  model: z.string(),
  /** Languages whose units were intervened on: the rows. */
  intervened: z.array(z.string()),
  /** Languages that were tested: the columns. */
  languages: z.array(z.string()),
  quantity: z.enum(QUANTITIES),
  /** Whether the numbers without an intervention are known. */
  baseline: z.boolean(),
  /** The rule that selected the units, where somebody said so. */
  rule: z.string().nullable(),
  files: z.array(z.object({ name: z.string(), sha256: z.string() })),
});

/** `matrix.json`: numbers of an intervention on one language's units, tested in another language. */
export type MatrixDescription = z.infer<typeof matrixSchema>;

/** A matrix as its files have it. */
export interface ImportedMatrix {
  readonly intervened: readonly LanguageTag[];
  readonly languages: readonly LanguageTag[];
  readonly quantity: MatrixQuantity;
  /** [intervened][tested]; null where a cell is missing. */
  readonly values: readonly (readonly (number | null)[])[];
  /** [tested], without an intervention; null where it is not known. */
  readonly baseline: readonly (number | null)[] | null;
  readonly rule: string | null;
}

/** An imported matrix with what follows from it. */
export interface LanguageMatrix extends ImportedMatrix {
  readonly model: string;
  readonly format: string;
  /**
   * [intervened][tested]: the change of the loss in nats a token, ln(perplexity after / before); of differences of
   * perplexities those. null without a baseline.
   */
  readonly changes: readonly (readonly (number | null)[])[];
  /** Means of the changes of the language that was intervened on, and of all others; null without changes. */
  readonly own: number | null;
  readonly others: number | null;
  /** Of how many rows, and of how many columns, the own language has the largest change; null without changes. */
  readonly rowLargest: number | null;
  readonly columnLargest: number | null;
  /** Languages that were intervened on and tested. */
  readonly both: number;
}

/** Writes `matrix.parquet`, a row a cell, and `matrix.json`. @throws OutputError */
export async function writeMatrix(
  out: string,
  about: ImportAbout,
  matrix: ImportedMatrix,
): Promise<MatrixDescription> {
  const { intervened, languages, quantity, values, baseline, rule } = matrix;
  const description: MatrixDescription = {
    schema: 'babelscope/matrix',
    schemaVersion: MATRIX_SCHEMA_VERSION,
    ...(await describeImport(out, about)),
    intervened: [...intervened],
    languages: [...languages],
    quantity,
    baseline: baseline !== null,
    rule,
  };
  const changes = changesOf(matrix);
  const table: ImportTable = {
    name: 'matrix',
    columns: [
      { name: 'intervened', type: 'string', about: 'language whose units were intervened on, BCP 47' },
      { name: 'tested', type: 'string', about: 'language of the text, BCP 47' },
      { name: 'value', type: 'float64', about: `${quantity} under the intervention; null: missing` },
      { name: 'baseline', type: 'float64', about: `${quantity} without it; null: not known` },
      {
        name: 'change',
        type: 'float64',
        about:
          quantity === 'difference'
            ? 'difference of perplexities'
            : 'ln(perplexity after / before), nats a token; null: not known',
      },
    ],
    rows: values.flatMap((row, i) =>
      row.map((value, j) => [
        intervened[i]!,
        languages[j]!,
        value,
        baseline?.[j] ?? null,
        changes[i]![j] ?? null,
      ]),
    ),
  };
  await writeTables(out, [table], { name: 'matrix.json', description, command: about.command });
  return description;
}

/** Whether the folder is that of an imported matrix. */
export function isMatrix(folder: string): boolean {
  return existsSync(join(folder, 'matrix.json'));
}

/** @throws RunError if a file of it is missing, malformed or of a newer schema than this version knows. */
export async function readMatrix(folder: string): Promise<LanguageMatrix> {
  const { intervened, languages, quantity, rule, model, format, ...description } = await readChecked(
    folder,
    'matrix.json',
    matrixSchema,
    MATRIX_SCHEMA_VERSION,
  );
  const { columns } = await readTable(join(folder, 'matrix.parquet'), ['value', 'baseline']);
  const numbers = (name: string) => {
    const column = columns.get(name) ?? [];
    return intervened.map((_, i) =>
      languages.map((_tested, j) => {
        const value = column[i * languages.length + j];
        return typeof value === 'number' && Number.isFinite(value) ? value : null;
      }),
    );
  };
  const baseline = description.baseline ? (numbers('baseline')[0] ?? null) : null;
  const matrix = { intervened, languages, quantity, values: numbers('value'), baseline, rule };
  return { ...matrix, model, format, ...summarise(matrix) };
}

/** [intervened][tested] */
function changesOf({ quantity, values, baseline }: ImportedMatrix): (number | null)[][] {
  return values.map((row) =>
    row.map((value, j) => {
      if (value === null) return null;
      if (quantity === 'log-ratio' || quantity === 'difference') return value;
      const before = baseline?.[j] ?? null;
      if (before === null) return null;
      return quantity === 'nll' ? value - before : Math.log(value / before);
    }),
  );
}

function summarise(matrix: ImportedMatrix) {
  const { intervened, languages } = matrix;
  const changes = changesOf(matrix);
  const cells = changes.flatMap((row, i) =>
    row.flatMap((change, j) =>
      change === null ? [] : [{ change, i, j, own: intervened[i] === languages[j] }],
    ),
  );
  const mean = (list: readonly { readonly change: number }[]) =>
    list.length === 0 ? null : list.reduce((sum, { change }) => sum + change, 0) / list.length;
  const diagonal = cells.filter(({ own }) => own);
  const largest = (along: 'i' | 'j') =>
    diagonal.length === 0
      ? null
      : diagonal.filter((cell) =>
          cells.every((other) => other[along] !== cell[along] || other.own || other.change < cell.change),
        ).length;
  return {
    changes,
    own: mean(diagonal),
    others: mean(cells.filter(({ own }) => !own)),
    rowLargest: largest('i'),
    columnLargest: largest('j'),
    both: intervened.filter((tag) => languages.includes(tag)).length,
  };
}
