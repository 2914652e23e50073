import { greater, where } from '../../graph/index.js';
import type { EditDefinition } from './definition.js';

/** Puts an amount in the place of units, whatever they were: 0, or a mean over other prompts. */
export const set: EditDefinition = {
  description: 'the amount in place of the value',
  neutral: null,
  apply: (value, amounts, chosen) => where(greater(chosen(), value.graph.float(0)), amounts, value),
};
