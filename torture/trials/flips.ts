import { finishedFolders, flipOnce } from '../../test/support/flips.js';
import { eachSeed, Failed, type Trial } from '../trial.js';

export const flips: Trial = {
  name: 'flips',
  about:
    'a changed byte in every kind of file of runs, comparisons and selections: `babelscope verify` and the reader notice it',
  tries: { quick: 120, whole: 1000 },
  run: async (request) => {
    const targets = await finishedFolders(request.folder);
    return eachSeed(request, async (random, seed) => {
      for (const { kind, position, by } of await flipOnce(targets[seed % targets.length]!, random))
        throw new Failed(`${kind}, byte ${position}: not noticed by ${by}`, true);
    });
  },
};
