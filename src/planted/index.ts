export { addWeightNoise, BF16_ROUNDING, type WeightNoiseOptions } from './add-weight-noise.js';
export type { UnitDraw, UnitToPlant } from './choose-units.js';
export {
  falseChanges,
  type GivenVerdict,
  type NullOptions,
  nullComparison,
  VERDICT_KINDS,
  type VerdictKind,
  verdictsOf,
} from './null-comparison.js';
export { type PlantOptions, plantUnits } from './plant-units.js';
export {
  itemsNotSeen,
  PLANTED_FILE,
  type PlantedManifest,
  type PlantedUnit,
  readPlanted,
} from './planted.js';
export { type PlantedDemo, type PlantedDemoOptions, plantedDemo } from './planted-demo.js';
export {
  CALLS,
  type Call,
  measureRecovery,
  type Recovered,
  type RecoveryOptions,
  type RecoveryPoint,
  recoverPlanted,
} from './recovery.js';
