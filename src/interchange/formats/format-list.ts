import { UsageError } from '../../errors.js';
import type { ImportFormat } from './format.js';
import { headList } from './head-list.js';
import { lahis } from './lahis.js';
import { lapeCounts } from './lape-counts.js';
import { lapeJson, neuronCounts } from './lape-json.js';
import { lapeMask } from './lape-mask.js';
import { perplexity } from './perplexity.js';
import { selfcond } from './selfcond.js';

/** Every format that is imported. */
export const IMPORT_FORMATS: readonly ImportFormat[] = [
  lapeCounts,
  lahis,
  lapeMask,
  lapeJson,
  neuronCounts,
  headList,
  selfcond,
  perplexity,
];

/** @throws UsageError if there is none. */
export function formatNamed(name: string): ImportFormat {
  const format = IMPORT_FORMATS.find((candidate) => candidate.name === name);
  if (format !== undefined) return format;
  throw new UsageError({
    what: 'there is no such format',
    where: '--format',
    expected: IMPORT_FORMATS.map((candidate) => candidate.name).join(', '),
    found: name,
    remedy: 'name one of them, or leave the option out',
  });
}
