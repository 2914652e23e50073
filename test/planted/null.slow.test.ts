import { join } from 'node:path';
import { expect, test } from 'vitest';
import { headlineChanges } from '../../src/compare/index.js';
import { falseChanges, nullComparison } from '../../src/planted/index.js';
import { DEMO_CHECKPOINTS, temporaryFolder } from '../support/command-line.js';

// Slow because it captures and compares several runs of the demo's checkpoint.

test("nothing is called a change on the demo's checkpoint between it, itself, and itself with noise", async () => {
  const comparison = await nullComparison({
    checkpoint: join(DEMO_CHECKPOINTS, 'base'),
    probes: 'facts',
    languages: ['en', 'ja', 'pt', 'uk'],
    limit: 60,
    groups: [
      { name: 'seen', languages: ['en', 'ja', 'uk'] },
      { name: 'Latin', languages: ['en', 'pt'] },
    ],
    out: temporaryFolder(),
  });
  expect(falseChanges(comparison)).toEqual([]);
  for (const { measure, to, verdict } of headlineChanges(comparison, 'neuron')) {
    expect(verdict, `${measure}, ${to}`).toBe('not distinguishable from sampling');
  }
});
