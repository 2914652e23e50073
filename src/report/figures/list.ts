import type { Comparison } from '../../compare/index.js';
import { plainStrings } from '../words/text.js';
import { alignment } from './alignment.js';
import { contrasts } from './contrasts.js';
import { depthProfile } from './depth-profile.js';
import { entropyDistribution } from './entropy-distribution.js';
import { expertMap } from './expert-map.js';
import type { AbsentFigure, Figure, FigureBuilder, FigureName } from './figure.js';
import { forest } from './forest.js';
import { groups } from './groups.js';
import { headMap } from './head-map.js';
import { headOverlap } from './head-overlap.js';
import { reallocation } from './reallocation.js';
import { regimes } from './regimes.js';
import { specializedNeurons } from './specialized-neurons.js';
import { trajectory } from './trajectory.js';

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
