import { expect, test } from 'vitest';
import { Random } from '../../src/stats/index.js';
import { finishedFolders, flipOnce } from '../support/flips.js';

const FLIPS = 1200;

test(`of ${FLIPS} changed bytes, as many in every kind of file, none goes unnoticed`, async () => {
  const targets = await finishedFolders();
  const random = new Random(1);
  const silent = [];
  for (let flip = 0; flip < FLIPS; flip++) {
    silent.push(...(await flipOnce(targets[flip % targets.length]!, random)));
  }
  expect(silent).toEqual([]);
});
