/** Kinds of operators that the search for hook points tells apart. The domain is left out: no name means two things. */

/** Computes attention from queries, keys and values in one node. */
export const FUSED_ATTENTION: ReadonlySet<string> = words(`
  Attention MultiHeadAttention GroupQueryAttention QAttention PackedAttention
  PackedMultiHeadAttention PagedAttention SparseAttention DecoderMaskedSelfAttention
  DecoderMaskedMultiHeadAttention
`);

/** Products of two tensors; of two activations, they are the core of an attention. */
export const PRODUCTS: ReadonlySet<string> = words(`MatMul FusedMatMul Einsum`);

/** Sums over an axis: with them a tensor is a normalised stream and no MLP's inside. */
export const NORMALISING: ReadonlySet<string> = words(`
  LayerNormalization SimplifiedLayerNormalization SkipLayerNormalization
  SkipSimplifiedLayerNormalization EmbedLayerNormalization RMSNormalization SkipRMSNormalization
  LpNormalization GroupNormalization InstanceNormalization ReduceMean ReduceSum ReduceSumSquare
  ReduceL2 ReduceMax
`);

/** Add the residual stream to what a half of a layer puts out, and normalise the sum, which is their fourth output. */
export const SKIP_NORMALISING: ReadonlySet<string> = words(`
  SkipLayerNormalization SkipSimplifiedLayerNormalization
`);

/** Activation functions. With a second input, a bias is added before. */
export const ACTIVATIONS: ReadonlySet<string> = words(`
  Gelu FastGelu BiasGelu QuickGelu Sigmoid Tanh Erf Relu LeakyRelu PRelu ThresholdedRelu Elu Selu
  Celu Swish HardSigmoid HardSwish Mish Softplus Softsign
`);

/** Nonlinear too, but also used beside activation functions: they bend an MLP only where there is none of the above. */
export const BENDING: ReadonlySet<string> = words(`Clip Max Min Pow Abs Exp Where`);

/** Act on each element, or move elements. */
export const ELEMENTWISE: ReadonlySet<string> = words(`
  Add Sub Mul Div Neg Sqrt Reciprocal Cast Identity Dropout Reshape Transpose Squeeze Unsqueeze
  Flatten Split Slice Gather Concat Expand QuantizeLinear DequantizeLinear
`);

/** Look up embeddings where their first input is a weight. */
export const LOOKUPS: ReadonlySet<string> = words(`Gather GatherBlockQuantized GatherND`);

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
