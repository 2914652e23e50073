import { exp, type Float, gatherLast, logSumExpLast, mul, reshape, sub, sumLast } from '../../graph/index.js';
import type { ModelGraph } from '../types.js';
import type { Block } from './block.js';

/**
 * Reduces logits [batch, seq, vocab] inside the graph and closes it: the negative log-likelihood of each token's target and the
 * entropy of its predictive distribution, in nats, [batch, seq]. Rows are independent of each other, so that a caller may cut
 * a batch into pieces of any number of rows.
 *
 * @param gradient Also the gradient of Σ weight · negative log-likelihood with regard to `hidden`, as `previous`.
 */
export function finishLoss(block: Block, hidden: Float, logits: Float, gradient: boolean): ModelGraph {
  const { graph } = block;
  const targets = graph.input('targets', 'int64', ['batch', 'seq']);
  const total = logSumExpLast(logits);
  const likelihood = sub(logits, total);
  const nll = perToken(mul(gatherLast(likelihood, reshape(targets, ['batch', 'seq', 1])), graph.float(-1)));
  graph.output('nll', nll);
  if (!gradient) {
    graph.output('entropy', mul(sumLast(mul(exp(likelihood), likelihood)), graph.float(-1)));
    return block.finish();
  }
  const weights = graph.input('weights', 'float32', ['batch', 'seq']);
  return block.finishBackward(hidden, nll, weights, []);
}

function perToken(x: Float): Float {
  return reshape(x, ['batch', 'seq']);
}
