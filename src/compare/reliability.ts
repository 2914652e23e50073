import type { RunSource } from './run-source.js';
import type { Comparison } from './types.js';

export async function reliabilityOf(_run: RunSource): Promise<Comparison['reliability']> {
  return [];
}
