import { RunError } from '../../errors.js';
import type { Run } from '../run/open-run.js';

/** Which cells of a run's items × languages hold pooled values. They are the same for all units of all layers. */
export interface PooledGrid {
  readonly languages: number;
  readonly folds: number;
  /** Items of the run, with prompts or without. */
  readonly items: number;
  /** [prompt]: index of the language, 0 … languages − 1. */
  readonly language: Uint8Array;
  /** [prompt]: item, ascending. */
  readonly item: Uint32Array;
  /** [prompt]: row of the cell, item · languages + language. Prompts are the cells that hold values. */
  readonly row: Uint32Array;
  /** Items that every language has, ascending. */
  readonly complete: Uint32Array;
  /** [item] */
  readonly foldOf: Uint32Array;
}

/** Arrays that a run with pooled values has one of, the quickest to read first. */
const PROBED = ['head.norm.items', 'mlp.items', 'resid.items'] as const;

/**
 * Reads off the first layer which items have which languages; null if the run keeps no pooled values.
 *
 * @throws RunError if a language has no value in any item.
 */
export async function readPooledGrid({ manifest: { plan }, folder, layer }: Run): Promise<PooledGrid | null> {
  const first = await layer(0);
  const name = PROBED.find((array) => first.names.has(array));
  try {
    if (name === undefined) return null;
    const { unitStart } = first.unitsWith(name);
    const values = await first.readItems(name, unitStart, unitStart + 1);
    return gridOf(values, plan.languages, plan.items, plan.folds, folder);
  } finally {
    await first.close();
  }
}

function gridOf(
  values: Float32Array,
  tags: readonly string[],
  items: readonly { readonly fold: number }[],
  folds: number,
  folder: string,
): PooledGrid {
  const languages = tags.length;
  const row = Uint32Array.from(values.keys()).filter((cell) => !Number.isNaN(values[cell]!));
  const prompts = new Uint32Array(languages);
  const present = new Uint32Array(items.length);
  for (const cell of row) {
    prompts[cell % languages]! += 1;
    present[Math.floor(cell / languages)]! += 1;
  }
  const absent = tags.filter((_, k) => prompts[k] === 0);
  if (absent.length > 0) throw languageAbsent(absent, folder);
  const foldOf = Uint32Array.from(items, ({ fold }) => fold);
  return {
    row,
    languages,
    folds,
    items: items.length,
    language: Uint8Array.from(row, (cell) => cell % languages),
    item: row.map((cell) => Math.floor(cell / languages)),
    complete: Uint32Array.from(items.keys()).filter((item) => present[item] === languages),
    foldOf,
  };
}

export function languageAbsent(tags: readonly string[], folder: string): RunError {
  return new RunError({
    what: `no token was counted in ${tags.join(', ')}`,
    where: folder,
    expected: 'counted tokens in every language of the run',
    remedy: 'capture again with --languages naming only languages that the probe set has',
  });
}
