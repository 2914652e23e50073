import { expect, test } from 'vitest';
import { falseDiscoveryRates } from '../../src/validation/false-discoveries.js';

test('the realised false-discovery rate is at or below the nominal one, tied units are found', async () => {
  const rates = await falseDiscoveryRates({ sets: 40, permutations: 400, nominal: [0.05, 0.2], seed: 7 });
  for (const { scenario, nominal, low, high, realised, power } of rates) {
    const what = `${scenario} at ${nominal}: ${realised} (${low} … ${high})`;
    expect(low, what).toBeLessThanOrEqual(nominal);
    expect(high, what).toBeGreaterThanOrEqual(realised);
    if (power !== null && scenario !== 'tied, uneven') expect(power, what).toBeGreaterThan(0.9);
  }
});
