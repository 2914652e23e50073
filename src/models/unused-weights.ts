import { isScale, isStoredTable } from '../checkpoint/index.js';
import { listed } from '../errors.js';

/** Kinds of tensors that no graph reads, each with what is to be known of it; the first that fits. */
const KINDS: readonly (readonly [
  fits: (name: string, layers: number) => boolean,
  what: string,
  note: string,
])[] = [
  [
    (name) => /\.?lora_|\.dora_|\.base_layer\./.test(name),
    'tensors of an adapter',
    'it is not applied: merge it with PEFT (merge_and_unload) if it is meant',
  ],
  [
    (name, layers) => Number(/\.(\d+)\./.exec(`.${name}`)?.[1] ?? -1) >= layers,
    'tensors of layers beyond those of config.json',
    'these layers are not run',
  ],
  [
    (name) => name.endsWith('.bias'),
    'biases',
    'config.json asks for none there, and transformers passes them over too: check that it belongs to these weights',
  ],
  [
    (name) => /(^|\.)(lm_head|embed_out)\.weight$/.test(name),
    'tensors of an unembedding',
    'config.json ties it to the embedding, which is read: where the two differ, transformers 5 reads this one for logits',
  ],
  [(name) => !/\.\d+\./.test(`.${name}`), 'tensors outside of layers', 'such as heads of other tasks'],
  [() => true, 'tensors', 'check that config.json belongs to these weights'],
];

/** Names that a warning spells out; of more, one for all layers alike. */
const SPELT_OUT = 12;

/**
 * Warnings about stored tensors that no graph asks for, as transformers' of weights that "were not used".
 *
 * @param names as they are stored; tables that follow from config.json and scales of quantised weights are passed over
 * @param layers that the model runs
 */
export function unusedWarnings(names: readonly string[], layers: number): string[] {
  const left = names.filter((name) => !isStoredTable(name) && !isScale(name));
  const byKind = KINDS.map((): string[] => []);
  for (const name of left) byKind[KINDS.findIndex(([fits]) => fits(name, layers))]!.push(name);
  return byKind.flatMap((own, kind) => {
    if (own.length === 0) return [];
    const [, what, note] = KINDS[kind]!;
    return [`the weights hold ${own.length} ${what} that nothing reads: ${spelt(own)}; ${note}`];
  });
}

function spelt(names: readonly string[]): string {
  if (names.length <= SPELT_OUT) return names.join(', ');
  const patterns = new Set(names.map((name) => name.replace(/(^|\.)\d+(?=\.)/g, '$1{n}')));
  return listed([...patterns], SPELT_OUT);
}
