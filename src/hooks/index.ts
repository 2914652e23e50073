export {
  BLOCK_HOOKS,
  type BlockHook,
  expertOfNeuron,
  expertsOf,
  type HookPoint,
  hookPoints,
  type LayerSizes,
  type MixtureShape,
  neuronsOf,
} from './points.js';
export { type Activation, record } from './reductions/record.js';
export { reduces, type Statistic, type Tap, tapOutput, validateTaps } from './taps.js';
