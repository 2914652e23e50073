import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { capture } from '../../src/capture/index.js';
import { RunError } from '../../src/errors.js';
import { openRun } from '../../src/store/run/open-run.js';
import { TINY_PROBES, temporaryFolder, tinyCheckpoint } from '../support/tiny-checkpoint.js';

const ADAPTER = fileURLToPath(new URL('../fixtures/adapters/patterns-bf16', import.meta.url));

/** The adapter with another scale: the same matrices, other numbers. */
function otherAdapter(): string {
  const folder = join(temporaryFolder(), 'other');
  cpSync(ADAPTER, folder, { recursive: true });
  const path = join(folder, 'adapter_config.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), lora_alpha: 7 }));
  return folder;
}

describe('a run of a checkpoint with an adapter', () => {
  it('is another run than that of the checkpoint alone, or with another adapter, and none resumes or joins another', async () => {
    const checkpoint = tinyCheckpoint();
    const folder = temporaryFolder();
    const run = (out: string, adapter?: string, shard?: { index: number; count: number }) =>
      capture({ checkpoint, adapter, shard, probes: TINY_PROBES, limit: 6, out: join(folder, out) });

    const { manifest } = await run('adapted', ADAPTER, { index: 1, count: 2 });
    expect(manifest.model.adapter).toMatchObject({ name: 'patterns-bf16', revision: null });
    expect(manifest.warnings).toContainEqual(expect.stringMatching(/made for tiny\/qwen2-tied-bf16/));
    for (const other of [undefined, otherAdapter()]) {
      const refused = run('adapted', other, { index: 2, count: 2 });
      await expect(refused).rejects.toThrow(RunError);
      await expect(refused).rejects.toThrow(/different plan: adapter/);
    }
    await run('adapted', ADAPTER);

    const { manifest: alone } = await run('alone');
    expect(alone.model).toEqual({ ...manifest.model, adapter: null });
    const sums = await Promise.all(
      ['adapted', 'alone'].map(async (out) => {
        const layer = await (await openRun(join(folder, out))).layer(0);
        const values = await layer.readStatistic('mlp.sum');
        await layer.close();
        return values;
      }),
    );
    expect(sums[0]).not.toEqual(sums[1]);
  });
});
