import { RunError } from '../../errors.js';
import type { PooledGrid, RunManifest } from '../../store/index.js';
import type { RunWarning } from '../run-warnings.js';

interface LabelledManifest {
  readonly label: string;
  readonly manifest: RunManifest;
}

/**
 * Refuses runs that cannot be compared with the first, naming the field, both values and the way out; returns
 * warnings about differences that do not stand in the way. Units are matched by index, so everything that decides
 * which units there are and which prompts drove them must be the same: architecture, probe set, languages and their
 * order, items and their folds, positions and counted tokens, hooks, what was kept.
 *
 * Vocabulary size and parameter count may differ (continued pre-training often adds tokens; no unit depends on it),
 * and so may the storage type and the versions that captured: these are warnings. The tokenizer is judged by what it
 * does: `assertSameTokens`.
 */
function assertComparable(runs: readonly LabelledManifest[]): RunWarning[] {
  const [reference, ...others] = runs as [LabelledManifest, ...LabelledManifest[]];
  return others.flatMap((other) => {
    for (const [field, expected, found, remedy] of inWhatTheyMustAgree(reference.manifest, other.manifest)) {
      if (!Object.is(expected, found)) throw mismatch(reference, other, field, expected, found, remedy);
    }
    const texts = warningsOf(reference.manifest, other.manifest);
    return texts.map((text) => ({ label: other.label, against: reference.label, text }));
  });
}

type Compared = string | number | boolean | null | undefined;

/** Everything that decides which units there are and which prompts drove them, in both runs, one after the other. */
function* inWhatTheyMustAgree(
  a: RunManifest,
  b: RunManifest,
): Generator<readonly [field: string, expected: Compared, found: Compared, remedy: string]> {
  const remedy = remediesOf(a, b);
  // NaN: unknown in imported runs.
  for (const field of SHAPE) yield [`shape.${field}`, a.shape[field], b.shape[field], remedy.shape];
  yield ['shape.mixture', JSON.stringify(a.shape.mixture), JSON.stringify(b.shape.mixture), remedy.shape];
  // The hash of imported runs is of their languages and tokens, whose differences are named below.
  for (const field of a.imported && b.imported ? (['name', 'version'] as const) : PROBE) {
    yield [`probe.${field}`, a.probe[field], b.probe[field], remedy.probe];
  }
  const sorted = (names: readonly string[]) => [...names].sort().join();
  const [own, others] = [a.plan.languages, b.plan.languages];
  const languages = sorted(own) === sorted(others) ? 'plan.languages (order)' : 'plan.languages';
  yield [languages, own.join(','), others.join(','), remedy.languages(own)];
  for (const field of PLAN) yield [`plan.${field}`, a.plan[field], b.plan[field], remedy.plan];
  yield ['plan.items', `${a.plan.items.length} items`, `${b.plan.items.length} items`, remedy.items];
  const placed = ({ id, fold }: RunManifest['plan']['items'][number]) => `${id} in fold ${fold}`;
  for (const [i, item] of a.plan.items.entries()) {
    yield [`plan.items[${i}]`, placed(item), placed(b.plan.items[i]!), remedy.plan];
  }
  if (sorted(a.plan.hooks) !== sorted(b.plan.hooks)) {
    yield ['plan.hooks', a.plan.hooks.join(', '), b.plan.hooks.join(', '), remedy.plan];
  }
}

/** Differences that do not stand in the way. */
function warningsOf(a: RunManifest, b: RunManifest): string[] {
  const differs = (what: string, x: unknown, y: unknown) =>
    Object.is(x, y) ? [] : [`${what} differs (${String(y)}, not ${String(x)}).`];
  return [
    ...differs('vocabulary size', a.shape.vocab, b.shape.vocab),
    ...differs('storage type of the weights', a.model.dtype, b.model.dtype),
    ...differs(
      'version of transformers whose rules the tokenizer follows',
      a.model.tokenizerRules?.transformers,
      b.model.tokenizerRules?.transformers,
    ),
    ...differs('babelscope version', a.babelscope, b.babelscope),
    ...differs('onnxruntime version', a.onnxruntime, b.onnxruntime),
    ...(a.model.tokenizerSha256 === b.model.tokenizerSha256
      ? []
      : ['tokenizer files differ, but every language has the same counted tokens in every fold.']),
  ];
}

/** Runs of the weights that the first has: a folder that was not overwritten, or a checkpoint given twice. */
export function sameWeights(reference: LabelledManifest, others: readonly LabelledManifest[]): RunWarning[] {
  const hash = ({ manifest: { model } }: LabelledManifest): string | null =>
    model.weightsSha256 && `${model.weightsSha256} ${model.adapter?.weightsSha256 ?? ''}`;
  const text = 'both runs are of the same weights (weightsSha256), so that nothing can have changed.';
  return others
    .filter((other) => hash(other) !== null && hash(other) === hash(reference))
    .map(({ label }) => ({ label, against: reference.label, text }));
}

/** The remedy for each kind of difference. */
const CAPTURED = {
  shape: 'Units are matched by index: compare checkpoints of one architecture.',
  probe: 'Capture both checkpoints on the same version of one probe set.',
  languages: (expected: readonly string[]) => `Capture again with --languages ${expected.join(',')}.`,
  plan: 'Capture both checkpoints with the same options.',
  items: 'Capture both checkpoints with the same --limit.',
  tokens: 'The tokenizers split the prompts differently: compare checkpoints that share a tokenizer.',
};

type Remedies = typeof CAPTURED;

const IMPORTED: Remedies = {
  shape: 'Units are matched by index: import files of models of one architecture.',
  probe: 'Import files of one format for both runs.',
  languages: (expected) =>
    `Import files of the same languages for both runs, and name them in the order ${expected.join(', ')}.`,
  plan: 'Import as many files of each language for both runs: each file is a fold.',
  items: 'Import both runs from files of the same texts.',
  tokens: 'Import both runs from files of the same texts, counted with one tokenizer, in the same order.',
};

const ONE_IMPORTED =
  'Only one of these runs is imported, and files to import do not say what a capture says: capture both, or import both.';
const MIXED: Remedies = {
  shape: ONE_IMPORTED,
  probe: ONE_IMPORTED,
  languages: () => ONE_IMPORTED,
  plan: ONE_IMPORTED,
  items: ONE_IMPORTED,
  tokens: ONE_IMPORTED,
};

function remediesOf(a: RunManifest, b: RunManifest): Remedies {
  if (a.imported && b.imported) return IMPORTED;
  return a.imported || b.imported ? MIXED : CAPTURED;
}

/** All that is asked of runs before units are compared; returns warnings. @throws RunError if a run does not match. */
export function assertMatch(reference: RunOfTokens, others: readonly RunOfTokens[]): RunWarning[] {
  const warnings = assertComparable([reference, ...others]);
  for (const other of others) {
    assertSameTokens(reference, other);
    assertSamePrompts(reference, other);
  }
  return warnings;
}

interface RunOfTokens extends LabelledManifest {
  /** [fold, language]. */
  readonly tokens: ArrayLike<number>;
  /** null: no pooled values are kept. */
  readonly grid: PooledGrid | null;
}

/**
 * Refuses runs whose counted tokens differ in any fold and language. A tokenizer.json that was only written anew by
 * another library version counts the same tokens and passes (with a warning from `assertComparable`); one that splits
 * text differently, or adds a special token, would compare rates over different tokens.
 */
function assertSameTokens(reference: RunOfTokens, other: RunOfTokens): void {
  const { languages } = reference.manifest.plan;
  const length = Math.max(reference.tokens.length, other.tokens.length);
  for (let i = 0; i < length; i++) {
    if (reference.tokens[i] === other.tokens[i]) continue;
    const fold = Math.floor(i / languages.length);
    const language = languages[i % languages.length]!;
    const { tokens: remedy } = remediesOf(reference.manifest, other.manifest);
    const field = `tokens of ${language} in fold ${fold}`;
    throw mismatch(reference, other, field, reference.tokens[i], other.tokens[i], remedy);
  }
}

/**
 * Refuses runs that keep pooled values of other prompts: a value that is absent in one run alone (an activation that is
 * not finite) would make an item complete in one and not in the other.
 */
function assertSamePrompts(reference: RunOfTokens, other: RunOfTokens): void {
  const { languages, items } = reference.manifest.plan;
  const [a, b] = [reference.grid?.row ?? new Uint32Array(), other.grid?.row ?? new Uint32Array()];
  const at = a.findIndex((cell, i) => cell !== b[i]);
  if (at === -1 && a.length === b.length) return;
  const cell = at === -1 ? b[a.length]! : Math.min(a[at]!, b[at] ?? Infinity);
  const has = (rows: Uint32Array) => (rows.includes(cell) ? 'a pooled value' : 'none');
  throw mismatch(
    reference,
    other,
    `pooled ${languages[cell % languages.length]} of item ${items[Math.floor(cell / languages.length)]!.id}`,
    has(a),
    has(b),
    'Capture both checkpoints on the same prompts; an activation that is not finite leaves none.',
  );
}

const SHAPE = ['family', 'layers', 'dModel', 'heads', 'kvHeads', 'headDim', 'dMlp', 'experts'] as const;
const PROBE = ['name', 'version', 'sha256'] as const;
const PLAN = [
  'positions',
  'countFirst',
  'bos',
  'sequenceLength',
  'tokensPerLanguage',
  'folds',
  'foldsBy',
  'seed',
  'keep',
  'pooling',
] as const;

function mismatch(
  { label: reference }: LabelledManifest,
  { label: other }: LabelledManifest,
  field: string,
  expected: Compared,
  found: Compared,
  remedy: string,
): RunError {
  return new RunError({
    what: `these runs cannot be compared: ${field} differs`,
    where: `${reference}, ${other}`,
    expected: `${expected} (as in ${reference})`,
    found: `${found} (in ${other})`,
    remedy,
  });
}
