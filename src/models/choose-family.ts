import { join } from 'node:path';
import { z } from 'zod';
import { readConfigField } from '../checkpoint/index.js';
import { CheckpointError } from '../errors.js';
import { innerText } from './config/text-part.js';
import * as families from './families/index.js';
import type { ConfigFile, Family } from './family.js';

/** Every family that can be read. */
export const FAMILIES: readonly Family[] = Object.values(families);

/** The class of transformers that a checkpoint is read as. */
export interface Choice {
  readonly family: Family;
  /** The configuration that the family reads: that of the language model in a model of images. */
  readonly file: ConfigFile;
  /** Whether the weights hold other towers too. */
  readonly hasTowers: boolean;
  /** The class that the family reads; `architecture` too, but for a model of images. */
  readonly readAs: string;
  /** The causal language model, for example `LlamaForCausalLM`. */
  readonly architecture: string;
  readonly modelType: string;
  /** Warnings where config.json leaves room for doubt. */
  readonly warnings: readonly string[];
}

const CHOICES = FAMILIES.flatMap((family) =>
  family.architectures.map((architecture, i) => ({ family, architecture, modelType: family.modelTypes[i]! })),
);

/**
 * The family of a configuration, as transformers' AutoModelForCausalLM chooses: by `model_type`. The class that
 * `architectures` names may be the model without a head or with that of another task, or be missing.
 *
 * @throws CheckpointError where neither field names a model that is read
 */
export function chooseFamily(file: ConfigFile): Choice {
  const inner = innerText(file);
  if (inner !== null) {
    const { family } = CHOICES.find(({ architecture }) => architecture === inner.architecture)!;
    return {
      family,
      file: inner.file,
      hasTowers: true,
      readAs: inner.architecture,
      ...inner.whole,
      warnings: [],
    };
  }
  const choice = chooseClass(file);
  return {
    ...choice,
    file,
    hasTowers: choice.family.hasTextPart === true,
    readAs: choice.architecture,
  };
}

type Chosen = Pick<Choice, 'family' | 'architecture' | 'modelType' | 'warnings'>;

function chooseClass(file: ConfigFile): Chosen {
  const named = readConfigField(file, 'architectures', z.array(z.string()).default([]))[0];
  const modelType = readConfigField(file, 'model_type', z.string().optional());
  const byName = CHOICES.find(({ architecture }) => architecture === named);
  const byType = CHOICES.find((choice) => choice.modelType === modelType && fits(choice, file));
  if (byName !== undefined && (byType === undefined || byType.architecture === byName.architecture)) {
    return { ...byName, warnings: [] };
  }
  if (byType !== undefined) {
    const isKin = named === undefined || stemOf(named) === stemOf(byType.architecture);
    return { ...byType, warnings: isKin && byName === undefined ? [] : [doubt(named!, byType)] };
  }
  const byStem = CHOICES.find(
    (choice) => named !== undefined && stemOf(named) === stemOf(choice.architecture) && fits(choice, file),
  );
  if (byStem !== undefined && modelType === undefined) return { ...byStem, warnings: [] };
  const called =
    named === undefined ? `the model_type ${modelType ?? '(missing)'}` : `the architecture ${named}`;
  throw new CheckpointError({
    what: `there is no family for ${called}`,
    where: join(file.folder, 'config.json'),
    expected: CHOICES.map(({ architecture }) => architecture).join(', '),
    found: `architectures ${JSON.stringify(file.config.architectures ?? null)}, model_type ${JSON.stringify(modelType ?? null)}`,
    remedy:
      'if it is one of these under another name, write its model_type into config.json, for example "model_type": "llama"; ' +
      'CONTRIBUTING.md tells how to add a family',
  });
}

/** A family of models with a text part needs the configuration of that part. */
function fits({ family }: Pick<Chosen, 'family'>, { config }: ConfigFile): boolean {
  return family.hasTextPart !== true || (config.text_config ?? undefined) !== undefined;
}

/** `Llama` of `LlamaModel`, `LlamaForCausalLM`, `LlamaForSequenceClassification`. */
function stemOf(architecture: string): string {
  return architecture.replace(
    /(?:Text)?(?:LMHeadModel|DoubleHeadsModel|PreTrainedModel|Model|For[A-Z][A-Za-z]*)$/,
    '',
  );
}

function doubt(
  named: string,
  { architecture, modelType }: Pick<Choice, 'architecture' | 'modelType'>,
): string {
  return (
    `config.json names the architecture ${named} and the model_type ${modelType}: the weights were read as ${architecture}, ` +
    'as transformers does by model_type; where the class computes otherwise, so do the numbers'
  );
}
