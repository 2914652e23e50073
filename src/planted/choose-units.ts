import { UsageError } from '../errors.js';
import type { ModelShape } from '../models/index.js';
import { Random } from '../stats/index.js';
import type { PlantedType } from './planted.js';

/** A unit to plant. */
export interface UnitToPlant {
  readonly type: PlantedType;
  readonly layer: number;
  /** Within its layer. */
  readonly index: number;
  /** The language it is to fire for; null: one that the layer can tell apart by `strength`, in turn. */
  readonly language: string | null;
  /**
   * How far its mean in the language is from its mean in the others, in standard deviations within languages; 0 ties
   * it to none.
   */
  readonly strength: number;
}

/** Units drawn at random over all layers. */
export interface UnitDraw {
  /** How many of each type at each strength. Default 0. */
  readonly neurons?: number | undefined;
  readonly heads?: number | undefined;
  readonly strengths: readonly number[];
}

/**
 * The units to plant: those given, checked, or a seeded draw.
 *
 * @throws UsageError for a unit that the model lacks, is named twice, or of an unknown language; or too many
 */
export function chooseUnits(
  units: readonly UnitToPlant[] | UnitDraw,
  shape: ModelShape,
  languages: readonly string[],
  seed: number,
): UnitToPlant[] {
  const chosen = isDraw(units) ? draw(units, shape, seed) : [...units];
  const seen = new Set<string>();
  for (const { type, layer, index, language, strength } of chosen) {
    const where = `${type} ${index} of layer ${layer}`;
    const width = type === 'neuron' ? shape.dMlp : shape.heads;
    if (!(isIndex(layer, shape.layers) && isIndex(index, width))) {
      throw new UsageError({
        what: `the model has no ${where}`,
        expected: `layers 0 to ${shape.layers - 1}, ${type}s 0 to ${width - 1}`,
      });
    }
    if (seen.has(where)) throw new UsageError({ what: `${where} is to be planted twice` });
    seen.add(where);
    if (language !== null && !languages.includes(language)) {
      throw new UsageError({
        what: `no calibration prompt is in ${language}`,
        where,
        expected: languages.join(', '),
      });
    }
    if (!(strength >= 0 && Number.isFinite(strength))) {
      throw new UsageError({
        what: 'unusable strength',
        where,
        expected: '0 or more',
        found: String(strength),
      });
    }
  }
  return chosen;
}

function isDraw(units: readonly UnitToPlant[] | UnitDraw): units is UnitDraw {
  return 'strengths' in units;
}

function isIndex(value: number, length: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < length;
}

function draw(
  { neurons = 0, heads = 0, strengths }: UnitDraw,
  shape: ModelShape,
  seed: number,
): UnitToPlant[] {
  const random = new Random(seed);
  const ofType = (type: PlantedType, each: number, width: number): UnitToPlant[] => {
    const wanted = each * strengths.length;
    if (wanted > shape.layers * width) {
      throw new UsageError({
        what: `there are too few ${type}s to plant`,
        expected: `at most ${shape.layers * width}`,
        found: String(wanted),
      });
    }
    // Shuffled, since a sample comes in order and strengths are to be spread over layers.
    const drawn = random.shuffle(random.sample(shape.layers * width, wanted));
    return Array.from(drawn, (unit, n) => ({
      type,
      layer: Math.floor(unit / width),
      index: unit % width,
      language: null,
      strength: strengths[n % strengths.length]!,
    }));
  };
  return [...ofType('neuron', neurons, shape.dMlp), ...ofType('head', heads, shape.heads)];
}
