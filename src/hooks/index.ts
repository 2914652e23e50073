export { expertOfNeuron, expertsOf, type LayerSizes, type MixtureShape, neuronsOf } from './layer-widths.js';
export { BLOCK_HOOKS, type HookPoint, hookPoints } from './points.js';
export { type Activation, record, reduces, validateTaps } from './reduce.js';
export { type BlockHook, type Statistic, type Tap, tapOutput } from './taps.js';
