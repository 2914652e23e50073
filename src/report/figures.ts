import type { Comparison } from '../compare/index.js';
import type { AbsentFigure, Figure, FigureBuilder, FigureName } from './figure.js';
import { alignment } from './figures/alignment.js';
import { contrasts } from './figures/contrasts.js';
import { depthProfile } from './figures/depth-profile.js';
import { entropyDistribution } from './figures/entropy-distribution.js';
import { expertMap } from './figures/expert-map.js';
import { forest } from './figures/forest.js';
import { groups } from './figures/groups.js';
import { headMap } from './figures/head-map.js';
import { headOverlap } from './figures/head-overlap.js';
import { reallocation } from './figures/reallocation.js';
import { regimes } from './figures/regimes.js';
import { specializedNeurons } from './figures/specialized-neurons.js';
import { trajectory } from './figures/trajectory.js';
import { plainStrings } from './text.js';

/** In the order of the page: the answer first, then where it comes from. */
const BUILDERS: readonly FigureBuilder[] = [
  forest('neuron'),
  forest('head'),
  forest('expert'),
  regimes,
  groups,
  contrasts,
  trajectory,
  specializedNeurons,
  entropyDistribution,
  depthProfile,
  reallocation,
  headMap,
  headOverlap,
  alignment,
  expertMap,
];

const OF_EXPERTS: ReadonlySet<FigureName> = new Set(['forest-experts', 'expert-map']);

/** Every figure of the report; those without numbers say why. Of a dense model there are none of experts. */
export function buildFigures(comparison: Comparison): (Figure | AbsentFigure)[] {
  const plain = plainStrings(comparison);
  return BUILDERS.map((build) => build(plain)).filter(
    ({ name }) => comparison.shape.mixture !== null || !OF_EXPERTS.has(name),
  );
}
