import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import type { Checkpoint } from '../../src/checkpoint/types.js';
import { openModel } from '../../src/models/open-model.js';
import type { LayeredModel } from '../../src/models/types.js';
import { type Edit, editedModel } from './edit-graph.js';
import { type Prompts, type Recorded, readRecorded, runModel } from './run-model.js';

export const FIXTURES = fileURLToPath(new URL('../fixtures/models/', import.meta.url));

/** Largest deviation allowed, relative to the largest value of the tensor. */
export const TOLERANCE = 1e-4;

/** A tiny checkpoint, and what transformers computed with it on a padded batch. */
export interface Fixture {
  readonly checkpoint: Checkpoint;
  readonly recorded: ReadonlyMap<string, Recorded>;
  readonly prompts: Prompts;
  readonly lengths: readonly number[];
}

export async function openFixture(name: string): Promise<Fixture> {
  const folder = join(FIXTURES, name);
  const checkpoint = await openCheckpoint(folder);
  const recorded = await readRecorded(join(folder, 'expected.safetensors'));
  const ids = recorded.get('input_ids')!;
  const [batch, seq] = ids.shape as [number, number];
  const lengths = [...recorded.get('lengths')!.values];
  const prompts = {
    batch,
    seq,
    ids: BigInt64Array.from(ids.values, BigInt),
    counted: recorded.get('counted')!.values,
    lengths,
  };
  return { checkpoint, recorded, prompts, lengths };
}

/** max |found − recorded| over real tokens, relative to the largest recorded value of a real token. */
export function deviation(
  found: Float32Array,
  { shape, values }: Recorded,
  hook: string,
  lengths: readonly number[],
): number {
  expect(found.length).toBe(values.length);
  const seqAxis = hook === 'attn.hook_pattern' ? 2 : 1;
  const seq = shape[seqAxis]!;
  const width = shape.slice(seqAxis + 1).reduce((product, size) => product * size, 1);
  const perPrompt = values.length / lengths.length;
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < values.length; i++) {
    if (Math.floor(i / width) % seq >= lengths[Math.floor(i / perPrompt)]!) continue;
    // Neurons of experts that the token was not routed to.
    if (Number.isNaN(values[i]) && Number.isNaN(found[i])) continue;
    const distance = Math.abs(found[i]! - values[i]!);
    // NaN on either side must not slip through a comparison.
    difference = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(difference, distance);
    scale = Math.max(scale, Math.abs(values[i]!));
  }
  return difference / scale;
}

/** Fails unless a checkpoint with another config.json than its own gives other logits than were recorded. */
export async function expectNoticed(name: string, change: Readonly<Record<string, unknown>>): Promise<void> {
  const fixture = await openFixture(name);
  const { checkpoint } = fixture;
  const wrong = { ...checkpoint, config: { ...checkpoint.config, ...change } };
  await expectOtherLogits(fixture, openModel(wrong));
}

/** Fails unless the graphs of a checkpoint give other logits than were recorded when one thing in them is changed. */
export async function expectEditNoticed(name: string, edit: Edit): Promise<void> {
  const fixture = await openFixture(name);
  await expectOtherLogits(fixture, editedModel(openModel(fixture.checkpoint), edit));
}

async function expectOtherLogits(fixture: Fixture, model: LayeredModel): Promise<void> {
  const { checkpoint, recorded, prompts, lengths } = fixture;
  const outputs = await runModel(checkpoint, model, prompts, () => []);
  expect(deviation(outputs.logits, recorded.get('logits')!, 'logits', lengths)).toBeGreaterThan(TOLERANCE);
}
