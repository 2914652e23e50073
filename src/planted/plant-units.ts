import { join } from 'node:path';
import { identifyCheckpoint, openCheckpoint } from '../checkpoint/index.js';
import { openModel } from '../models/index.js';
import { loadProbes, type ProbeSet } from '../probes/index.js';
import { Random } from '../stats/index.js';
import { writeJson } from '../store/index.js';
import { VERSION } from '../version.js';
import { chooseUnits, type UnitDraw, type UnitToPlant } from './choose-units.js';
import { gatherMoments, requirePlantable } from './layer-moments.js';
import { copyCheckpoint, makeWholeFolder } from './new-checkpoint.js';
import { PLANTED_FILE, type PlantedManifest, type PlantedType } from './planted.js';
import { type Layer, type PlantedLayer, plantLayer, silenceLayer } from './rewrite-layer.js';

export interface PlantOptions {
  /** A Hugging Face checkpoint folder; it is only read. */
  readonly checkpoint: string;
  /** Folder of the new checkpoint, which must not exist. */
  readonly out: string;
  /** A loaded probe set, the name of a built-in one, or a folder. A seeded part of its items is calibrated on. */
  readonly probes: ProbeSet | string;
  /** Only these languages of a named set. */
  readonly languages?: readonly string[] | undefined;
  /** The units to plant, or how many of them to draw. */
  readonly units: readonly UnitToPlant[] | UnitDraw;
  /**
   * Types of which all other units are rewritten as if planted with strength 0, so that what a score says of every unit is
   * known. Default none: the other units stay, with whatever ties to languages the model has.
   */
  readonly level?: readonly PlantedType[] | undefined;
  /** Share of the items to calibrate on. Default one half. */
  readonly calibrationShare?: number | undefined;
  /** The seed of the draw of units; which items are calibrated on does not depend on it. Default 0. */
  readonly seed?: number | undefined;
  readonly threads?: number | undefined;
  /** Default 8 GiB. */
  readonly memoryBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Always the same split: what is planted in a planted checkpoint is then fitted on the items that that one was. */
const CALIBRATION_SEED = 0;
const DEFAULT_MEMORY_BYTES = 8 * 2 ** 30; // 8 GiB

/**
 * Writes a copy of a checkpoint in which chosen neurons and heads are tied to a language by a known strength, and
 * `planted.json` beside it.
 *
 * - A **neuron**'s gate row becomes the readout of the MLP's input that has mean −1 in every language and
 *   −1 + strength in its own, in units of its standard deviation within languages; what such a readout leaves of its
 *   variance stays the neuron's own gate's, less what tells languages apart in it. There is no bias in a SwiGLU: the −1 is
 *   realised by the direction too. The up row becomes one of constant mean, corrected so that hook_post, too, has one
 *   mean in all languages but the neuron's own.
 * - A **head**'s part of o_proj becomes y·r, with y the readout of hook_z of mean 0 in every language and `strength` in
 *   its own, spread 1 within languages, and r one direction of the residual stream. Its contribution norm is |y|‖r‖.
 *
 * Planted (and levelled) units are heard by nobody: a neuron's column of down_proj is zero, and a head's ‖r‖ is 1/64 of
 * what the head contributed. So all other units do in the new checkpoint what they do when these are silent, whatever was
 * planted, and directions found on the silenced model fit all layers at once.
 *
 * @throws UsageError if a strength cannot be planted (naming what can), or for units that do not exist; ProbeError
 *   for too few tokens; as `capture` does for an unusable checkpoint, tokenizer, probe set or folder
 */
export async function plantUnits(options: PlantOptions): Promise<PlantedManifest> {
  const { seed = 0, level = [], threads, memoryBytes = DEFAULT_MEMORY_BYTES, signal } = options;
  const source = await openCheckpoint(options.checkpoint);
  const { languages } = options;
  const probes =
    typeof options.probes === 'string' ? await loadProbes(options.probes, { languages }) : options.probes;
  const calibration = calibrationPart(probes, options.calibrationShare ?? 0.5);
  const tags = probes.languages.map(({ tag }) => tag);
  const { shape } = openModel(source);
  requirePlantable(source, shape);
  const chosen = chooseUnits(options.units, shape, tags, seed);
  const layers = Array.from({ length: shape.layers }, (_, layer): Layer => {
    const own = (type: PlantedType) => chosen.filter((unit) => unit.layer === layer && unit.type === type);
    return {
      layer,
      neurons: { chosen: own('neuron'), levelled: level.includes('neuron') },
      heads: { chosen: own('head'), levelled: level.includes('head') },
    };
  });
  return makeWholeFolder(options.out, async (folder) => {
    await copyCheckpoint(source, folder, { weights: true });
    const copy = await openCheckpoint(folder);
    for (const layer of layers) await silenceLayer(copy, shape, layer);
    const moments = await gatherMoments({
      checkpoint: copy,
      model: openModel(copy),
      probes: calibration,
      wanted: layers.map(({ neurons, heads }) => ({
        neurons: neurons.levelled || neurons.chosen.length > 0,
        heads: heads.levelled || heads.chosen.length > 0,
      })),
      threads,
      memoryBytes,
      signal,
    });
    const turn = { neuron: 0, head: 0 };
    const planted: PlantedLayer[] = [];
    for (const layer of layers) {
      planted.push(
        await plantLayer({ source, copy, shape, layer, moments: moments[layer.layer]!, tags, turn }),
      );
    }
    const identity = await identifyCheckpoint(source);
    const { name, version, sha256 } = probes.identity;
    const manifest: PlantedManifest = {
      schema: 'babelscope/planted',
      schemaVersion: 1,
      babelscope: VERSION,
      source: { name: identity.name, weightsSha256: identity.weightsSha256! },
      probe: { name, version, sha256 },
      languages: tags,
      calibrationItems: calibration.items.map(({ id }) => id),
      calibrationTokens: planted.find(({ tokens }) => tokens.length > 0)?.tokens ?? [],
      seed,
      levelled: [...level],
      units: planted.flatMap(({ units }) => units),
      reach: planted.flatMap(({ reach }) => reach),
    };
    await writeJson(join(folder, PLANTED_FILE), manifest);
    return manifest;
  });
}

/** A seeded part of the items, in their order. */
function calibrationPart(probes: ProbeSet, share: number): ProbeSet {
  const wanted = Math.round(probes.items.length * share);
  const chosen = new Random(CALIBRATION_SEED).sample(probes.items.length, wanted);
  return { ...probes, items: Array.from(chosen, (item) => probes.items[item]!) };
}
