import type * as Onnxruntime from 'onnxruntime-node';
import { onnxruntime } from '../../src/runtime/onnxruntime.js';

// Tests make sessions of their own, without telemetry as the product does.
export const { InferenceSession, Tensor } = await onnxruntime();
export type Tensor = Onnxruntime.Tensor;
export type InferenceSession = Onnxruntime.InferenceSession;
