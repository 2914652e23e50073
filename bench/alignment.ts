/**
 * Alignment of every two of 12 languages on 1,000 items in the residual stream of Qwen2.5-7B's width (3,584), one layer:
 * cosine margin and MEXA over all folds' sums, beside the bare matrix products they need and, for one pair, the same in
 * plain loops.
 *
 *     npx tsx bench/alignment.ts
 */
import { openDotProducts } from '../src/runtime/dot-products.js';
import { measureGflops } from '../src/runtime/measure-gflops.js';
import { alignmentOver, alignmentSums } from '../src/scores/alignment.js';
import { languagePairs } from '../src/scores/layer-alignment.js';
import { unitVectors } from '../src/scores/unit-vectors.js';
import { Draws } from '../src/stats/draws.js';

const [ITEMS, LANGUAGES, DIMENSION, FOLDS] = [1000, 12, 3584, 20];

const draws = new Draws(1);
const gaussian = (length: number, scale: number) =>
  Float32Array.from({ length }, () => scale * draws.gaussian());
/** As the stream of language models is: a direction that all share, one that languages have, and what the item means. */
function vectors(noise: number): Float32Array[] {
  const [common, meaning] = [gaussian(DIMENSION, 3), gaussian(ITEMS * DIMENSION, 1)];
  return Array.from({ length: LANGUAGES }, () => {
    const language = gaussian(DIMENSION, 1);
    const rest = gaussian(ITEMS * DIMENSION, noise);
    return meaning.map((x, at) => common[at % DIMENSION]! + language[at % DIMENSION]! + x + rest[at]!);
  });
}

const foldOf = Uint32Array.from({ length: ITEMS }, (_, i) => i % FOLDS);
const products = await openDotProducts(DIMENSION);
const gflops = await measureGflops({ inSize: DIMENSION, outSize: ITEMS });
const pairs = languagePairs(LANGUAGES);
const operations = 2 * pairs.length * ITEMS * ITEMS * DIMENSION;
const bare = operations / (gflops * 1e9);
console.log(`bare products at ${gflops.toFixed(0)} GFLOP/s: ${bare.toFixed(2)} s`);
for (const noise of [2, 30]) {
  const languages = vectors(noise).map((values) => unitVectors(values, DIMENSION));
  const start = performance.now();
  let mexa = 0;
  for (const { a, b } of pairs) {
    const sums = await alignmentSums(languages[a]!, languages[b]!, foldOf, FOLDS, products);
    mexa += alignmentOver(sums).mexa / pairs.length;
  }
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `noise ${noise}, mean MEXA ${mexa.toFixed(3)}: ${seconds.toFixed(2)} s a layer, ${((100 * bare) / seconds).toFixed(0)} % of the products' speed`,
  );
  const [a, b] = languages;
  const loopStart = performance.now();
  let largest = 0;
  const block = await products.of(a!.values, b!.values);
  const productSeconds = (performance.now() - loopStart) / 1000;
  for (let i = 0; i < ITEMS / 20; i++) {
    for (let j = 0; j < ITEMS; j++) {
      let sum = 0;
      for (let d = 0; d < DIMENSION; d++) {
        sum += a!.values[i * DIMENSION + d]! * b!.values[j * DIMENSION + d]!;
      }
      largest = Math.max(largest, Math.abs(sum - block[i * ITEMS + j]!));
    }
  }
  const loops = ((performance.now() - loopStart) / 1000 - productSeconds) * 20 * pairs.length;
  console.log(
    `  plain loops would take ${loops.toFixed(0)} s; largest error of a float32 cosine ${largest.toExponential(1)}`,
  );
}
await products.release();
