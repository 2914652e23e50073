import { CheckpointError, messageOf } from '../../errors.js';
import type { LoraConfig } from './lora-config.js';

/** Targets every linear layer but the one that gives the logits. */
const ALL_LINEAR = 'all-linear';

/**
 * Whether a module is adapted, by PEFT 0.21's rules: a text is a pattern for the whole name, a list holds names and
 * ends of names; excluded modules and those saved whole are not; layers may be chosen by number.
 *
 * @param module its name in the base model, such as `model.layers.0.self_attn.q_proj`
 * @param logits whether it is the layer that gives the logits
 * @throws CheckpointError for a pattern that cannot be read
 */
export function isTargeted(config: LoraConfig, module: string, logits: boolean): boolean {
  const { target_modules, exclude_modules, modules_to_save } = config;
  if (isSet(exclude_modules) && isNamed(exclude_modules, module)) return false;
  if (modules_to_save?.some((name) => pattern(`(^|.*\\.)${name}($|\\..*)`).test(module))) return false;
  if (typeof target_modules === 'string') {
    return target_modules.toLowerCase() === ALL_LINEAR ? !logits : isNamed(target_modules, module);
  }
  // A whole name is meant as it is; layers are chosen among the modules that ends of names match.
  return (
    target_modules.includes(module) || (isNamed(target_modules, module) && isLayerChosen(config, module))
  );
}

function isLayerChosen({ layers_to_transform, layers_pattern }: LoraConfig, module: string): boolean {
  const chosen =
    typeof layers_to_transform === 'number' ? [layers_to_transform] : (layers_to_transform ?? []);
  if (chosen.length === 0) return true;
  const before = typeof layers_pattern === 'string' ? [layers_pattern] : (layers_pattern ?? []);
  const places = before.filter((name) => name !== '').map((name) => `(?:^|.*?\\.)${name}`);
  if (places.length === 0) places.push('.*?\\.[^.]*');
  const number = places.map((place) => pattern(`^${place}\\.(\\d+)\\.`).exec(module)?.[1]).find(isSet);
  return number !== undefined && chosen.includes(Number(number));
}

/** Rank and scale of a module: the first of the patterns that the end of its name matches, else the common ones. */
export function rankAndScale(config: LoraConfig, module: string): { rank: number; scale: number } {
  const rank = firstMatch(config.rank_pattern, module) ?? config.r;
  const alpha = firstMatch(config.alpha_pattern, module) ?? config.lora_alpha;
  // Kalajdzievski 2023: a rank-stabilised adapter is scaled by α/√r instead of α/r.
  return { rank, scale: alpha / (config.use_rslora ? Math.sqrt(rank) : rank) };
}

function firstMatch(values: Readonly<Record<string, number>> | null | undefined, module: string) {
  return Object.entries(values ?? {}).find(([end]) => pattern(`^(.*\\.)?(${end})$`).test(module))?.[1];
}

function isNamed(names: string | readonly string[], module: string): boolean {
  if (typeof names === 'string') return pattern(`^(?:${names})$`).test(module);
  return names.some((name) => module === name || module.endsWith(`.${name}`));
}

function isSet<T extends string | readonly string[]>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined && value.length > 0;
}

/** A regular expression of Python's `re`, of which named groups are written otherwise in JavaScript. */
function pattern(source: string): RegExp {
  try {
    return new RegExp(source.replaceAll('(?P<', '(?<'));
  } catch (cause) {
    throw new CheckpointError(
      {
        what: 'a pattern of adapter_config.json cannot be read',
        found: messageOf(cause),
        remedy: 'write it without what only Python knows, or list the modules by name',
      },
      { cause },
    );
  }
}
