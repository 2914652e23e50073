import type { Comparison } from '../../compare/index.js';
import { plainStrings } from '../words/text.js';
import { alignment } from './alignment.js';
import { contrasts } from './contrasts.js';
import { depthProfile } from './depth-profile.js';
import { entropyDistribution } from './entropy-distribution.js';
import { expertMap } from './expert-map.js';
import type { AbsentFigure, Figure, FigureDefinition } from './figure.js';
import { forest } from './forest.js';
import { groups } from './groups.js';
import { headMap } from './head-map.js';
import { headOverlap } from './head-overlap.js';
import { reallocation } from './reallocation.js';
import { regimes } from './regimes.js';
import { specializedNeurons } from './specialized-neurons.js';
import { trajectory } from './trajectory.js';
import { unitLanguages } from './unit-languages.js';

/** Every figure, in the order of the page: the answer first, then where it comes from. */
const FIGURES = [
  forest('neuron', 'forest'),
  forest('head', 'forest-heads'),
  forest('expert', 'forest-experts', ({ shape }) => shape.mixture !== null),
  regimes,
  groups,
  contrasts,
  trajectory,
  specializedNeurons,
  entropyDistribution,
  depthProfile,
  reallocation,
  unitLanguages,
  headMap,
  headOverlap,
  alignment,
  expertMap,
] as const;

export type FigureName = (typeof FIGURES)[number]['name'];

/** Every figure of the report; those without numbers say why. Of a dense model there are none of experts. */
export function buildFigures(comparison: Comparison): (Figure | AbsentFigure)[] {
  const plain = plainStrings(comparison);
  return FIGURES.filter(({ concerns }) => concerns(plain)).map(({ of }) => of(plain));
}

/** One figure by name: its vega-lite specification, title, caption; or the reason why this comparison has no numbers for it. */
export function figure(comparison: Comparison, name: FigureName): Figure | AbsentFigure {
  const definitions: readonly FigureDefinition[] = FIGURES;
  return definitions.find((definition) => definition.name === name)!.of(plainStrings(comparison));
}
