import { BabelscopeError, type ErrorDetails } from '../errors.js';

/** The runtime failed on a graph that should have run, or its worker died. */
export class RunnerError extends BabelscopeError {
  /** Layer it happened in; null before the first and after the last. */
  readonly layer: number | null;

  constructor(details: ErrorDetails, layer: number | null, options?: ErrorOptions) {
    super(details, options);
    this.layer = layer;
  }
}
