import type { Tap } from '../hooks/index.js';
import type { Model } from './types.js';

/** The taps that a layer has hook points for; those whose hook no layer has stay, for `Model.layer` to refuse. */
export function layerTaps(
  { hooks }: Pick<Model, 'hooks'>,
  layer: number,
  taps: readonly Tap[],
): readonly Tap[] {
  const here = new Set(hooks.filter((point) => point.layer === layer).map(({ hook }) => hook));
  const anywhere = new Set(hooks.map(({ hook }) => hook));
  return taps.filter(({ hook }) => here.has(hook) || !anywhere.has(hook));
}
