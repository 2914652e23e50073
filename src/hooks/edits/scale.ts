import { mul } from '../../graph/index.js';
import type { EditDefinition } from './definition.js';

/** Multiplies units by an amount: 0 silences them, 2 doubles them. */
export const scale: EditDefinition = {
  description: 'the value times the amount',
  neutral: 1,
  apply: (value, amounts) => mul(value, amounts),
};
