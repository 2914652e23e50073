/**
 * Tables that follow from config.json and that older versions of transformers stored among the weights: frequencies, sines
 * and cosines of rotary embeddings, causal masks of GPT-2 and GPT-NeoX, positions.
 */
const STORED_TABLE =
  /(^|\.)rotary_emb\.(inv_freq|cos_cached|sin_cached)$|\.(attn|attention|self_attention)\.(bias|masked_bias)$|(^|\.)position_ids$|\.rope\.freqs$/;

export function isStoredTable(name: string): boolean {
  return STORED_TABLE.test(name);
}

/** Scales beside FP8 and MXFP4 weights, which are no weights themselves. */
const SCALE = /_scale(_inv|s)?$/;

export function isScale(name: string): boolean {
  return SCALE.test(name);
}
