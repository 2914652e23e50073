import { modelLabel } from '../../checkpoint/index.js';
import type { ComparedRun, Comparison } from '../../compare/index.js';
import { count, plural } from './text.js';

export const UNIT_WORDS = {
  neuron: { one: 'neuron', many: 'neurons', title: 'Neurons' },
  head: { one: 'head', many: 'heads', title: 'Heads' },
  expert: { one: 'expert', many: 'experts', title: 'Experts' },
} as const;

/** `en English`, or the tag alone where there is no other name. */
export function languageLabel({ tag, name }: { readonly tag: string; readonly name: string }): string {
  return name === '' || name === tag ? tag : `${tag} ${name}`;
}

/** `base → sft`, `base → cpt, sft, grpo`, `base → 7 other runs`, or the only run. */
export function runsInWords(comparison: Comparison): string {
  const [reference, ...others] = comparison.runs.map(({ label }) => label);
  if (others.length === 0) return reference ?? 'no run';
  return `${reference} → ${others.length > 3 ? `${others.length} other runs` : others.join(', ')}`;
}

/** The subtitle of every figure: models, probe set, items, languages, tokens. */
export function measuredOn(comparison: Comparison): string {
  const { runs, probe, languages, items, completeItems, shape, positions, units } = comparison;
  const models = [...new Set(runs.map(({ model }) => modelLabel(model)))];
  const shown =
    models.length > 3 ? `${models.slice(0, 2).join(', ')} and ${models.length - 2} more` : models.join(', ');
  const tokens = runs.map(totalTokens);
  const [low, high] = [Math.min(...tokens), Math.max(...tokens)];
  return [
    `${shown} (${shape.family}, ${shape.layers} layers)`,
    `probe set ${probe.name} ${probe.version}: ${items === 0 ? 'an unknown number of items' : plural(items, 'item')}${
      completeItems === items ? '' : ` (${count(completeItems)} in every language)`
    } in ${plural(languages.length, 'language')}`,
    units.some(({ rate }) => rate === 'importance')
      ? `${plural(low, 'matrix', 'matrices')}${runs.length > 1 ? ' a run' : ''}`
      : `${low === high ? count(low) : `${count(low)}–${count(high)}`} tokens${
          runs.length > 1 ? ' a run' : ''
        }, positions: ${positions}`,
  ].join(' · ');
}

function totalTokens(run: ComparedRun): number {
  return run.languages.reduce((sum, { tokens }) => sum + tokens, 0);
}
