import { RE2JS } from 're2js';
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
  if (modules_to_save?.some((name) => matches(`(^|.*\\.)${name}($|\\..*)`, module))) return false;
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
  const number = places.map((place) => firstGroup(`^${place}\\.(\\d+)\\.`, module)).find(isSet);
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
  return Object.entries(values ?? {}).find(([end]) => matches(`^(.*\\.)?(${end})$`, module))?.[1];
}

function isNamed(names: string | readonly string[], module: string): boolean {
  if (typeof names === 'string') return matches(`^(?:${names})$`, module);
  return names.some((name) => module === name || module.endsWith(`.${name}`));
}

function isSet<T extends string | readonly string[]>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined && value.length > 0;
}

function matches(source: string, module: string): boolean {
  return pattern(source).matcher(module).find();
}

function firstGroup(source: string, module: string): string | null {
  const matcher = pattern(source).matcher(module);
  return matcher.find() ? matcher.group(1) : null;
}

/** Longest pattern of an adapter; a name of a module has fifty characters. */
const MOST_CHARACTERS = 2_000;
/** Patterns that are kept: every module is held against each. */
const KEPT_PATTERNS = 4_096;
const compiled = new Map<string, RE2JS>();

/**
 * A regular expression of Python's `re`, as far as RE2 knows it: all but references back and looking around. Its time
 * grows with the length of the text alone, where a backtracking engine may take for ever.
 */
function pattern(source: string): RE2JS {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  try {
    if (source.length > MOST_CHARACTERS) throw new Error(`more than ${MOST_CHARACTERS} characters`);
    if (compiled.size === KEPT_PATTERNS) compiled.clear();
    const made = RE2JS.compile(source);
    compiled.set(source, made);
    return made;
  } catch (cause) {
    throw new CheckpointError(
      {
        what: 'a pattern of adapter_config.json cannot be read',
        where: source,
        expected: 'a regular expression without references back and without looking ahead or behind',
        found: messageOf(cause),
        remedy: 'write it so, or list the modules by name',
      },
      { cause },
    );
  }
}
