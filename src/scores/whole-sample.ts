import type { PromptSample } from './rank-walk.js';

/** Every prompt once, under its own language. */
export function wholeSample(labels: Uint8Array): PromptSample {
  return { labels, weights: new Uint8Array(labels.length).fill(1), total: labels.length };
}
