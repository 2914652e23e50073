import { join } from 'node:path';
import { z } from 'zod';
import { CheckpointError } from '../../errors.js';
import { readJsonObject } from '../../read-json.js';

/** Names or patterns of a list: every module is held against each. */
const MOST_NAMES = 4_096;
const namesOrPattern = z.union([z.string(), z.array(z.string()).max(MOST_NAMES)]);
const layerNumbers = z.union([z.number().int(), z.array(z.number().int()).max(MOST_NAMES)]);
const ofPatterns = <T extends z.ZodType>(value: T) =>
  z
    .record(z.string(), value)
    .refine((all) => Object.keys(all).length <= MOST_NAMES, `at most ${MOST_NAMES} patterns`);

const loraSchema = z.object({
  base_model_name_or_path: z.string().nullish(),
  r: z.number().int().positive(),
  lora_alpha: z.number(),
  target_modules: namesOrPattern,
  exclude_modules: namesOrPattern.nullish(),
  layers_to_transform: layerNumbers.nullish(),
  layers_pattern: namesOrPattern.nullish(),
  rank_pattern: ofPatterns(z.number().int().positive()).nullish(),
  alpha_pattern: ofPatterns(z.number()).nullish(),
  use_rslora: z.boolean().nullish(),
  modules_to_save: z.array(z.string()).max(MOST_NAMES).nullish(),
});

/** The fields of adapter_config.json that decide what a LoRA adapter computes, under PEFT's names. */
export type LoraConfig = z.infer<typeof loraSchema>;

export const ADAPTER_CONFIG = 'adapter_config.json';
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors';

const MERGE =
  'merge it into its base once with PeftModel.from_pretrained(base, adapter).merge_and_unload().save_pretrained(folder), ' +
  'and give that folder';

/** Settings that change what the adapter computes beyond x·Aᵀ·Bᵀ, by what they are called. */
const REFUSED: Readonly<Record<string, string>> = {
  use_dora: 'DoRA, which rescales the columns of the adapted weights',
  use_qalora: 'QALoRA',
  lora_bias: 'a bias on lora_B',
  layer_replication: 'layers that the adapter repeats',
  trainable_token_indices: 'single trained rows of the embedding',
  target_parameters: 'adapted parameters that are no linear layer (target_parameters)',
  alora_invocation_tokens: 'activated LoRA, which acts from certain tokens on',
  arrow_config: 'Arrow routing between adapters',
  use_bdlora: 'block-diagonal LoRA',
  kasa_config: 'KaSA',
  monteclora_config: 'MonteCLoRA',
  megatron_config: 'layers of Megatron',
};

/** Settings of training, of initialisation or of book-keeping. */
const IGNORED = new Set([
  'peft_type',
  'task_type',
  'auto_mapping',
  'inference_mode',
  'revision',
  'peft_version',
  'lora_dropout',
  'fan_in_fan_out',
  'bias',
  'init_lora_weights',
  'loftq_config',
  'eva_config',
  'corda_config',
  'lora_ga_config',
  'velora_config',
  'megatron_core',
  'qalora_group_size',
  'runtime_config',
  'ensure_weight_tying',
]);

/** Initialisations that change the base's weights, so that the adapter fits only what they left. */
const BASE_CHANGING = /^(pissa|corda|olora|loftq|lora_ga)/i;

/**
 * Reads adapter_config.json. `fan_in_fan_out` needs nothing: it tells how the base stores its weight, and A and B are
 * stored the same way for both.
 *
 * @returns the configuration, and a warning for each setting that this version does not know
 * @throws CheckpointError if it is malformed, or of a kind that is not low-rank products and nothing else
 */
export async function readLoraConfig(
  folder: string,
): Promise<{ readonly config: LoraConfig; readonly warnings: readonly string[] }> {
  const where = join(folder, ADAPTER_CONFIG);
  const fields = await readJsonObject(where, 'save the adapter again with save_pretrained()');
  const refuse = (what: string, found: string): never => {
    throw new CheckpointError({
      what: `the adapter is of a kind that is not supported: ${what}`,
      where,
      found,
      remedy: MERGE,
    });
  };
  const shown = (field: string) => `${field}: ${JSON.stringify(fields[field])}`.slice(0, 200);
  if (fields.peft_type !== 'LORA') refuse('only LoRA is', shown('peft_type'));
  for (const [field, what] of Object.entries(REFUSED)) {
    if (isSet(fields[field])) refuse(what, shown(field));
  }
  if (isSet(fields.bias) && fields.bias !== 'none') refuse('trained biases', shown('bias'));
  if (typeof fields.init_lora_weights === 'string' && BASE_CHANGING.test(fields.init_lora_weights)) {
    refuse("an initialisation that changes the base's weights", shown('init_lora_weights'));
  }
  const parsed = loraSchema.safeParse(fields);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new CheckpointError({
      what: `field ${issue.path.join('.')} of the adapter's configuration is unusable`,
      where,
      expected: issue.message,
      found: JSON.stringify(fields[String(issue.path[0])]),
      remedy: 'save the adapter again with save_pretrained()',
    });
  }
  const known = new Set([...Object.keys(loraSchema.shape), ...Object.keys(REFUSED), ...IGNORED]);
  const warnings = Object.keys(fields)
    .filter((field) => !known.has(field) && isSet(fields[field]))
    .map(
      (field) => `${ADAPTER_CONFIG} sets ${shown(field)}, which this version does not know and did not heed`,
    );
  return { config: parsed.data, warnings };
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
