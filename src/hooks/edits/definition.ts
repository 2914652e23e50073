import type { Float } from '../../graph/index.js';

/** One way of changing an activation at a hook point. */
export interface EditDefinition {
  readonly description: string;
  /** Amount that leaves a unit as it is; null where no amount does, and `chosen` must be asked. */
  readonly neutral: number | null;
  /**
   * The changed activation.
   *
   * @param amounts Broadcast against the value; the neutral amount at units that the edit does not name.
   * @param chosen 1 at the units that the edit names, else 0; of the shape of `amounts`.
   */
  readonly apply: (value: Float, amounts: Float, chosen: () => Float) => Float;
}
