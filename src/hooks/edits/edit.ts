import { UsageError } from '../../errors.js';
import { type Float, sizeOf } from '../../graph/index.js';
import { type BlockHook, type HookPoint, requireHook } from '../points.js';
import { add } from './add.js';
import type { EditDefinition } from './definition.js';
import { scale } from './scale.js';
import { set } from './set.js';

/** Every way of changing an activation, by its name. */
export const EDITS = { scale, set, add } as const satisfies Record<string, EditDefinition>;

/**
 * A change of an activation inside the model, at every token; what comes after it sees the changed value.
 *
 * A unit is an index on the first axis of the hook's shape: a neuron, a head, an expert, a dimension of the residual
 * stream. Neurons of experts are changed for the tokens that were routed to them.
 */
export interface Edit {
  readonly kind: keyof typeof EDITS;
  /** Full name of the hook point, for example `blocks.3.mlp.hook_post`. */
  readonly at: string;
  /** Which units; all of them where it is left out. */
  readonly units?: readonly number[];
  /** One amount for all units, one a unit, or at `attn.hook_z` headDim amounts a unit, one unit after the other. */
  readonly amount: number | ArrayLike<number>;
}

/** An edit that has been checked against the model it is for. */
export interface PlacedEdit {
  readonly layer: number;
  readonly hook: BlockHook;
  readonly definition: EditDefinition;
  readonly units: readonly number[];
  /** Elements of each unit that have amounts of their own: 1, or headDim. */
  readonly size: number;
  /** [units, size] */
  readonly amounts: Float32Array;
  /** Units of the hook point. */
  readonly total: number;
}

/**
 * Finds the places of edits in a model.
 *
 * @throws UsageError for a hook point or units that the model does not have, naming those it has; for an edit of an
 *   unknown kind; for amounts that are not finite, or too few or too many
 */
export function placeEdits(edits: readonly Edit[], points: readonly HookPoint[]): readonly PlacedEdit[] {
  return edits.map((edit) => placeEdit(edit, requireHook(points, edit.at)));
}

function placeEdit({ kind, at, units: named, amount }: Edit, { layer, hook, shape }: HookPoint): PlacedEdit {
  const refuse = (what: string, expected: string, found: string): never => {
    throw new UsageError({ what, where: `edit at ${at}`, expected, found });
  };
  if (!Object.hasOwn(EDITS, kind)) refuse('unknown kind of edit', Object.keys(EDITS).join(', '), kind);
  const [count, inner] = shape as readonly [number, (number | 'keys')?];
  const units = named ?? Array.from({ length: count }, (_, unit) => unit);
  for (const unit of units) {
    if (!(Number.isInteger(unit) && unit >= 0 && unit < count)) {
      refuse('there is no such unit', `units from 0 to ${count - 1}`, String(unit));
    }
  }
  if (new Set(units).size < units.length) refuse('a unit is named twice', 'each unit once', units.join(', '));
  const given =
    typeof amount === 'number' ? new Array<number>(units.length).fill(amount) : Array.from(amount);
  const size = typeof inner === 'number' && given.length === units.length * inner ? inner : 1;
  if (given.length !== units.length * size) {
    const perElement = typeof inner === 'number' ? ` or ${units.length * inner}` : '';
    refuse('another number of amounts than units', `1, ${units.length}${perElement}`, String(given.length));
  }
  const wrong = given.find((each) => !Number.isFinite(Math.fround(each)));
  if (wrong !== undefined) refuse('an amount is not a finite float32', 'finite amounts', String(wrong));
  const amounts = Float32Array.from(given);
  return { layer, hook, definition: EDITS[kind], units, size, amounts, total: count };
}

/** Which units of its hook point a value holds: all, one expert's neurons, or those of experts that all tokens pass. */
export type Place = 'all' | 'shared' | { readonly expert: number };

/** The value with an edit in it; the value itself where none of its units is named. */
export function applyEdit(edit: PlacedEdit, value: Float, place: Place): Float {
  const { definition, units, size, amounts, hook, total } = edit;
  const axis = UNIT_AXIS[hook] ?? value.rank - 1;
  const count = sizeOf(value, axis);
  const start = place === 'all' ? 0 : place === 'shared' ? total - count : place.expert * count;
  const here = [...units.entries()].filter(([, unit]) => unit >= start && unit < start + count);
  if (here.length === 0) return value;
  const behind = value.shape.slice(axis + 1).map(() => 1);
  const table = (otherwise: number, of: (index: number, element: number) => number): Float => {
    const elements = new Float32Array(count * size).fill(otherwise);
    for (const [index, unit] of here) {
      for (let i = 0; i < size; i++) elements[(unit - start) * size + i] = of(index, i);
    }
    return value.graph.float(elements, size === 1 ? [count, ...behind] : [count, size]);
  };
  const spread = table(definition.neutral ?? 0, (index, i) => amounts[index * size + i]!);
  return definition.apply(value, spread, () => table(0, () => 1));
}

/** Axis of the units where it is not the last: values are [batch, heads, query, key] and [batch, seq, heads, headDim]. */
const UNIT_AXIS: Partial<Record<BlockHook, number>> = { 'attn.hook_pattern': 1, 'attn.hook_z': 2 };
