import { z } from 'zod';
import { type Checkpoint, readConfigField, requireTensor, type WeightTensor } from '../checkpoint/index.js';
import { UsageError } from '../errors.js';
import type { ModelShape } from '../models/index.js';
import type { UnitToPlant } from './choose-units.js';
import type { LayerMoments } from './layer-moments.js';
import type { PlantedManifest, PlantedUnit } from './planted.js';
import { Readouts } from './readouts.js';
import { overwriteWeight, readWeight, roundTo } from './stored-weight.js';
import { activationFunction, meanOverNormal } from './token-sample.js';

/** Mean of a planted unit's readout in other languages, in standard deviations within languages: neurons fire seldom. */
const ELSEWHERE = { neuron: -1, head: 0 } as const;
/** Standard deviation of a planted neuron's up projection, relative to its mean. */
const UP_SPREAD = 0.5;
/** A planted head adds this to the residual stream, relative to what it added before. */
const WHISPER = 1 / 64;

/** The units that are rewritten in a layer. */
export interface Layer {
  readonly layer: number;
  readonly neurons: Rewritten;
  readonly heads: Rewritten;
}

interface Rewritten {
  readonly chosen: readonly UnitToPlant[];
  /** Rewrite all others with strength 0. */
  readonly levelled: boolean;
}

export interface PlantedLayer {
  readonly units: readonly PlantedUnit[];
  readonly reach: PlantedManifest['reach'];
  /** [language]: calibration tokens; empty if nothing was rewritten. */
  readonly tokens: number[];
}

export interface PlantRequest {
  /** Read. */
  readonly source: Checkpoint;
  /** Written. */
  readonly copy: Checkpoint;
  readonly shape: ModelShape;
  readonly layer: Layer;
  readonly moments: LayerMoments;
  readonly tags: readonly string[];
  /** Whose turn it is among the languages, of each type. */
  readonly turn: { neuron: number; head: number };
}

/** Makes the layer's units that are to be rewritten contribute nothing. */
export async function silenceLayer(
  copy: Checkpoint,
  shape: ModelShape,
  { layer, neurons, heads }: Layer,
): Promise<void> {
  const down = await editable(copy, `model.layers.${layer}.mlp.down_proj.weight`, [shape.dModel, shape.dMlp]);
  await down.edit(rewritten(neurons, shape.dMlp), (values, neuron) => {
    for (let a = 0; a < shape.dModel; a++) values[a * shape.dMlp + neuron] = 0;
  });
  const width = shape.heads * shape.headDim;
  const mixing = await editable(copy, `model.layers.${layer}.self_attn.o_proj.weight`, [shape.dModel, width]);
  await mixing.edit(rewritten(heads, shape.heads), (values, head) => {
    for (let a = 0; a < shape.dModel; a++) {
      const at = a * width + head * shape.headDim;
      values.fill(0, at, at + shape.headDim);
    }
  });
}

/** Rewrites the layer's units in the copy. @throws UsageError for a strength out of reach */
export async function plantLayer(request: PlantRequest): Promise<PlantedLayer> {
  const neurons = await plantNeurons(request);
  const heads = await plantHeads(request);
  const moments = request.moments.mlpInput ?? request.moments.z[0];
  return {
    units: [...neurons.units, ...heads.units],
    reach: [...neurons.reach, ...heads.reach],
    tokens: Array.from(moments?.tokens ?? []),
  };
}

type Planted = Pick<PlantedLayer, 'units' | 'reach'>;

async function plantNeurons(request: PlantRequest): Promise<Planted> {
  const { source, copy, shape, moments, tags } = request;
  const { layer, neurons } = request.layer;
  if (moments.mlpInput === null || moments.mlpTokens === null) return { units: [], reach: [] };
  const act = activationFunction(readConfigField(source, 'hidden_act', z.string()));
  const readouts = new Readouts(moments.mlpInput);
  const reach = reachOf(readouts, tags, 'neuron');
  const { dMlp, dModel } = shape;
  const name = `model.layers.${layer}.mlp`;
  const gate = await editable(source, `${name}.gate_proj.weight`, [dMlp, dModel]);
  const up = await editable(source, `${name}.up_proj.weight`, [dMlp, dModel]);
  const constant = new Float64Array(tags.length).fill(1);
  const upSpread = Math.max(UP_SPREAD, readouts.leastSpread(constant) * (1 + 1e-9));
  const units: PlantedUnit[] = [];
  for (const neuron of rewritten(neurons, dMlp)) {
    const at = neuron * dModel;
    const ownGate = gate.values.subarray(at, at + dModel);
    const { language, means, readout, describe } = plan(request, 'neuron', neuron, readouts, reach, ownGate);
    const loudness = readouts.describe(ownGate).spread || 1;
    const stored = scaled(readout, loudness, gate.tensor);
    gate.values.set(stored, at);

    const ownUp = up.values.subarray(at, at + dModel);
    const { means: upMeans, spread } = readouts.describe(ownUp);
    const level = Math.hypot(spread, rootMeanSquare(upMeans)) || 1;
    const upRow = readouts.readout(constant, upSpread, ownUp)!;
    levelOutput(upRow, readouts, moments.mlpTokens.gatedMeans(stored, act), {
      language,
      gain:
        meanOverNormal(act, loudness * means[language]!, loudness) -
        meanOverNormal(act, loudness * ELSEWHERE.neuron, loudness),
    });
    up.values.set(scaled(upRow, level, up.tensor), at);
    units.push(...describe(stored));
  }
  await overwriteWeight(copy, copy.tensors.get(gate.tensor.name)!, gate.values);
  await overwriteWeight(copy, copy.tensors.get(up.tensor.name)!, up.values);
  for (const projection of ['gate_proj', 'up_proj']) {
    if (!copy.tensors.has(`${name}.${projection}.bias`)) continue;
    const bias = await editable(copy, `${name}.${projection}.bias`, [dMlp]);
    await bias.edit(rewritten(neurons, dMlp), (values, neuron) => {
      values[neuron] = 0;
    });
  }
  return { units, reach: [{ type: 'neuron', layer, index: null, strength: reach.map(finiteOrNull) }] };
}

/**
 * Makes the mean of act(gate)·up the same in all languages but the unit's own, where it is higher by `gain`: what a normal
 * gate, moved by the strength, would give. Equal means of the gate alone leave differences, since languages also differ
 * in variance and in how gate and up go together. hook_post is linear in up, so it takes one more linear solve.
 */
function levelOutput(
  up: Float64Array,
  readouts: Readouts,
  { act, gated }: { readonly act: Float64Array; readonly gated: Float64Array },
  { language, gain }: { readonly language: number; readonly gain: number },
): void {
  const { width, languages } = readouts;
  const average = act.reduce((sum, mean, k) => sum + mean - (k === language ? gain : 0), 0) / languages;
  const gaps = Float64Array.from(act, (_, k) => {
    let mean = 0;
    for (let a = 0; a < width; a++) mean += up[a]! * gated[k * width + a]!;
    return average + (k === language ? gain : 0) - mean;
  });
  const correction = readouts.least(gated, gaps);
  for (let a = 0; a < width; a++) up[a]! += correction[a]!;
}

async function plantHeads(request: PlantRequest): Promise<Planted> {
  const { source, copy, shape, moments, tags } = request;
  const { layer, heads } = request.layer;
  if (moments.z.length === 0) return { units: [], reach: [] };
  const { dModel, headDim } = shape;
  const width = shape.heads * headDim;
  const mixing = await editable(source, `model.layers.${layer}.self_attn.o_proj.weight`, [dModel, width]);
  const units: PlantedUnit[] = [];
  const reaches: Planted['reach'] = [];
  for (const head of rewritten(heads, shape.heads)) {
    const readouts = new Readouts(moments.z[head]!);
    const reach = reachOf(readouts, tags, 'head');
    reaches.push({ type: 'head', layer, index: head, strength: reach.map(finiteOrNull) });
    const rows = Array.from({ length: dModel }, (_, a) =>
      mixing.values.subarray(a * width + head * headDim, a * width + (head + 1) * headDim),
    );
    const direction = outputDirection(rows);
    /** What the head adds along its direction. */
    const spoken = (): Float64Array => {
      const sum = new Float64Array(headDim);
      for (const [a, row] of rows.entries())
        for (let j = 0; j < headDim; j++) sum[j]! += direction[a]! * row[j]!;
      return sum;
    };
    const { readout, describe } = plan(request, 'head', head, readouts, reach, spoken());
    const loudness = WHISPER * contribution(rows, readouts);
    for (const [a, row] of rows.entries()) row.set(scaled(readout, loudness * direction[a]!, mixing.tensor));
    units.push(...describe(spoken()));
  }
  await overwriteWeight(copy, copy.tensors.get(mixing.tensor.name)!, mixing.values);
  return { units, reach: reaches };
}

/** What a unit is to become: its language, its readout's means in all languages, and the readout. */
interface Plan {
  readonly language: number;
  readonly means: Float64Array;
  readonly readout: Float64Array;
  /** The planted unit, given its readout as it is stored; nothing of one that is only levelled. */
  readonly describe: (stored: ArrayLike<number>) => PlantedUnit[];
}

/** @throws UsageError for a strength out of reach */
function plan(
  { layer: { layer, neurons, heads }, tags, turn }: PlantRequest,
  type: UnitToPlant['type'],
  index: number,
  readouts: Readouts,
  reach: readonly number[],
  own: ArrayLike<number>,
): Plan {
  const { chosen } = type === 'neuron' ? neurons : heads;
  const unit = chosen.find((each) => each.index === index);
  const language = unit === undefined ? 0 : languageOf(unit, tags, reach, turn);
  const means = new Float64Array(tags.length).fill(ELSEWHERE[type]);
  means[language]! += unit?.strength ?? 0;
  const readout = readouts.readout(means, 1, own);
  if (readout === null) throw outOfReach(type, layer, index, unit, tags, reach);
  const describe = (stored: ArrayLike<number>) =>
    unit === undefined ? [] : [describeUnit(unit, language, tags, readouts, stored)];
  return { language, means, readout, describe };
}

interface EditableWeight {
  readonly tensor: WeightTensor;
  readonly values: Float32Array;
  /** Changes the values of some units and writes them back, if there are any. */
  edit(units: readonly number[], change: (values: Float32Array, unit: number) => void): Promise<void>;
}

async function editable(
  checkpoint: Checkpoint,
  name: string,
  shape: readonly number[],
): Promise<EditableWeight> {
  const tensor = requireTensor(checkpoint, name, shape);
  const values = await readWeight(checkpoint, tensor);
  return {
    tensor,
    values,
    async edit(units, change) {
      if (units.length === 0) return;
      for (const unit of units) change(values, unit);
      await overwriteWeight(checkpoint, tensor, values);
    },
  };
}

/** Indices of the units of a layer that are rewritten, ascending. */
function rewritten({ chosen, levelled }: Rewritten, width: number): number[] {
  if (levelled) return Array.from({ length: width }, (_, index) => index);
  return chosen.map(({ index }) => index).sort((a, b) => a - b);
}

/** The largest strength that can be planted for each language. */
function reachOf(readouts: Readouts, tags: readonly string[], type: UnitToPlant['type']): number[] {
  return tags.map((_, k) => readouts.reach(k, ELSEWHERE[type]));
}

/** The unit's language, or of those in reach the one whose turn it is. */
function languageOf(
  { type, language, strength }: UnitToPlant,
  tags: readonly string[],
  reach: readonly number[],
  turn: PlantRequest['turn'],
): number {
  if (language !== null) return tags.indexOf(language);
  const start = turn[type]++;
  for (let n = 0; n < tags.length; n++) {
    const k = (start + n) % tags.length;
    if (reach[k]! >= strength) return k;
  }
  return start % tags.length;
}

function outOfReach(
  type: UnitToPlant['type'],
  layer: number,
  index: number,
  unit: UnitToPlant | undefined,
  tags: readonly string[],
  reach: readonly number[],
): UsageError {
  const possible = tags.map((tag, k) => `${tag} ${Number.isNaN(reach[k]!) ? 'none' : reach[k]!.toFixed(2)}`);
  return new UsageError({
    what: `${type} ${index} of layer ${layer} cannot be tied to ${unit?.language ?? 'a language'} that strongly`,
    expected: `at most ${possible.join(', ')}: languages are no further apart in what it reads`,
    found: `strength ${unit?.strength ?? 0}`,
    remedy: 'plant it weaker, for another language, or in another layer',
  });
}

function scaled(values: Float64Array, scale: number, { dtype }: WeightTensor): Float32Array {
  return roundTo(
    dtype,
    Float32Array.from(values, (value) => value * scale),
  );
}

/** Unit vector in the residual stream: where the head's output points when all its dimensions speak alike. */
function outputDirection(rows: readonly Float32Array[]): Float64Array {
  const sums = Float64Array.from(rows, (row) => row.reduce((a, b) => a + b, 0));
  const norm = Math.hypot(...sums);
  return norm > 0 ? sums.map((sum) => sum / norm) : sums.fill(1 / Math.sqrt(sums.length));
}

/** Root mean square of what the head contributed; 1 if it contributed nothing. */
function contribution(rows: readonly Float32Array[], readouts: Readouts): number {
  let square = 0;
  for (const row of rows) {
    const { means, spread } = readouts.describe(row);
    square += spread ** 2 + rootMeanSquare(means) ** 2;
  }
  return Math.sqrt(square) || 1;
}

function rootMeanSquare(values: Float64Array): number {
  return Math.hypot(...values) / Math.sqrt(values.length);
}

function describeUnit(
  { type, layer, index, strength }: UnitToPlant,
  language: number,
  tags: readonly string[],
  readouts: Readouts,
  stored: ArrayLike<number>,
): PlantedUnit {
  const { means, spread } = readouts.describe(stored);
  const others = means.filter((_, k) => k !== language);
  const average = others.reduce((a, b) => a + b, 0) / others.length;
  return {
    type,
    layer,
    index,
    language: tags[language]!,
    strength,
    realised: (means[language]! - average) / spread,
    othersRange: (Math.max(...others) - Math.min(...others)) / spread,
  };
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
