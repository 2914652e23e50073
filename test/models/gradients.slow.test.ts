import { expect, it } from 'vitest';
import { checkpointNames } from '../../scripts/models-page.js';
import { openModel } from '../../src/models/open-model.js';
import { expectAutogradOf, recordedNames } from './backward.js';
import { openFixture } from './fixture.js';

it('covers every family', async () => {
  const family = async (name: string) => openModel((await openFixture(name)).checkpoint).shape.family;
  const all = new Set(await Promise.all(checkpointNames().map(family)));
  expect(new Set(await Promise.all(recordedNames().map(family)))).toEqual(all);
});

it.each(recordedNames())(
  "%s: the loss and its gradient at every hook point are those of PyTorch's autograd",
  expectAutogradOf,
);
