import { z } from 'zod';
import { RunError } from '../errors.js';
import { readScores } from '../scores/index.js';
import { MOST_LAYERS, writeJson } from '../store/index.js';
import { writePytorch } from './pytorch/write-pytorch.js';
import { sidecarPath } from './sidecar.js';
import { languagesIn, parsed, unusable } from './table-metadata.js';

/** Policies whose selections a scored run has. */
export const EXPORT_POLICIES = ['tang2024', 'polyfact2026'] as const;
export type ExportPolicy = (typeof EXPORT_POLICIES)[number];

/** The sidecar of a mask, `{out}.json`, which `import` reads. */
export interface MaskDescription {
  readonly model: string;
  /** In the order of the mask. */
  readonly languages: readonly string[];
  readonly layers: number;
  /** Of each layer; absent where layers differ. */
  readonly neurons?: number;
  /** The policy. */
  readonly rule: string;
  /** Selected neurons of each language. */
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * Writes the neurons that a policy selects in a scored run as the masks of RUCAIBox/Language-Specific-Neurons are
 * (Tang et al., ACL 2024): a list of languages of a list of layers of LongTensors, ascending indices of neurons. The
 * layout has no names: the sidecar `{out}.json` says which language is which.
 *
 * @throws RunError if the run is not scored, or no neuron of it was; OutputError.
 */
export async function exportLapeMask(
  folder: string,
  out: string,
  policy: ExportPolicy = 'tang2024',
): Promise<MaskDescription> {
  const column = `selected_${policy}`;
  const { columns, metadata, rows } = await readScores(folder, 'units', ['type', 'layer', 'index', column]);
  const [types, layerOf, index, selected] = ['type', 'layer', 'index', column].map(
    (name) => columns.get(name)!,
  );
  const languages = languagesIn(metadata.languages ?? '[]', folder).map(({ tag }) => tag);
  const masks = new Map(languages.map((tag) => [tag, [] as bigint[][]]));
  let layers = 0;
  const widths: number[] = [];
  for (let row = 0; row < rows; row++) {
    if (types![row] !== 'neuron' || selected![row] === null) continue;
    const layer = layerOf![row] as number;
    if (!(layer >= 0 && layer < MOST_LAYERS)) throw unusable('its units', folder, `layer ${layer}`);
    for (; layers <= layer; layers++) for (const mask of masks.values()) mask.push([]);
    widths[layer] = Math.max(widths[layer] ?? 0, 1 + (index![row] as number));
    if (selected![row] === '') continue;
    for (const tag of (selected![row] as string).split(',')) {
      const mask = masks.get(tag)?.[layer];
      if (mask === undefined) throw unusable('its units', folder, `${tag} in layer ${layer}`);
      mask.push(BigInt(index![row] as number));
    }
  }
  if (layers === 0) {
    throw new RunError({
      what: 'the run has no neurons that a policy was applied to',
      where: folder,
      remedy: 'score a run that records neurons, with lape among the scores',
    });
  }
  await writePytorch(
    out,
    [...masks.values()].map((mask) => mask.map((neurons) => BigInt64Array.from(neurons))),
  );
  const [neurons] = widths;
  const description: MaskDescription = {
    model: modelName(metadata.model),
    languages,
    layers,
    ...(neurons !== undefined && widths.every((width) => width === neurons) && { neurons }),
    rule: policy,
    counts: Object.fromEntries([...masks].map(([tag, mask]) => [tag, mask.flat().length])),
  };
  await writeJson(sidecarPath(out), description);
  return description;
}

function modelName(json: string | undefined): string {
  const named = z.object({ name: z.string().optional() }).safeParse(parsed(json ?? '{}'));
  return named.data?.name ?? 'unknown';
}
