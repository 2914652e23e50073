import { add as sum } from '../../graph/index.js';
import type { EditDefinition } from './definition.js';

/** Adds an amount to units: in the residual stream it shifts every token along one direction. */
export const add: EditDefinition = {
  description: 'the value plus the amount',
  neutral: 0,
  apply: (value, amounts) => sum(value, amounts),
};
