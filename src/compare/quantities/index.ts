import { MEASURES } from '../comparison.js';
import type { Scope } from '../inputs/layer-scores.js';
import type { UnitTallies } from '../inputs/unit-tallies.js';
import { depthQuantities } from './depth.js';
import type { Quantity } from './quantity.js';
import { scoreQuantities } from './scores.js';
import { selectionQuantities } from './selection.js';
import { sameLanguageTopHeadQuantities, topHeadQuantities } from './top-heads.js';

/** Every family of quantities of units. A new one is a file of its own, a name in `MEASURES` and a line here. */
const FAMILIES: readonly ((tallies: UnitTallies) => Quantity[])[] = [
  selectionQuantities,
  scoreQuantities,
  depthQuantities,
  topHeadQuantities,
  sameLanguageTopHeadQuantities,
];

/** The quantities of one unit type: over all languages, over each group, then of single layers and languages. */
export function unitQuantities(tallies: UnitTallies): Quantity[] {
  const order = (quantity: Quantity) => [
    Number(quantity.isDetail),
    scopeOf(tallies.scopes, quantity),
    MEASURES.indexOf(quantity.measure),
  ];
  return FAMILIES.flatMap((family) => family(tallies)).sort((a, b) => {
    const [x, y] = [order(a), order(b)];
    const at = x.findIndex((value, i) => value !== y[i]);
    return at === -1 ? 0 : x[at]! - y[at]!;
  });
}

function scopeOf(scopes: readonly Scope[], { group }: Quantity): number {
  return scopes.findIndex((scope) => scope.group === group);
}
