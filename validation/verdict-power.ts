import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { wilsonInterval } from '../src/stats/index.js';
import { Random } from '../src/stats/sampling/random.js';
import { captureItemSums, type ItemSums } from './item-sums.js';
import { countOf, type Profile, PseudoRuns, selectedBy } from './pseudo-run.js';
import {
  INTERVALS,
  type IntervalOf,
  JUDGED,
  type Judged,
  RULES,
  type Rule,
  type Verdicts,
  verdictsOf,
} from './verdict-rules.js';

/** How one simulated comparison comes about. Items are drawn with replacement, 300 into 20 folds. */
export interface Kind {
  readonly name: string;
  /** The checkpoint beside the base. */
  readonly other: string;
  /**
   * `labels`: which run has the base's measurement of an item, and which the other's, is the toss of a coin: nothing differs.
   * `places`: the same, and in the second run a tenth of the units trade places, which changes which units are selected, and
   * neither how many nor any mean. `share`: the second run has the other checkpoint's measurement of this share of the items.
   */
  readonly how: 'labels' | 'places' | number;
  readonly repetitions: number;
}

const NULLS = 120;
const PLACES = 40;
const CHANGES = 40;
export const SIMULATED_RUNS = { items: 300, folds: 20, draws: 119 } as const;
/** Share of units that trade places. */
const PLACED = 0.1;
const LAYERS = 8;
/** Units of one remainder by it stay among themselves, so that the mean over every fourth unit is left as it is. */
const STRIDE = 4;

function kinds(shares: Readonly<Record<string, number>>): Kind[] {
  return [
    { name: 'nothing: labels by coin', other: 'sft', how: 'labels', repetitions: NULLS },
    { name: 'only places of units', other: 'sft', how: 'places', repetitions: PLACES },
    ...Object.entries(shares).map(([other, share]) => ({
      name: `${Math.round(100 * share)} % ${other}`,
      other,
      how: share,
      repetitions: CHANGES,
    })),
  ];
}

export const SETS: Readonly<Record<string, readonly Kind[]>> = {
  pydocs: kinds({ sft: 0.25, grpo: 0.1, cpt: 0.5 }),
  facts: kinds({ sft: 0.1, grpo: 0.1, cpt: 0.75 }),
};

/** A share of repetitions with its 95 % interval (Wilson, 1927). */
export interface Share {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

export interface PowerPoint {
  readonly probes: string;
  readonly kind: string;
  readonly isNull: boolean;
  readonly repetitions: number;
  readonly measure: Judged;
  /** Mean over repetitions of the change, or of the number between two runs. */
  readonly mean: number;
  /** The change that all the items together give. */
  readonly population: number | null;
  readonly called: Partial<Readonly<Record<Rule, Share>>>;
  /** How often an interval holds the mean over repetitions, which is the truth at this number of items. */
  readonly coverage: Readonly<Record<IntervalOf, Share>>;
}

export interface PowerOptions {
  /** Folder of the checkpoints. */
  readonly checkpoints: string;
  readonly languages: readonly string[];
  readonly work: string;
  /** Of the sets; default all. */
  readonly sets?: readonly string[];
  readonly onProgress?: ((step: string) => void) | undefined;
}

/** Levels and powers of rules that call a comparison changed, on runs drawn from measured items. */
export async function measureVerdicts(options: PowerOptions): Promise<PowerPoint[]> {
  const { checkpoints, languages, work, onProgress, sets = Object.keys(SETS) } = options;
  const points: PowerPoint[] = [];
  for (const probes of sets) {
    const wanted = SETS[probes]!;
    const load = async (checkpoint: string): Promise<ItemSums> => {
      const folder = join(work, `${probes}-${checkpoint}`);
      await mkdir(folder, { recursive: true });
      onProgress?.(`${probes}: ${checkpoint}`);
      return captureItemSums({
        checkpoint: join(checkpoints, checkpoint),
        probes,
        languages,
        items: SIMULATED_RUNS.items,
        work: folder,
      });
    };
    const base = await load('base');
    const runs = new PseudoRuns(base, mostTokens(base));
    const rowsOfBase = runs.itemRows(base);
    for (const [k, kind] of wanted.entries()) {
      const other = await load(kind.other);
      const rows = { base: rowsOfBase, other: runs.itemRows(other) };
      const placed = kind.how === 'places' ? tradePlaces(base.units) : null;
      const second =
        placed === null
          ? rows
          : { base: runs.itemRows(rearrange(base, placed)), other: runs.itemRows(rearrange(other, placed)) };
      const { repetitions } = kind;
      onProgress?.(`${probes}: ${kind.name}, ${repetitions} repetitions`);
      const verdicts = Array.from({ length: repetitions }, (_, n) => {
        const seed = 1_000_003 * (k + 1) + n;
        const [a, b] = drawRuns(runs, rows, second, kind.how, seed);
        return verdictsOf(runs, a, b, { draws: SIMULATED_RUNS.draws, seed });
      });
      points.push(...pointsOf(probes, kind, verdicts, populationOf(runs, rows, kind.how)));
    }
  }
  return points;
}

type Rows = Readonly<Record<'base' | 'other', readonly Float32Array[]>>;

/** No drawn run has more tokens of a language than if it drew the longest item every time. */
function mostTokens({ tokens, items }: ItemSums): number {
  return items * Math.max(...tokens);
}

/** [fold, width] of both runs. */
function drawRuns(
  { width }: PseudoRuns,
  first: Rows,
  second: Rows,
  how: Kind['how'],
  seed: number,
): [Float64Array, Float64Array] {
  const { items, folds } = SIMULATED_RUNS;
  const random = new Random(seed);
  const runs: [Float64Array, Float64Array] = [
    new Float64Array(folds * width),
    new Float64Array(folds * width),
  ];
  const add = (run: Float64Array, start: number, row: Float32Array) => {
    for (let at = 0; at < width; at++) run[start + at]! += row[at]!;
  };
  const steps = 1 << 20;
  for (let n = 0; n < items; n++) {
    const item = random.integer(first.base.length);
    const start = (n % folds) * width;
    const toss = random.integer(steps) / steps;
    if (typeof how === 'number') {
      add(runs[0], start, first.base[item]!);
      add(runs[1], start, second[toss < how ? 'other' : 'base'][item]!);
    } else {
      add(runs[0], start, first[toss < 0.5 ? 'base' : 'other'][item]!);
      add(runs[1], start, second[toss < 0.5 ? 'other' : 'base'][item]!);
    }
  }
  return runs;
}

/** [unit]: where each unit goes. */
function tradePlaces(units: number): Uint32Array {
  const random = new Random(1);
  const to = Uint32Array.from({ length: units }, (_, u) => u);
  const width = units / LAYERS;
  for (let group = 0; group < LAYERS * STRIDE; group++) {
    const start = Math.floor(group / STRIDE) * width + (group % STRIDE);
    const chosen = Array.from(
      random.sample(width / STRIDE, Math.round((PLACED * width) / STRIDE)),
      (n) => start + n * STRIDE,
    );
    const places = random.shuffle([...chosen]);
    for (const [n, unit] of chosen.entries()) to[unit] = places[n]!;
  }
  return to;
}

function rearrange(sums: ItemSums, to: Uint32Array): ItemSums {
  const move = <T extends Uint16Array | Float32Array>(values: T): T => {
    const moved = values.slice() as T;
    for (let start = 0; start < values.length; start += sums.units) {
      for (let u = 0; u < sums.units; u++) moved[start + to[u]!] = values[start + u]!;
    }
    return moved;
  };
  return { ...sums, fire: move(sums.fire), pooled: move(sums.pooled) };
}

/** The changes of all items together, once each: what ever more draws come to. */
function populationOf(
  runs: PseudoRuns,
  { base, other }: Rows,
  how: Kind['how'],
): Partial<Record<Judged, number>> {
  if (typeof how !== 'number') return { selected: 0, meanEntropy: 0, meanOmega2: 0 };
  // A share of a count is no count, so many copies of the items are added up.
  const copies = 100;
  const total = (take: number): Profile => {
    const sums = new Float64Array(runs.width);
    for (const [n, row] of base.entries()) {
      for (let at = 0; at < sums.length; at++) {
        sums[at]! += (copies - take) * row[at]! + take * other[n]![at]!;
      }
    }
    return new PseudoRuns({ ...shapeOf(runs), items: 0 }, copies * TOKENS_AT_MOST).profile(sums);
  };
  const [a, b] = [total(0), total(Math.round(copies * how))];
  return {
    selected: countOf(selectedBy(b, a)) - countOf(selectedBy(a, a)),
    meanEntropy: b.meanEntropy - a.meanEntropy,
    meanOmega2: b.meanOmega2 - a.meanOmega2,
  };
}

/** Of a language in either set, above what is counted there. */
const TOKENS_AT_MOST = 40_000;

function shapeOf({ units, languages }: PseudoRuns): ItemSums {
  const none = { fire: new Uint16Array(0), tokens: new Uint16Array(0), pooled: new Float32Array(0) };
  return { units, languages, items: 0, ...none };
}

/** Which trading places leaves as they are. */
const SIGNED: readonly Judged[] = ['selected', 'meanEntropy', 'meanOmega2'];

function pointsOf(
  probes: string,
  { name, how }: Kind,
  verdicts: readonly Verdicts[],
  population: Partial<Record<Judged, number>>,
): PowerPoint[] {
  return JUDGED.map((measure) => {
    const values = verdicts.map(({ value }) => value[measure]);
    const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
    const called: Partial<Record<Rule, Share>> = {};
    for (const rule of RULES) {
      if (verdicts[0]!.called[measure][rule] === undefined) continue;
      called[rule] = shareOf(verdicts.map((of) => of.called[measure][rule]!));
    }
    return {
      probes,
      kind: name,
      isNull: how === 'labels' || (how === 'places' && SIGNED.includes(measure)),
      repetitions: verdicts.length,
      measure,
      mean,
      population: population[measure] ?? null,
      called,
      coverage: coverageOf(verdicts, measure, mean),
    };
  });
}

function coverageOf(verdicts: readonly Verdicts[], measure: Judged, truth: number) {
  const of = (interval: IntervalOf) =>
    shareOf(
      verdicts.map(({ intervals }) => {
        const [low, high] = intervals[measure][interval];
        return low <= truth && truth <= high;
      }),
    );
  return Object.fromEntries(INTERVALS.map((interval) => [interval, of(interval)])) as Record<
    IntervalOf,
    Share
  >;
}

function shareOf(holds: readonly boolean[]): Share {
  const count = holds.filter((does) => does).length;
  const [low, high] = wilsonInterval(count, holds.length);
  return { share: count / holds.length, low, high };
}
