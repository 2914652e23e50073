import { builtinSizes } from '../../probes/index.js';
import { quoted, type RunManifest } from '../../store/index.js';
import { EXTRA_HOOKS } from './recording.js';

/**
 * The command that captures such a run, with `<folder>` for where it goes. It follows from the manifest alone, so a
 * checkpoint or probe set that was a folder is named and not placed: a run holds no paths.
 */
export async function captureCommand(manifest: Omit<RunManifest, 'planSha256'>): Promise<string> {
  const { model, plan, probe, onnxruntime } = manifest;
  const { adapter } = model;
  const items = (await builtinSizes()).get(probe.name);
  const hooks = EXTRA_HOOKS.filter((hook) => plan.hooks.some((output) => output.startsWith(`${hook}/`)));
  const device = onnxruntime.split(' ')[1] ?? 'cpu';
  const options: readonly (readonly [name: string, value: string | number | null])[] = [
    ['adapter', adapter === null ? null : placeOf(adapter)],
    ['tokenizer', model.tokenizer === undefined ? null : placeOf(model.tokenizer, 'tokenizer')],
    ['tokenizer-rules', model.tokenizerRules?.chosen ? model.tokenizerRules.transformers : null],
    ['probes', items === undefined ? `<probe set ${probe.name}>` : probe.name],
    ['out', '<folder>'],
    ['languages', plan.languages.join(',')],
    ['limit', items !== undefined && plan.items.length < items ? plan.items.length : null],
    ['positions', plan.positions],
    ['bos', plan.bos],
    ['keep', plan.keep],
    ['pooling', plan.pooling],
    ['hooks', hooks.length === 0 ? null : hooks.join(',')],
    ['device', device === 'cpu' ? null : device],
    ['sequence-length', plan.sequenceLength ?? null],
    ['tokens-per-language', plan.tokensPerLanguage ?? null],
    ['folds-by', plan.foldsBy ?? null],
    ['seed', plan.seed],
  ];
  const words = options.flatMap(([name, value]) => (value === null ? [] : [`--${name}`, word(value)]));
  if (plan.countFirst) words.push('--count-first');
  return ['babelscope capture', word(placeOf(model)), ...words].join(' ');
}

function placeOf(
  { name, ref, revision }: Pick<RunManifest['model'], 'name' | 'ref' | 'revision'>,
  kind = 'checkpoint',
): string {
  return ref === null ? `<${kind} ${name}>` : `hf://${name}@${revision ?? ref}`;
}

/** What stands for something else is left as it is. */
function word(value: string | number): string {
  const text = String(value);
  return text.startsWith('<') ? text : quoted(text);
}
