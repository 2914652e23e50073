import { UsageError } from '../errors.js';
import { type BlockHook, isBlockHook } from './points.js';

/**
 * What leaves a backward graph at a hook, of the gradient of a prompt's loss there. All tokens of a prompt count, one row a
 * prompt:
 *
 * - `gradient`: the gradient itself, of the activation's shape, [batch, seq, …]
 * - `attribution.sum`: Σ over tokens of activation × gradient (act×grad), [batch, width]; at `attn.hook_z` of ⟨z_h, ∂L/∂z_h⟩, which is
 *   the derivative of the loss by a factor of the head (Michel, Levy and Neubig 2019), [batch, heads]
 * - `attribution.abs`: the same of its absolute value at every token
 * - `gradient.norm.sum`: Σ over tokens of ‖∂L/∂x‖₂, [batch, 1]; only of the residual stream
 */
export type GradientStatistic = 'gradient' | 'attribution.sum' | 'attribution.abs' | 'gradient.norm.sum';

export interface GradientTap {
  readonly hook: BlockHook;
  readonly statistic: GradientStatistic;
}

/** The statistics of its gradient that a hook can record. */
export function gradientStatisticsOf(hook: BlockHook): readonly GradientStatistic[] {
  if (hook === 'attn.hook_pattern') return ['gradient'];
  const units: readonly GradientStatistic[] = ['gradient', 'attribution.sum', 'attribution.abs'];
  return hook.startsWith('hook_resid') ? [...units, 'gradient.norm.sum'] : units;
}

/** @throws UsageError for an unknown hook, or a statistic that it does not have. */
export function validateGradientTaps(taps: readonly GradientTap[]): void {
  for (const { hook, statistic } of taps) {
    const known = isBlockHook(hook) ? gradientStatisticsOf(hook) : [];
    if (known.includes(statistic)) continue;
    throw new UsageError({
      what: `${hook} has no gradient statistic ${statistic}`,
      where: `${hook}/${statistic}`,
      expected: known.join(', ') || 'a hook point',
    });
  }
}
