import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { estimateCapture } from '../../src/capture/plan/estimate-capture.js';
import { FAMILIES } from '../../src/models/choose-family.js';
import { inspectModel } from '../../src/models/inspect.js';
import { describeModel } from '../../src/models/open-model.js';
import { temporaryFolder } from '../support/tiny-checkpoint.js';

const PUBLISHED = fileURLToPath(new URL('../fixtures/published/', import.meta.url));

interface Row {
  readonly config: Readonly<Record<string, unknown>>;
  readonly parameters: number;
}

const rows: [name: string, row: Row][] = readdirSync(PUBLISHED).flatMap((group) =>
  Object.entries(JSON.parse(readFileSync(join(PUBLISHED, group), 'utf8'))),
);

describe.each(FAMILIES)('of a folder with nothing but a config.json, of $name,', ({ architectures }) => {
  const own = rows.filter(([, { config }]) => architectures.includes((config.architectures as string[])[0]!));
  const [name, { config, parameters }] = own.reduce((a, b) => (b[1].parameters < a[1].parameters ? b : a));

  it(`inspect tells parameters, layers, units, hooks, memory and time: ${name}`, async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const { inspection, model } = await inspectModel(folder);
    const { layers, heads, units, hooks, mixture } = inspection;
    expect(inspection).toMatchObject({ parameters, weights: null });
    expect(units.heads).toBe(layers * heads);
    expect(units.neurons).toBeGreaterThanOrEqual(units.expertNeurons);
    expect(units.experts).toBe((inspection.experts ?? 0) * (mixture?.layers.length ?? 0));
    for (const hook of [
      'mlp.hook_pre',
      'mlp.hook_post',
      'attn.hook_z',
      'attn.hook_pattern',
      'hook_resid_post',
    ])
      for (const layer of [0, layers - 1])
        expect(hooks.map((point) => point.name)).toContain(`blocks.${layer}.${hook}`);
    const routed = hooks.filter((point) => point.name.endsWith('mlp.hook_router'));
    expect(routed).toHaveLength(mixture?.layers.length ?? 0);

    // Estimates of DeepSeek-V3's 61 layers alone take ten seconds: six of them tell as much.
    const estimated =
      parameters < 1e11 ? model : describeModel({ folder, config: { ...config, num_hidden_layers: 6 } });
    const passed = estimated.shape.parameters / (inspection.experts ?? 1);
    const { flopsPerToken, memory } = estimateCapture(estimated);
    // Two operations for each weight that a token passes; of the parameters, embeddings and most experts are none of those.
    expect(flopsPerToken).toBeGreaterThan(0.1 * passed);
    expect(flopsPerToken).toBeLessThan(2.5 * estimated.shape.parameters);
    expect(memory.least).toBeGreaterThan(0);
    expect(memory.least).toBeLessThanOrEqual(memory.layerByLayer);
    // A layer with experts converts its weights as it runs, so nothing of it stays open from chunk to chunk.
    const routedLayers = estimated.shape.mixture?.layers.length ?? 0;
    if (routedLayers === estimated.shape.layers) expect(memory.resident).toBe(memory.layerByLayer);
    else if (routedLayers === estimated.shape.layers - 1)
      expect(memory.resident).toBeGreaterThanOrEqual(memory.layerByLayer);
    else expect(memory.resident).toBeGreaterThan(memory.layerByLayer);
    expect(memory.fastest).toBeGreaterThan(memory.resident);
  });
});
