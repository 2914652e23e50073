import {
  BabelscopeError,
  CheckpointError,
  type ErrorDetails,
  InterruptedError,
  UsageError,
} from '../../errors.js';
import type { Model } from '../../models/index.js';
import type { Device } from '../types.js';
import type { Failure } from './protocol.js';

/** Carries the worker's failure to where its prompt can be named. */
export class FailureMessage extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.kind);
    this.failure = failure;
  }
}

interface FailedPass {
  readonly signal: AbortSignal | undefined;
  readonly describePrompt: (prompt: number) => string;
  readonly model: Model;
}

/** The error that the user is shown for a failure in the worker. */
export function explainFailure(failure: Failure, { signal, describePrompt, model }: FailedPass): Error {
  switch (failure.kind) {
    case 'aborted':
      return interrupted(signal);
    case 'not-finite':
      return new CheckpointError({
        what: `layer ${failure.layer} yields NaN or infinity at ${failure.where}`,
        where: describePrompt(failure.prompt),
        expected: 'finite activations',
        remedy:
          'check the weights of this layer: a checkpoint that was saved after its training diverged, or damaged',
      });
    case 'shortened':
      return new CheckpointError({
        what: 'a weight file was made shorter while the model runs',
        where: failure.file.path,
        expected: `${failure.file.bytes} bytes`,
        found: `${failure.found} bytes`,
        remedy: 'put the file back, and repeat the command: what was finished is kept',
      });
    case 'create':
    case 'run':
    case 'other': {
      const place = failure.layer === null ? '' : ` in layer ${failure.layer}`;
      const outOfMemory = /bad_alloc|failed to allocate|out of memory/i.test(failure.details.what);
      if (model.kind === 'whole' && failure.kind === 'create' && !outOfMemory) {
        return new CheckpointError({
          what: 'onnxruntime cannot run this graph',
          where: model.path,
          found: failure.details.what,
          remedy:
            'export the model again, for the CPU provider and an onnxruntime no newer than the one here',
        });
      }
      return new RunnerError(
        {
          what: `onnxruntime failed${place} ${failure.kind === 'create' ? 'while loading its weights' : 'while running'}`,
          found: [failure.details.what, failure.details.found]
            .filter((part) => part !== undefined)
            .join('; '),
          ...(outOfMemory && {
            remedy: 'there is not enough memory: close other programs, or lower --memory',
          }),
        },
        failure.layer,
      );
    }
  }
}

export function unavailableDevice(device: Device, error: unknown): Error {
  const found =
    error instanceof FailureMessage && 'details' in error.failure
      ? error.failure.details.what
      : String(error);
  const remedy =
    device === 'cuda'
      ? 'install the CUDA provider (ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node, with CUDA 12 and cuDNN 9), or use --device cpu'
      : 'WebGPU needs a graphics driver with Vulkan, Metal or Direct3D 12; or use --device cpu';
  return new UsageError({ what: `the device ${device} is not available`, where: '--device', found, remedy });
}

export function interrupted(signal: AbortSignal | undefined): InterruptedError {
  return new InterruptedError({ what: 'interrupted' }, { cause: signal?.reason });
}

/** The runtime failed on a graph that should have run, or its worker died. */
export class RunnerError extends BabelscopeError {
  /** Layer it happened in; null before the first and after the last. */
  readonly layer: number | null;

  constructor(details: ErrorDetails, layer: number | null, options?: ErrorOptions) {
    super(details, options);
    this.layer = layer;
  }
}
