import { RankWalk } from './rank-walk.js';
import { wholeSample } from './whole-sample.js';

/** One unit ranked and walked down, prompts without a value left out; null if none has one. */
export function walkedUnit(
  values: ArrayLike<number>,
  language: ArrayLike<number>,
  languages: number,
): RankWalk | null {
  const kept = Array.from({ length: values.length }, (_, n) => n).filter((n) => !Number.isNaN(values[n]!));
  if (kept.length === 0) return null;
  const walk = new RankWalk(kept.length, languages);
  walk.rank(Float64Array.from(kept, (n) => values[n]!));
  walk.walk(wholeSample(Uint8Array.from(kept, (n) => language[n]!)), true);
  return walk;
}
