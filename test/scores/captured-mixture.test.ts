import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { capture } from '../../src/capture/index.js';
import type { CaptureOptions } from '../../src/capture/types.js';
import { scoreRun } from '../../src/scores/engine/score-run.js';
import { readScores } from '../../src/scores/tables/read-scores.js';
import { openRun } from '../../src/store/run/open-run.js';
import { TINY_PROBES, temporaryFolder, tinyMixture } from '../support/tiny-checkpoint.js';
import { column, expectRanked, expectTwoWay, type Scored, TAGS } from './captured-scores.js';

/** [pooling][layer]; `zeros` is the share of pooled values of neurons that are 0. */
const expected: Readonly<
  Record<
    'mean' | 'last',
    readonly { readonly neuron: Scored; readonly zeros: number; readonly expert?: Scored }[]
  >
> = JSON.parse(readFileSync(new URL('../fixtures/scores/captured-mixture.json', import.meta.url), 'utf8'));

const [DENSE, ROUTED, SHARED] = [23, 7 * 9, 14];

async function scored(options: Pick<CaptureOptions, 'keep' | 'pooling'>, scores?: string[]) {
  const folder = join(temporaryFolder(), 'run');
  await capture({ checkpoint: tinyMixture(), probes: TINY_PROBES, out: folder, threads: 1, ...options });
  const summary = await scoreRun(folder, { scores, splits: 6, threads: 2 });
  return {
    folder,
    summary,
    units: await readScores(folder, 'units'),
    languages: await readScores(folder, 'unit_languages'),
  };
}

describe('a run of a mixture', () => {
  test.each(['mean', 'last'] as const)(
    'with --keep expert-items and --pooling %s scores neurons by values that are 0 where a token was not routed: AP, AUROC and η² are those of scikit-learn and statsmodels on activations of transformers',
    async (pooling) => {
      const { summary, units, languages } = await scored({ keep: 'expert-items', pooling });
      expect(summary.skipped.filter(({ type }) => type === 'neuron')).toEqual([]);
      const exact: boolean[] = [];
      for (const [layer, { neuron, expert }] of expected[pooling].entries()) {
        exact.push(...expectRanked(languages, 'neuron', layer, neuron));
        expectTwoWay(units, 'neuron', layer, neuron);
        if (expert === undefined) continue;
        expectRanked(languages, 'expert', layer, expert);
        expectTwoWay(units, 'expert', layer, expert);
      }
      expect(exact.filter(Boolean).length / exact.length).toBeGreaterThan(0.5);
      expect(expected[pooling][2]!.zeros > 0.4).toBe(pooling === 'last');
      // Neuron 2 of expert 4.
      const rows = column(units, 'expert', 'neuron', 1);
      expect(rows[4 * 9 + 2]).toBe(4);
    },
  );

  test('with --keep items scores the neurons of dense layers and of shared experts, and no others', async () => {
    const { folder, units, languages } = await scored({}, ['ap', 'auroc', 'twoWay']);
    for (const [layer, { neuron }] of expected.mean.entries()) {
      const first = layer === 0 ? 0 : ROUTED;
      expectRanked(languages, 'neuron', layer, neuron, first);
      expectTwoWay(units, 'neuron', layer, neuron, first);
      for (const tag of TAGS) {
        const routed = column(languages, 'ap', 'neuron', layer, tag).slice(0, first);
        expect(routed.filter((value) => !Number.isNaN(value))).toEqual([]);
      }
      expect(column(units, 'eta2_language', 'neuron', layer).slice(0, first).every(Number.isNaN)).toBe(true);
    }
    const run = await openRun(folder);
    const widths: (number | undefined)[] = [];
    for (const layer of [0, 1]) {
      const opened = await run.layer(layer);
      widths.push((await opened.array('mlp.items')).shape[2]);
      await opened.close();
    }
    expect(widths).toEqual([DENSE, SHARED]);
  });
});
