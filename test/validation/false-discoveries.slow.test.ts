import { expect, test } from 'vitest';
import { falseDiscoveryRates } from '../../validation/false-discoveries.js';

// Slow because it simulates and permutes many units.

test('the realised false-discovery rate is at or below the nominal one, tied units are found', async () => {
  const rates = await falseDiscoveryRates({ sets: 40, permutations: 400, nominal: [0.05, 0.2], seed: 7 });
  expect(rates).toHaveLength(4 * 2 * 2); // scenarios, tests, rates
  for (const { test: name, scenario, nominal, low, high, realised, power } of rates) {
    const what = `${name}, ${scenario} at ${nominal}: ${realised} (${low} … ${high})`;
    expect(high, what).toBeGreaterThanOrEqual(realised);
    // Languages of unequal noise are not exchangeable, which is what the permutation supposes.
    if (name === 'permutation' && scenario === 'tied, uneven') continue;
    expect(low, what).toBeLessThanOrEqual(nominal);
    if (power !== null && scenario !== 'tied, uneven') expect(power, what).toBeGreaterThan(0.9);
  }
});
