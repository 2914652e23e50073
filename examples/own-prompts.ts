// Captures sentences of your own, a text file a language, and asks how often one neuron fires in each language.
import { capture, openRun } from 'babelscope';

const [layer, neuron] = [5, 120];
const { folder } = await capture({
  checkpoint: 'demo/checkpoints/base',
  probes: 'examples/prompts',
  format: 'aligned-text',
  out: 'examples/out/own-prompts',
});

const run = await openRun(folder);
// [fold, language, neuron]: the tokens at which the neuron fired, and [fold, language]: all counted tokens.
const opened = await run.layer(layer);
const fired = await opened.array('mlp.fire');
await opened.close();
const { languages } = run.manifest;
languages.forEach(({ name, tokens }, language) => {
  let count = 0;
  for (let fold = 0; fold < fired.shape[0]!; fold++) count += fired.get(fold, language, neuron);
  console.log(`${name}: fires at ${count} of ${tokens} tokens`);
});
