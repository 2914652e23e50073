import { expect, test } from 'vitest';
import { arrange, withoutRepeats } from '../../src/report/drawing/forest-rows.js';
import { syntheticComparison } from '../support/synthetic-comparison.js';

const RUNS = ['base', 'cpt', 'sft', 'grpo'];

test('a measure that no run is measured by, for one and the same reason, has one row for all of them', () => {
  const [neurons] = syntheticComparison({ runs: RUNS }).units;
  const headlines = arrange(neurons!).map((headline) => {
    if (headline.measure === 'jaccard')
      return { ...headline, verdict: 'not measured' as const, note: 'no cut' };
    if (headline.measure === 'depthD') {
      return { ...headline, verdict: 'not measured' as const, note: `no unit in ${headline.to}` };
    }
    return { ...headline, verdict: 'changed' as const, note: '' };
  });
  const drawn = withoutRepeats(headlines);
  expect(drawn.filter(({ measure }) => measure === 'jaccard').map(({ runs }) => runs)).toEqual([3]);
  const others = drawn.filter(({ measure }) => measure !== 'jaccard');
  expect(others.map(({ measure, to, runs }) => [measure, to, runs])).toEqual(
    headlines.flatMap(({ measure, to }) => (measure === 'jaccard' ? [] : [[measure, to, 1]])),
  );
});
