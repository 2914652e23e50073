export { applyEdit, EDITS, type Edit, type Place, type PlacedEdit, placeEdits } from './edits/edit.js';
export {
  type GradientStatistic,
  type GradientTap,
  gradientStatisticsOf,
  validateGradientTaps,
} from './gradient-taps.js';
export {
  BLOCK_HOOKS,
  type BlockHook,
  type ExpertSizes,
  expertOfNeuron,
  expertsOf,
  type HookPoint,
  hookPoints,
  type LayerSizes,
  type MixtureShape,
  neuronsOf,
  requireHook,
} from './points.js';
export { recordGradient } from './reductions/gradient.js';
export { type Activation, record, type WholeActivation } from './reductions/record.js';
export type { ExpertActivation } from './reductions/routed.js';
export { reduces, type Statistic, type Tap, tapOutput, validateTaps } from './taps.js';
