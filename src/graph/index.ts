export { type FlopTerm, matrixFlops } from './flops.js';
export { gradients } from './gradients/index.js';
export { type Dim, type Float, Graph, GraphError, type OperatorName, type Value } from './graph.js';
export * from './onnx/onnx_pb.js';
export { attributeProto, serialize } from './onnx/serialize.js';
export * from './operators/index.js';
export { dimOf, sizeOf } from './shapes.js';
