import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { capture } from '../../src/capture/index.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { itemsNotSeen, plantUnits, readPlanted, recoverPlanted } from '../../src/planted/index.js';
import { loadProbes } from '../../src/probes/index.js';
import { scoreRun } from '../../src/scores/index.js';
import { openRun } from '../../src/store/run/open-run.js';
import {
  PLANTED_FIXTURE,
  TINY_PLANT,
  TINY_PROBES,
  temporaryFolder,
  tinyCheckpoint,
} from '../support/planted-checkpoint.js';
import { readWeight, writeTinyCheckpoint } from '../support/tiny-checkpoint.js';

describe('the planted checkpoint', () => {
  test('is what the generator makes of the tiny checkpoint, within rounding', async () => {
    const out = join(temporaryFolder(), 'planted');
    const manifest = await plantUnits({
      ...TINY_PLANT,
      checkpoint: tinyCheckpoint(),
      probes: TINY_PROBES,
      out,
    });
    const committed = await readPlanted(PLANTED_FIXTURE);
    expect(manifest.units.map(({ realised: _, othersRange: __, ...unit }) => unit)).toEqual(
      committed.units.map(({ realised: _, othersRange: __, ...unit }) => unit),
    );
    expect(manifest.calibrationItems).toEqual(committed.calibrationItems);
    const { tensors } = await openCheckpoint(PLANTED_FIXTURE);
    for (const name of tensors.keys()) {
      const [made, kept] = [await readWeight(out, name), await readWeight(PLANTED_FIXTURE, name)];
      const largest = kept.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      made.forEach((value, i) => {
        expect(Math.abs(value - kept[i]!), name).toBeLessThanOrEqual(0.01 * largest);
      });
    }
  });

  test('has, as stored, the strengths that were asked for, on the calibration tokens', async () => {
    const { units } = await readPlanted(PLANTED_FIXTURE);
    expect(units).toHaveLength(15);
    for (const { strength, realised, othersRange } of units) {
      expect(Math.abs(realised - strength)).toBeLessThan(0.03);
      expect(othersRange).toBeLessThan(0.03);
    }
  });

  test('goes through capture and score like any other; planted neurons fire as their strength says', async () => {
    const manifest = await readPlanted(PLANTED_FIXTURE);
    const run = join(temporaryFolder(), 'run');
    const probes = itemsNotSeen(await loadProbes(TINY_PROBES), manifest);
    expect(probes.items).toHaveLength(23 - manifest.calibrationItems.length);
    await capture({ checkpoint: PLANTED_FIXTURE, probes, out: run, threads: 1 });
    await scoreRun(run, { splits: 2 });

    const opened = await openRun(run);
    const tags = opened.manifest.plan.languages;
    const gap = async ({ layer, index, language }: (typeof manifest.units)[number]): Promise<number> => {
      const file = await opened.layer(layer);
      const fire = await file.readStatistic('mlp.fire');
      const tokens = await file.readTokens();
      await file.close();
      const units = opened.manifest.shape.dMlp!;
      const rate = tags.map((_, k) => {
        let [fired, counted] = [0, 0];
        for (let fold = 0; fold < opened.manifest.plan.folds; fold++) {
          fired += fire[(fold * tags.length + k) * units + index]!;
          counted += tokens[fold * tags.length + k]!;
        }
        return fired / counted;
      });
      const own = rate[tags.indexOf(language)]!;
      return own - (rate.reduce((a, b) => a + b, 0) - own) / (tags.length - 1);
    };
    const mean = async (strength: number) => {
      const units = manifest.units.filter((unit) => unit.type === 'neuron' && unit.strength === strength);
      const gaps = await Promise.all(units.map(gap));
      return gaps.reduce((a, b) => a + b, 0) / gaps.length;
    };
    // A normal gate would fire Φ(s − 1) − Φ(−1) more often in its language: 0.00, 0.24 and 0.53.
    expect(Math.abs(await mean(0))).toBeLessThan(0.1);
    expect(Math.abs((await mean(0.75)) - 0.24)).toBeLessThan(0.12);
    expect(Math.abs((await mean(1.5)) - 0.53)).toBeLessThan(0.15);

    const tied = { units: manifest.units.filter(({ strength }) => strength > 0) };
    const found = new Map(
      (await recoverPlanted(run, tied)).map((part) => [`${part.type} ${part.call}`, part]),
    );
    for (const call of ['lape', 'ap', 'omega2']) {
      expect(found.get(`neuron ${call}`)).toMatchObject({ planted: 8, units: 111, called: 8 });
      expect(found.get(`neuron ${call}`)!.found, call).toBeGreaterThanOrEqual(6);
    }
  });

  test('planted units are heard by nobody: another strength leaves every other unit as it was', async () => {
    const folder = temporaryFolder();
    const checkpoint = tinyCheckpoint();
    const probes = await loadProbes(TINY_PROBES);
    const run = async (strength: number): Promise<Float64Array> => {
      const planted = join(folder, `planted-${strength}`);
      await plantUnits({
        checkpoint,
        probes,
        out: planted,
        units: [{ type: 'neuron', layer: 0, index: 5, language: 'uk', strength }],
        threads: 1,
      });
      const out = join(folder, `run-${strength}`);
      await capture({ checkpoint: planted, probes, out, threads: 1 });
      const layer = await (await openRun(out)).layer(2);
      const sums = await layer.readStatistic('mlp.sum');
      await layer.close();
      return sums;
    };
    expect(await run(2)).toEqual(await run(0));
  });
});

describe('what cannot be planted is refused, and nothing is left behind', () => {
  test.each(['gpt2-bf16', 'gemma2-caps-bf16', 'qwen2-moe-bf16'])(
    'a model of an unknown family: %s',
    async (fixture) => {
      const folder = join(temporaryFolder(), fixture);
      writeTinyCheckpoint(folder, fixture);
      const out = join(temporaryFolder(), 'planted');
      const planting = plantUnits({ ...TINY_PLANT, checkpoint: folder, probes: TINY_PROBES, out });
      await expect(planting).rejects.toMatchObject({ name: 'CheckpointError', exitCode: 2 });
      await expect(planting).rejects.toThrow(
        /planting does not know the family \w+[\s\S]*a dense model of llama, qwen2, qwen3, smollm3, olmo2/,
      );
      expect(existsSync(out)).toBe(false);
    },
  );

  test.each([
    [{ strength: 50 }, /neuron 5 of layer 0 cannot be tied to uk that strongly\n.*at most en /],
    [{ index: 37 }, /the model has no neuron 37 of layer 0/],
    [{ language: 'fr' }, /no calibration prompt is in fr/],
    [{ strength: Number.NaN }, /unusable strength/],
  ])('%o', async (change, message) => {
    const folder = temporaryFolder();
    const unit = { type: 'neuron', layer: 0, index: 5, language: 'uk', strength: 1, ...change } as const;
    const planting = plantUnits({
      checkpoint: tinyCheckpoint(),
      probes: TINY_PROBES,
      out: join(folder, 'planted'),
      units: [unit],
      threads: 1,
    });
    await expect(planting).rejects.toThrow(message);
    expect(existsSync(join(folder, 'planted'))).toBe(false);
  });

  test('a place that is taken', async () => {
    const taken = tinyCheckpoint();
    const before = readFileSync(join(taken, 'model.safetensors'));
    const units = { neurons: 1, strengths: [0] };
    await expect(plantUnits({ checkpoint: taken, probes: TINY_PROBES, out: taken, units })).rejects.toThrow(
      /there is something at the place/,
    );
    expect(readFileSync(join(taken, 'model.safetensors'))).toEqual(before);
  });
});
