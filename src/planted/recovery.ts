import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../capture/index.js';
import { RunError } from '../errors.js';
import { loadProbes, type ProbeSet } from '../probes/index.js';
import { readScores, scoreRun } from '../scores/index.js';
import { wilsonInterval } from '../stats/index.js';
import type { TableValue } from '../store/index.js';
import { type PlantOptions, plantUnits } from './plant-units.js';
import {
  itemsNotSeen,
  PLANTED_FILE,
  type PlantedManifest,
  type PlantedType,
  readPlanted,
} from './planted.js';

/**
 * How units are called tied: the `rank` ones take as many units as were planted, best first, whatever the score's
 * value; the policies decide themselves how many.
 */
export const CALLS = ['lape', 'ap', 'omega2', 'tang2024', 'polyfact2026'] as const;
export type Call = (typeof CALLS)[number];

/** The planted units that one way of calling units tied found. */
export interface Recovered {
  readonly type: PlantedType;
  readonly call: Call;
  /** Units of the type in the model, planted, called tied, and both. */
  readonly units: number;
  readonly planted: number;
  readonly called: number;
  readonly found: number;
  /** How many of those found were given the language they were planted for; null for a call that names none. */
  readonly languageRight: number | null;
}

/** Recovery of units planted with one strength, over all seeds. */
export interface RecoveryPoint extends Recovered {
  readonly strength: number;
  readonly seeds: number;
  /** found / called and found / planted, with Wilson's 95 % intervals; null if nothing was called. */
  readonly precision: number | null;
  readonly precisionLow: number | null;
  readonly precisionHigh: number | null;
  readonly recall: number;
  readonly recallLow: number;
  readonly recallHigh: number;
  /** Mean over the planted units of the strength on the calibration tokens, as the weights are stored. */
  readonly realisedStrength: number;
}

export interface RecoveryOptions {
  readonly checkpoint: string;
  readonly probes: ProbeSet | string;
  /** Languages of a named probe set. */
  readonly languages?: readonly string[] | undefined;
  readonly limit?: number | undefined;
  /** Folder for the planted checkpoints and their runs. The same options go on with what they left there. */
  readonly out: string;
  readonly types: readonly PlantedType[];
  readonly strengths: readonly number[];
  /** How many units of each type are planted. */
  readonly planted: Readonly<Record<PlantedType, number>>;
  /** Rewrite all other units of the type with strength 0, so that none of them is tied. Default true. */
  readonly level?: boolean | undefined;
  /** One planted checkpoint a seed. Default [1]. */
  readonly seeds?: readonly number[] | undefined;
  readonly calibrationShare?: number | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((step: string) => void) | undefined;
}

/** Plants, captures and scores, a checkpoint for every type, strength and seed, and counts what was found. */
export async function measureRecovery(options: RecoveryOptions): Promise<RecoveryPoint[]> {
  const { types, strengths, seeds = [1], level = true, onProgress } = options;
  const { languages, limit, out, calibrationShare, threads, signal } = options;
  const probes =
    typeof options.probes === 'string'
      ? await loadProbes(options.probes, { languages, limit })
      : options.probes;
  const common = { probes, calibrationShare, threads, signal };
  const points: RecoveryPoint[] = [];
  for (const type of types) {
    let { checkpoint } = options;
    if (level) {
      onProgress?.(`levelling ${type}s`);
      const levelled = join(out, 'checkpoints', `${type}s-levelled`);
      await plantOnce({ ...common, checkpoint, out: levelled, units: [], level: [type] });
      // Planting in it has only the planted units to rewrite.
      checkpoint = levelled;
    }
    for (const strength of strengths) {
      const parts: Part[] = [];
      for (const seed of seeds) {
        onProgress?.(`${type}s planted with strength ${strength}, seed ${seed}`);
        const name = `${type}s-${strength}-seed-${seed}`;
        const units = { [`${type}s`]: options.planted[type], strengths: [strength] };
        const folder = join(out, 'checkpoints', name);
        const manifest = await plantOnce({ ...common, checkpoint, out: folder, units, seed });
        const unseen = itemsNotSeen(probes, manifest);
        const run = join(out, 'runs', name);
        await capture({ checkpoint: folder, probes: unseen, out: run, seed, threads, signal });
        await scoreRun(run, { scores: ['lape', 'ap', 'twoWay'], splits: 2, signal });
        parts.push({ recovered: await recoverPlanted(run, manifest), manifest });
      }
      points.push(...pool(strength, parts));
    }
  }
  return points;
}

/** A unit that was planted at the same place before is not planted again. */
function plantOnce(options: PlantOptions): Promise<PlantedManifest> {
  return existsSync(join(options.out, PLANTED_FILE)) ? readPlanted(options.out) : plantUnits(options);
}

/** What was planted with one seed, and found. */
interface Part {
  readonly recovered: readonly Recovered[];
  readonly manifest: PlantedManifest;
}

/**
 * Reads the planted units off a scored run of a planted checkpoint, for each type of which some were planted.
 *
 * @throws RunError if the run was not scored
 */
export async function recoverPlanted(
  run: string,
  manifest: Pick<PlantedManifest, 'units'>,
): Promise<Recovered[]> {
  const table = await readScores(run, 'units');
  const column = (name: string): readonly TableValue[] => {
    const values = table.columns.get(name);
    if (values !== undefined) return values;
    throw new RunError({
      what: `there is no column ${name}`,
      where: join(run, 'units.parquet'),
      remedy: 'score the run again',
    });
  };
  const keys = ['type', 'layer', 'index'].map(column);
  const keyOf = (row: number) => keys.map((values) => values[row]).join(' ');
  const types = [...new Set(manifest.units.map(({ type }) => type))];
  return types.flatMap((type) => {
    const rows = Array.from({ length: table.rows }, (_, row) => row).filter((row) => keys[0]![row] === type);
    const planted = new Map(
      manifest.units
        .filter((unit) => unit.type === type)
        .map(({ layer, index, language }) => [`${type} ${layer} ${index}`, language]),
    );
    const best = (name: string, sign: 1 | -1) =>
      rows
        .filter((row) => !Number.isNaN(column(name)[row]))
        .sort((a, b) => sign * (Number(column(name)[a]) - Number(column(name)[b])) || a - b)
        .slice(0, planted.size);
    const chosen = (name: string) => rows.filter((row) => (column(name)[row] ?? '') !== '');
    const called: Readonly<Record<Call, { rows: number[]; language: string | null }>> = {
      lape: { rows: best('lape', 1), language: 'top_language' },
      ap: { rows: best('ap_best', -1), language: 'ap_best_language' },
      omega2: { rows: best('omega2_language', -1), language: null },
      tang2024: { rows: chosen('selected_tang2024'), language: 'selected_tang2024' },
      polyfact2026: { rows: chosen('selected_polyfact2026'), language: 'selected_polyfact2026' },
    };
    return CALLS.map((call) => {
      const { rows: own, language } = called[call];
      const found = own.filter((row) => planted.has(keyOf(row)));
      return {
        type,
        call,
        units: rows.length,
        planted: planted.size,
        called: own.length,
        found: found.length,
        languageRight:
          language === null
            ? null
            : found.filter((row) => column(language)[row] === planted.get(keyOf(row))).length,
      };
    });
  });
}

function pool(strength: number, parts: readonly Part[]): RecoveryPoint[] {
  const planted = parts.flatMap(({ manifest }) => manifest.units);
  const realisedStrength = planted.reduce((sum, { realised }) => sum + realised, 0) / planted.length;
  return CALLS.map((call) => {
    const own = parts.map(({ recovered }) => recovered.find((part) => part.call === call)!);
    const total = (field: 'planted' | 'called' | 'found' | 'languageRight') =>
      own.reduce((sum, part) => sum + part[field]!, 0);
    const counts = { planted: total('planted'), called: total('called'), found: total('found') };
    const { type, units, languageRight } = own[0]!;
    const [precisionLow, precisionHigh] = wilsonInterval(counts.found, counts.called);
    const [recallLow, recallHigh] = wilsonInterval(counts.found, counts.planted);
    const nothing = { precision: null, precisionLow: null, precisionHigh: null };
    return {
      type,
      call,
      strength,
      realisedStrength,
      seeds: parts.length,
      units,
      ...counts,
      languageRight: languageRight === null ? null : total('languageRight'),
      ...(counts.called === 0
        ? nothing
        : { precision: counts.found / counts.called, precisionLow, precisionHigh }),
      recall: counts.found / counts.planted,
      recallLow,
      recallHigh,
    };
  });
}
