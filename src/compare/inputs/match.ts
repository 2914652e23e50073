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
  const [reference, ...others] = runs;
  const warnings: RunWarning[] = [];
  for (const other of reference === undefined ? [] : others) {
    const refuse = (field: string, expected: string, found: string, remedy: string): never => {
      throw mismatch(reference!.label, other.label, field, expected, found, remedy);
    };
    const a = reference!.manifest;
    const b = other.manifest;
    const remedy = remediesOf(a, b);
    for (const field of SHAPE) {
      // NaN: unknown in imported runs.
      if (!Object.is(a.shape[field], b.shape[field])) {
        refuse(`shape.${field}`, String(a.shape[field]), String(b.shape[field]), remedy.shape);
      }
    }
    const experts = [JSON.stringify(a.shape.mixture), JSON.stringify(b.shape.mixture)] as const;
    if (experts[0] !== experts[1]) refuse('shape.mixture', ...experts, remedy.shape);
    // The hash of imported runs is of their languages and tokens, whose differences are named below.
    for (const field of a.imported && b.imported ? (['name', 'version'] as const) : PROBE) {
      if (a.probe[field] !== b.probe[field]) {
        refuse(`probe.${field}`, a.probe[field], b.probe[field], remedy.probe);
      }
    }
    if (a.plan.languages.join() !== b.plan.languages.join()) {
      const sameSet = [...a.plan.languages].sort().join() === [...b.plan.languages].sort().join();
      refuse(
        sameSet ? 'plan.languages (order)' : 'plan.languages',
        a.plan.languages.join(','),
        b.plan.languages.join(','),
        remedy.languages(a.plan.languages),
      );
    }
    for (const field of PLAN) {
      if (a.plan[field] !== b.plan[field]) {
        refuse(`plan.${field}`, String(a.plan[field]), String(b.plan[field]), remedy.plan);
      }
    }
    if (a.plan.items.length !== b.plan.items.length) {
      const [before, after] = [`${a.plan.items.length} items`, `${b.plan.items.length} items`];
      refuse('plan.items', before, after, remedy.items);
    }
    a.plan.items.forEach((item, i) => {
      const twin = b.plan.items[i]!;
      if (item.id !== twin.id || item.fold !== twin.fold) {
        refuse(
          `plan.items[${i}]`,
          `${item.id} in fold ${item.fold}`,
          `${twin.id} in fold ${twin.fold}`,
          remedy.plan,
        );
      }
    });
    if ([...a.plan.hooks].sort().join() !== [...b.plan.hooks].sort().join()) {
      refuse('plan.hooks', a.plan.hooks.join(', '), b.plan.hooks.join(', '), remedy.plan);
    }

    const warn = (text: string): void => {
      warnings.push({ label: other.label, against: reference!.label, text });
    };
    const differs = (what: string, x: unknown, y: unknown): void => {
      if (!Object.is(x, y)) warn(`${what} differs (${String(y)}, not ${String(x)}).`);
    };
    differs('vocabulary size', a.shape.vocab, b.shape.vocab);
    differs('storage type of the weights', a.model.dtype, b.model.dtype);
    differs('babelscope version', a.babelscope, b.babelscope);
    differs('onnxruntime version', a.onnxruntime, b.onnxruntime);
    if (a.model.tokenizerSha256 !== b.model.tokenizerSha256) {
      warn('tokenizer files differ, but every language has the same counted tokens in every fold.');
    }
  }
  return warnings;
}

/** The remedy for each kind of difference. */
interface Remedies {
  readonly shape: string;
  readonly probe: string;
  readonly languages: (expected: readonly string[]) => string;
  readonly plan: string;
  readonly items: string;
  readonly tokens: string;
}

const CAPTURED: Remedies = {
  shape: 'Units are matched by index: compare checkpoints of one architecture.',
  probe: 'Capture both checkpoints on the same version of one probe set.',
  languages: (expected) => `Capture again with --languages ${expected.join(',')}.`,
  plan: 'Capture both checkpoints with the same options.',
  items: 'Capture both checkpoints with the same --limit.',
  tokens: 'The tokenizers split the prompts differently: compare checkpoints that share a tokenizer.',
};

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
    assertSameTokens(reference, other, reference.manifest.plan.languages);
    assertSamePrompts(reference, other, reference.manifest.plan);
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
function assertSameTokens(reference: RunOfTokens, other: RunOfTokens, languages: readonly string[]): void {
  const length = Math.max(reference.tokens.length, other.tokens.length);
  for (let i = 0; i < length; i++) {
    if (reference.tokens[i] === other.tokens[i]) continue;
    const fold = Math.floor(i / languages.length);
    const language = languages[i % languages.length]!;
    throw mismatch(
      reference.label,
      other.label,
      `tokens of ${language} in fold ${fold}`,
      String(reference.tokens[i]),
      String(other.tokens[i]),
      remediesOf(reference.manifest, other.manifest).tokens,
    );
  }
}

/**
 * Refuses runs that keep pooled values of other prompts: a value that is absent in one run alone (an activation that is
 * not finite) would make an item complete in one and not in the other.
 */
function assertSamePrompts(
  reference: { readonly label: string; readonly grid: PooledGrid | null },
  other: { readonly label: string; readonly grid: PooledGrid | null },
  { languages, items }: RunManifest['plan'],
): void {
  const [a, b] = [reference.grid?.row ?? new Uint32Array(), other.grid?.row ?? new Uint32Array()];
  const at = a.findIndex((cell, i) => cell !== b[i]);
  if (at === -1 && a.length === b.length) return;
  const cell = at === -1 ? b[a.length]! : Math.min(a[at]!, b[at] ?? Infinity);
  const has = (rows: Uint32Array) => (rows.includes(cell) ? 'a pooled value' : 'none');
  throw mismatch(
    reference.label,
    other.label,
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
  'seed',
  'keep',
  'pooling',
] as const;

function mismatch(
  reference: string,
  other: string,
  field: string,
  expected: string,
  found: string,
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
