import { InterruptedError } from '../src/errors.js';
import { type Coverage, type CoveragePart, measureCoverage } from './coverage.js';
import { type DiscoveryRate, measureDiscoveries, SET } from './discovery-rates.js';
import { measureUniformity, type Uniformity } from './null-p-values.js';

export interface CalibrationOptions {
  /** Simulated units an effect. Default 2000: a coverage of 95 % is then known to ± 1 %. */
  readonly units?: number;
  /** Sets of units of which one in five is tied, for false discoveries. Default 200. */
  readonly sets?: number;
  /** How much higher a language lies, in standard deviations of the noise. Default 0, 0.3, 1, 2. */
  readonly effects?: readonly number[];
  readonly seed?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((step: string) => void) | undefined;
}

/** What calibration is measured on. */
export const SIMULATED = { items: 200, languages: 4, folds: 20, draws: 1000, permutations: 1000 } as const;
/** Permutations that centre the interval of mutual information: a mean, which needs fewer than a p-value. */
const CENTRING = 200;
const EFFECTS = [0, 0.3, 1, 2];

/** Another number of items, languages or folds, or a first language that is noisier than the others. */
interface Design {
  readonly items: number;
  readonly languages: number;
  readonly folds: number;
  readonly firstNoise: number;
}

type Elsewhere = Design & {
  readonly coverage: readonly Pick<Coverage, 'score' | 'effect' | 'units' | 'share'>[];
};

/** Where intervals of what need not be resampled are measured as well: half as many units, no effect of 2. */
const ELSEWHERE: readonly (Design & { readonly parts: readonly CoveragePart[] })[] = [
  { items: 60, languages: 4, folds: 20, firstNoise: 1, parts: ['folds', 'variance'] },
  { items: 600, languages: 8, folds: 20, firstNoise: 1, parts: ['folds', 'variance'] },
  { items: 100, languages: 12, folds: 10, firstNoise: 1, parts: ['folds', 'variance'] },
  { items: 100, languages: 2, folds: 20, firstNoise: 1, parts: ['folds', 'variance'] },
  { items: 60, languages: 4, folds: 5, firstNoise: 1, parts: ['folds', 'variance'] },
  { items: 200, languages: 4, folds: 20, firstNoise: 2, parts: ['variance'] },
  { items: 200, languages: 4, folds: 20, firstNoise: 3, parts: ['variance'] },
];

export interface Calibration {
  readonly items: number;
  readonly languages: number;
  readonly folds: number;
  readonly draws: number;
  readonly permutations: number;
  /** Of the sets in which false discoveries are counted. */
  readonly set: {
    readonly units: number;
    readonly tied: number;
    readonly items: number;
    readonly effect: number;
  };
  readonly coverage: readonly Coverage[];
  readonly elsewhere: readonly Elsewhere[];
  readonly uniformity: readonly Uniformity[];
  readonly falseDiscoveries: readonly DiscoveryRate[];
}

/** What one step measures. */
type Measured = Partial<Pick<Calibration, 'coverage' | 'elsewhere' | 'uniformity' | 'falseDiscoveries'>>;
type Pause = () => Promise<void>;

/** Part of a calibration, which no other part changes. */
export interface CalibrationStep {
  readonly name: string;
  readonly run: (pause: Pause) => Promise<Measured>;
}

/** Coverage of intervals, uniformity of p-values and rates of false discoveries, on simulated units of known truth. */
export async function calibrate(options: CalibrationOptions = {}): Promise<Calibration> {
  const { signal, onProgress } = options;
  const pause = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted) throw new InterruptedError({ what: 'interrupted' }, { cause: signal.reason });
  };
  const measured: Measured[] = [];
  for (const { name, run } of calibrationSteps(options)) {
    onProgress?.(name);
    measured.push(await run(pause));
  }
  return joinSteps(measured);
}

/** The steps of `calibrate`, for who runs them side by side. */
export function calibrationSteps({
  units = 2000,
  sets = 200,
  effects = EFFECTS,
  seed = 0,
}: CalibrationOptions = {}): CalibrationStep[] {
  const covered = (
    design: Design,
    [e, effect]: readonly [number, number],
    own: { readonly units: number; readonly seed: number; readonly parts: readonly CoveragePart[] },
    measured: (coverage: Coverage[]) => Measured,
  ): CalibrationStep => {
    const { items, languages, folds, firstNoise } = design;
    const model = { ...SIMULATED, ...design, ...own, effect, permutations: CENTRING };
    const about = `${items} items, ${languages} languages, ${folds} folds, noise ${firstNoise}, effect ${effect}`;
    return {
      name: `intervals: ${about}`,
      run: async (pause) =>
        measured(await measureCoverage({ ...model, seed: own.seed + 1_000_003 * (e + 1) }, own.parts, pause)),
    };
  };
  const { items, languages, folds } = SIMULATED;
  const usual = { items, languages, folds, firstNoise: 1 };
  const everything = { units, seed, parts: ['folds', 'variance', 'items'] } as const;
  return [
    {
      name: 'p-values without an effect',
      run: async (pause) => ({ uniformity: await measureUniformity({ ...SIMULATED, units, seed }, pause) }),
    },
    {
      name: 'false discoveries',
      run: async (pause) => ({
        falseDiscoveries: await measureDiscoveries({ ...SIMULATED, sets, seed }, pause),
      }),
    },
    ...[...effects.entries()].map((effect) =>
      covered(usual, effect, everything, (coverage) => ({ coverage })),
    ),
    ...ELSEWHERE.flatMap(({ parts, ...design }, d) =>
      [...effects.entries()]
        .filter(([, effect]) => effect < 2)
        .map((effect) => {
          const own = { units: Math.ceil(units / 2), seed: seed + 7_000_003 * (d + 1), parts };
          return covered(design, effect, own, (coverage) => ({ elsewhere: [{ ...design, coverage }] }));
        }),
    ),
  ];
}

/** @param measured In the order of the steps. */
export function joinSteps(measured: readonly Measured[]): Calibration {
  const elsewhere: Elsewhere[] = [];
  for (const { coverage, ...design } of measured.flatMap((own) => own.elsewhere ?? [])) {
    const shares = coverage.map(({ score, effect, units, share }) => ({ score, effect, units, share }));
    const last = elsewhere.at(-1);
    const same = last && Object.entries(design).every(([name, own]) => last[name as keyof Design] === own);
    if (same) elsewhere[elsewhere.length - 1] = { ...last, coverage: [...last.coverage, ...shares] };
    else elsewhere.push({ ...design, coverage: shares });
  }
  return {
    ...SIMULATED,
    set: SET,
    coverage: measured.flatMap(({ coverage }) => coverage ?? []),
    elsewhere,
    uniformity: measured.flatMap(({ uniformity }) => uniformity ?? []),
    falseDiscoveries: measured.flatMap(({ falseDiscoveries }) => falseDiscoveries ?? []),
  };
}
