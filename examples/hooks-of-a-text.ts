// Reads the activations of one text: which neuron of the last layer is most active at each token.
import { loadModel } from 'babelscope';

const model = await loadModel('demo/checkpoints/base');
const { tokens, hooks } = await model.run('Der Himmel über Berlin', ['blocks.7.mlp.hook_post']);

// [tokens, neurons]
const activations = hooks['blocks.7.mlp.hook_post']!;
const neurons = activations.shape[1]!;
tokens.forEach((token, t) => {
  let most = 0;
  for (let n = 1; n < neurons; n++) if (activations.get(t, n) > activations.get(t, most)) most = n;
  console.log(`${JSON.stringify(token)}: neuron ${most}, ${activations.get(t, most).toFixed(2)}`);
});

await model.close();
