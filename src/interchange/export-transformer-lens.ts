import { RunError } from '../errors.js';
import {
  arrayBytes,
  layerPath,
  neuronsWithoutItems,
  openRun,
  openSafetensors,
  type PlannedArray,
  slabs,
  streamSafetensors,
} from '../store/index.js';

/** Pooled values of a run and the TransformerLens hook they are of. */
const HOOKS = [
  ['mlp.items', 'mlp.hook_post'],
  ['head.items', 'attn.hook_z'],
  ['resid.items', 'hook_resid_post'],
] as const;

/**
 * Writes the pooled values of a run as a dictionary in the manner of TransformerLens's `ActivationCache`, in one
 * safetensors file: `blocks.{l}.mlp.hook_post` [prompt, d_mlp], `blocks.{l}.attn.hook_z` [prompt, head, d_head],
 * `blocks.{l}.hook_resid_post` [prompt, d_model]; where a run keeps the neurons of shared experts alone, those as
 * `blocks.{l}.mlp.shared_experts.hook_post`. A prompt is an item in a language, item by item and within an item
 * language by language; NaN where the item lacks the language. The position axis is gone: values are pooled.
 * Metadata name items, languages, pooling, model and probe set. Streamed, whatever the size.
 *
 * @returns names of the arrays.
 * @throws RunError if the run keeps no pooled values; OutputError.
 */
export async function exportTransformerLens(folder: string, out: string): Promise<string[]> {
  const run = await openRun(folder);
  await run.check();
  const { manifest } = run;
  const { plan, shape, model, probe } = manifest;
  const arrays: (PlannedArray & { readonly layer: number; readonly source: string })[] = [];
  for (let layer = 0; layer < shape.layers; layer++) {
    const file = await openSafetensors(layerPath(folder, layer));
    for (const [source, hook] of HOOKS) {
      const found = file.arrays.get(source);
      if (found === undefined) continue;
      const [items = 0, languages = 0, ...rest] = found.shape;
      const ofShared = source === 'mlp.items' && neuronsWithoutItems(manifest, layer) > 0;
      const name = `blocks.${layer}.${ofShared ? 'mlp.shared_experts.hook_post' : hook}`;
      arrays.push({ layer, source, name, dtype: found.dtype, shape: [items * languages, ...rest] });
    }
    await file.close();
  }
  if (arrays.length === 0) {
    throw new RunError({
      what: 'the run keeps no pooled values',
      where: folder,
      remedy: manifest.imported
        ? 'imports hold none: capture the checkpoint with --keep items'
        : 'capture with --keep items',
    });
  }
  // float32 before float16, so that every array is aligned.
  arrays.sort((a, b) => Number(a.dtype === 'F16') - Number(b.dtype === 'F16'));
  async function* values() {
    for (const { layer, source } of arrays) {
      const file = await openSafetensors(layerPath(folder, layer));
      try {
        const { dtype, shape } = file.arrays.get(source)!;
        const itemBytes = arrayBytes({ dtype, shape: shape.slice(1) });
        for (const { start, end } of slabs(shape[0] ?? 0, itemBytes)) {
          yield await file.readRange(source, start, end - start);
        }
      } finally {
        await file.close();
      }
    }
  }
  await streamSafetensors(out, arrays, values(), {
    items: JSON.stringify(plan.items.map(({ id }) => id)),
    languages: JSON.stringify(plan.languages),
    prompts: 'item by item, and within an item language by language',
    pooling: plan.pooling,
    positions: plan.positions,
    model: JSON.stringify(model),
    probe: JSON.stringify(probe),
  });
  return arrays.map(({ name }) => name);
}
