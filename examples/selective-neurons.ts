// Lists the neurons that are tied to Japanese, the most selective first, with the interval of their entropy.
import { capture, score, unitRows } from 'babelscope';

const run = 'examples/out/base';
await capture({
  checkpoint: 'demo/checkpoints/base',
  probes: 'facts',
  languages: ['en', 'fr', 'ja', 'uk'],
  limit: 80,
  out: run,
});
await score(run);

const found = [];
for await (const unit of unitRows(run)) {
  if (unit.type === 'neuron' && unit.selected.tang2024?.includes('ja')) found.push(unit);
}
found.sort((a, b) => Number(a.values.lape) - Number(b.values.lape));
for (const { layer, index, values } of found.slice(0, 10)) {
  const [entropy, low, high] = [values.lape, values.lape_low, values.lape_high].map((v) =>
    Number(v).toFixed(3),
  );
  console.log(`layer ${layer}, neuron ${index}: entropy ${entropy} (95 % interval ${low} to ${high})`);
}
