// Compares a model before and after fine-tuning and prints what changed by more than sampling does.
import { capture, changeSentence, compare, headlineChanges, writeComparison } from 'babelscope';

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
for (const { type } of comparison.units) {
  for (const change of headlineChanges(comparison, type)) {
    if (change.verdict === 'changed') console.log(changeSentence(change));
  }
}
