import type { Graph } from './graph.js';
import { dimOf, elementCount } from './shapes.js';

/**
 * `factor` operations for every combination of the symbols: `batch`, `seq`, `seq` is quadratic in the length. `tokens` are
 * those routed to one expert.
 */
export interface FlopTerm {
  readonly factor: number;
  readonly symbols: readonly string[];
}

/**
 * Floating-point operations of a graph's matrix products, a multiplication and an addition each, as a polynomial in
 * the sizes known only at run time. What else a graph does takes no multiplications worth counting.
 */
export function matrixFlops(graph: Graph): readonly FlopTerm[] {
  const terms = new Map<string, { factor: number; readonly symbols: readonly string[] }>();
  for (const { operator, inputs, outputs } of graph.nodes) {
    if (operator !== 'Gemm' && operator !== 'MatMul') continue;
    const { factor, symbols: exact } = elementCount([...outputs[0]!.shape, dimOf(inputs[0]!, -1)]);
    const symbols = exact.map((symbol) => symbol.replace(/^tokens_\d+$/, 'tokens'));
    const key = symbols.join('*');
    const term = terms.get(key);
    if (term === undefined) terms.set(key, { factor: 2 * factor, symbols });
    else term.factor += 2 * factor;
  }
  return [...terms.values()];
}
