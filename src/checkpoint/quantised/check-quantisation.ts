import { join } from 'node:path';
import { z } from 'zod';
import { CheckpointError } from '../../errors.js';
import { isStoredTable } from '../stored-tables.js';
import type { Checkpoint } from '../types.js';

const quantisationSchema = z.object({ quant_method: z.string(), format: z.string().nullish() });

/** Formats of the compressed-tensors library whose weights are FP8 with a scale a tensor, row or block. */
const FLOAT_FORMATS = ['float-quantized', 'naive-quantized'];

/** How to come by weights that can be read, by the `quant_method` that stored them. */
const REMEDIES: Readonly<Record<string, string>> = {
  gptq: 'give the checkpoint that was quantised; the model card names it',
  awq: 'give the checkpoint that was quantised; the model card names it',
  bitsandbytes:
    'load it with transformers, then model.dequantize() and model.save_pretrained(folder), or give the checkpoint it was made from',
};

/** Names that a method gives to what it packs a weight into, the most telling first. */
const PACKED: readonly (readonly [method: string, ending: RegExp])[] = [
  ['gptq', /\.g_idx$/],
  ['awq', /\.(?:qweight|qzeros)$/],
  ['bitsandbytes', /\.weight\.(?:absmax|quant_map|quant_state\..+)$|\.SCB$/],
];

/**
 * The same for a folder whose configuration keeps silent about it, as older ones of GPTQ do: by the names of its tensors.
 *
 * @throws CheckpointError naming one of them
 */
export function checkPackedWeights({
  folder,
  tensors,
  unreadable,
}: Pick<Checkpoint, 'folder' | 'tensors' | 'unreadable'>): void {
  const packed = packedName([...tensors.keys(), ...unreadable.keys()]);
  if (packed === undefined) return;
  throw new CheckpointError({
    what: `the weights are quantised with ${packed.method}, by their names`,
    where: folder,
    expected: 'F32, F16, BF16, FP8 or MXFP4 weights',
    found: `a tensor ${packed.found}`,
    remedy: REMEDIES[packed.method]!,
  });
}

/**
 * @param stored absent where only config.json is known
 * @returns a warning where config.json names a quantisation and no weight is stored so, as after merging or dequantising
 * @throws CheckpointError for weights that were quantised in a way that graphs cannot undo, naming the `quant_method`.
 * FP8 (`fp8`, `fbgemm_fp8`, float formats of `compressed-tensors`) and MXFP4 (`mxfp4`) can be undone.
 */
export function checkQuantisation(
  { folder, config }: Pick<Checkpoint, 'folder' | 'config'>,
  stored?: Pick<Checkpoint, 'tensors' | 'unreadable'>,
): string[] {
  const found = config.quantization_config ?? config.compression_config;
  if (found === undefined || found === null) return [];
  const parsed = quantisationSchema.safeParse(found);
  const method = parsed.success ? parsed.data.quant_method : 'unknown';
  if (stored !== undefined && isUnpacked(stored)) {
    return [
      `config.json says that the weights are quantised with ${method}, but none is stored so: they were read as they are ` +
        '(remove quantization_config from config.json; transformers may quantise them as it loads them)',
    ];
  }
  if (method === 'fp8' || method === 'fbgemm_fp8' || method === 'mxfp4') return [];
  const format = parsed.data?.format;
  if (method === 'compressed-tensors' && FLOAT_FORMATS.includes(format ?? '')) return [];
  throw new CheckpointError({
    what: `the weights are quantised with ${method}${format ? ` (${format})` : ''}`,
    where: join(folder, 'config.json'),
    expected: 'F32, F16, BF16, FP8 (fp8, fbgemm_fp8, compressed-tensors float-quantized) or MXFP4 weights',
    found: `quantization_config ${JSON.stringify(found).slice(0, 200)}`,
    remedy:
      REMEDIES[method] ?? 'give the checkpoint it was quantised from, or its weights converted to bfloat16',
  });
}

/** Whether every weight is stored as plain numbers: buffers of integers aside, nothing is packed. */
function isUnpacked({ tensors, unreadable }: Pick<Checkpoint, 'tensors' | 'unreadable'>): boolean {
  const packed = [...unreadable.values()].filter(
    ({ name, dtype }) => dtype !== 'I64' && dtype !== 'BOOL' && !isStoredTable(name),
  );
  return tensors.size > 0 && packed.length === 0 && packedName([...tensors.keys()]) === undefined;
}

/** A tensor by whose name a method of packing weights is known. */
function packedName(
  names: readonly string[],
): { readonly method: string; readonly found: string } | undefined {
  for (const [method, ending] of PACKED) {
    const found = names.find((name) => ending.test(name));
    if (found !== undefined) return { method, found };
  }
  return undefined;
}
