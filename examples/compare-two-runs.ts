// Compares a model before and after fine-tuning and prints what changed by more than sampling does.
import { capture, compare, headlineSentence, writeComparison } from 'babelscope';

const runs = [];
for (const label of ['base', 'sft']) {
  const out = `examples/out/${label}`;
  await capture({
    checkpoint: `demo/checkpoints/${label}`,
    probes: 'facts',
    languages: ['en', 'fr', 'ja', 'uk'],
    limit: 80,
    out,
  });
  runs.push({ folder: out, label });
}

const comparison = await compare(runs);
await writeComparison('examples/out/comparison', comparison);
for (const { headlines } of comparison.units) {
  for (const headline of headlines) {
    if (headline.group === null && headline.verdict === 'changed') console.log(headlineSentence(headline));
  }
}
