import { InterruptedError } from '../errors.js';
import { type Coverage, measureCoverage } from './coverage.js';
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
  readonly uniformity: readonly Uniformity[];
  readonly falseDiscoveries: readonly DiscoveryRate[];
}

/** Coverage of intervals, uniformity of p-values and rates of false discoveries, on simulated units of known truth. */
export async function calibrate({
  units = 2000,
  sets = 200,
  effects = EFFECTS,
  seed = 0,
  signal,
  onProgress,
}: CalibrationOptions = {}): Promise<Calibration> {
  const pause = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted) throw new InterruptedError({ what: 'interrupted' }, { cause: signal.reason });
  };
  onProgress?.('p-values without an effect');
  const uniformity = await measureUniformity({ ...SIMULATED, units, seed }, pause);
  onProgress?.('false discoveries');
  const falseDiscoveries = await measureDiscoveries({ ...SIMULATED, sets, seed }, pause);
  const coverage: Coverage[] = [];
  for (const [e, effect] of effects.entries()) {
    onProgress?.(`intervals at effect ${effect}`);
    const model = { ...SIMULATED, permutations: CENTRING, effect, units, seed: seed + 1_000_003 * (e + 1) };
    coverage.push(...(await measureCoverage(model, pause)));
  }
  return { ...SIMULATED, set: SET, coverage, uniformity, falseDiscoveries };
}
