/**
 * Alignment of every two of 12 languages on 1,000 items in the residual stream of Qwen2.5-7B's width (3,584), one layer:
 * cosine margin and MEXA, beside the bare matrix products they need and cosines in plain loops. Six pairs are timed, and scaled.
 *
 *     npx tsx bench/alignment.ts
 */
import { openDotProducts } from '../src/runtime/dot-products.js';
import {
  alignmentOver,
  alignmentSums,
  type UnitVectors,
  unitVectors,
} from '../src/scores/definitions/alignment.js';
import { languagePairs } from '../src/scores/samples/layer-alignment.js';
import { Draws } from '../src/stats/sampling/random.js';

const [ITEMS, LANGUAGES, DIMENSION, FOLDS] = [1000, 12, 3584, 20];
/** Items whose cosines are computed in loops. */
const LOOPED = 25;

const draws = new Draws(1);
const gaussian = (length: number, scale: number) =>
  Float32Array.from({ length }, () => scale * draws.gaussian());
/** As the stream of language models is: a direction that all share, one that languages have, and what the item means. */
function vectors(noise: number): Float32Array[] {
  const [common, meaning] = [gaussian(DIMENSION, 3), gaussian(ITEMS * DIMENSION, 1)];
  return Array.from({ length: 4 }, () => {
    const language = gaussian(DIMENSION, 1);
    const rest = gaussian(ITEMS * DIMENSION, noise);
    return meaning.map((x, at) => common[at % DIMENSION]! + language[at % DIMENSION]! + x + rest[at]!);
  });
}

/** Wall clock and processor seconds; on a busy machine the second is the one to compare. */
async function time(work: () => Promise<unknown> | unknown): Promise<{ wall: number; cpu: number }> {
  const cpuStart = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpuStart);
  return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
}
const report = (what: string, { wall, cpu }: { wall: number; cpu: number }, times = 1) =>
  console.log(`  ${what}: ${(times * wall).toFixed(1)} s (${(times * cpu).toFixed(1)} s of processor time)`);

const foldOf = Uint32Array.from({ length: ITEMS }, (_, i) => i % FOLDS);
const products = await openDotProducts(DIMENSION);
const all = languagePairs(LANGUAGES).length;
/** Pairs alike in cost, of which some are timed. */
const TIMED = languagePairs(4);
const scale = all / TIMED.length;
for (const noise of [2, 30]) {
  const languages = vectors(noise).map((values) => unitVectors(values, DIMENSION));
  const [a, b] = languages as [UnitVectors, UnitVectors];
  console.log(`noise ${noise}, ${all} pairs of languages, one layer`);
  const bare = await time(async () => {
    for (const pair of TIMED) await products.of(languages[pair.a]!.values, languages[pair.b]!.values);
  });
  report('bare products', bare, scale);
  let mexa = 0;
  const ours = await time(async () => {
    for (const pair of TIMED) {
      const sums = await alignmentSums(languages[pair.a]!, languages[pair.b]!, foldOf, FOLDS, products);
      mexa += alignmentOver(sums).mexa / TIMED.length;
    }
  });
  report(`margin and MEXA (mean ${mexa.toFixed(3)})`, ours, scale);
  const block = await products.of(a.values, b.values);
  let largest = 0;
  const loops = await time(() => {
    for (let i = 0; i < LOOPED; i++) {
      for (let j = 0; j < ITEMS; j++) {
        let sum = 0;
        for (let d = 0; d < DIMENSION; d++)
          sum += a.values[i * DIMENSION + d]! * b.values[j * DIMENSION + d]!;
        largest = Math.max(largest, Math.abs(sum - block[i * ITEMS + j]!));
      }
    }
  });
  report('cosines in plain loops', loops, (all * ITEMS) / LOOPED);
  console.log(`  largest error of a float32 cosine: ${largest.toExponential(1)}`);
}
await products.release();
