import { join } from 'node:path';
import { modelLabel } from '../checkpoint/index.js';
import { RunError } from '../errors.js';
import { readScores } from '../scores/index.js';
import { readManifest, readTable, unitLayout } from '../store/index.js';
import type { ExportPolicy } from './export-mask.js';
import { isSelection, readSelection, type SelectedType } from './selection.js';

/** A selection as it is compared: an imported one, or what a scored run selects. */
export interface OpenedSelection {
  readonly label: string;
  /** `imported lape-mask`, or the policy of a scored run. */
  readonly source: string;
  readonly rule: string;
  readonly unit: SelectedType;
  readonly languages: readonly string[];
  readonly layers: number;
  /** Whether `layers` is all of them, or those that the file names at least. */
  readonly layersKnown: boolean;
  /** Units of each layer; null where they are not known. */
  readonly widths: readonly number[] | null;
  /** Units of all layers; null where layers or widths are not known. */
  readonly total: number | null;
  /** Languages of a unit by `layer index`; null of counts alone. */
  readonly members: ReadonlyMap<string, readonly string[]> | null;
  /** [layer][language]: selected units. */
  readonly byLayer: readonly (readonly number[])[];
}

/**
 * @param policy whose selection of a scored run; imported ones have their own rule.
 * @throws RunError if the folder is neither, or the run is not scored.
 */
export async function openSelection(folder: string, policy: ExportPolicy): Promise<OpenedSelection> {
  if (isSelection(folder)) return openImported(folder);
  const { model, plan, shape } = await readManifest(folder);
  const { widths, units: total } = unitLayout(shape, 'neuron');
  const members = await selectedUnits(folder, 'neuron', `selected_${policy}`);
  return {
    label: modelLabel(model),
    source: policy,
    rule: policy,
    unit: 'neuron',
    languages: plan.languages,
    layers: shape.layers,
    layersKnown: true,
    widths,
    total,
    members,
    byLayer: countByLayer(members, shape.layers, plan.languages),
  };
}

async function openImported(folder: string): Promise<OpenedSelection> {
  const description = await readSelection(folder);
  const { model, format, languages, layers, layersKnown, unit, rule } = description;
  const width = unit === 'neuron' ? description.neurons : description.heads;
  const members = description.countsAlone ? null : await selectedUnits(folder, unit, 'selected_imported');
  return {
    label: model,
    source: `imported ${format}`,
    rule,
    unit,
    languages,
    layers,
    layersKnown,
    widths: width === null ? null : Array.from({ length: layers }, () => width),
    total: width === null || !layersKnown ? null : layers * width,
    members,
    byLayer:
      members === null
        ? await readCounts(folder, layers, languages)
        : countByLayer(members, layers, languages),
  };
}

async function selectedUnits(
  folder: string,
  type: SelectedType,
  column: string,
): Promise<Map<string, readonly string[]>> {
  const names = ['type', 'layer', 'index', column];
  const { columns, rows } = await readScores(folder, 'units', names);
  const [types, layer, index, selected] = names.map((name) => columns.get(name));
  if (selected === undefined) {
    throw new RunError({
      what: `the table has no column ${column}`,
      where: join(folder, 'units.parquet'),
      remedy: 'score the run again with lape among the scores',
    });
  }
  const units = new Map<string, readonly string[]>();
  for (let row = 0; row < rows; row++) {
    const tags = selected[row];
    if (types![row] === type && typeof tags === 'string' && tags !== '') {
      units.set(`${layer![row]} ${index![row]}`, tags.split(','));
    }
  }
  return units;
}

function countByLayer(
  members: ReadonlyMap<string, readonly string[]>,
  layers: number,
  languages: readonly string[],
): number[][] {
  const counts = Array.from({ length: layers }, () => languages.map(() => 0));
  for (const [key, tags] of members) {
    const row = counts[Number(key.split(' ')[0])]!;
    for (const tag of tags) row[languages.indexOf(tag)]! += 1;
  }
  return counts;
}

async function readCounts(folder: string, layers: number, languages: readonly string[]): Promise<number[][]> {
  const counts = Array.from({ length: layers }, () => languages.map(() => 0));
  const { columns, rows } = await readTable(join(folder, 'counts.parquet'));
  const [layer, language, selected] = ['layer', 'language', 'selected'].map((name) => columns.get(name)!);
  for (let row = 0; row < rows; row++) {
    counts[layer![row] as number]![languages.indexOf(language![row] as string)] = selected![row] as number;
  }
  return counts;
}
