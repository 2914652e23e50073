import { z } from 'zod';
import { UsageError } from '../../errors.js';

/** The kinds of numbers that a matrix of languages may hold. */
export const QUANTITIES = ['perplexity', 'nll', 'log-ratio', 'difference'] as const;
export type MatrixQuantity = (typeof QUANTITIES)[number];

/** One fact about files that the files themselves do not tell: a field of the sidecar, and an option of `import`. */
interface Fact<T> {
  readonly flag: string;
  readonly about: string;
  readonly schema: z.ZodType<T>;
  /** The value that an option's text stands for, to be held against the schema. */
  readonly parse: (text: string) => unknown;
}

const fact = <T>(
  flag: string,
  about: string,
  schema: z.ZodType<T>,
  parse: (text: string) => unknown,
): Fact<T> => ({ flag, about, schema, parse });

const text = z.string().min(1, 'expected a text that is not empty');
const size = z.number('expected a whole number').int().min(1, 'expected a whole number of at least 1');
const words = (list: string) => list.split(',').map((word) => word.trim());

/** Every fact. The sidecar's fields have these names. */
export const FACTS = {
  model: fact('--model <name>', 'the name of the model (default: that of the folder)', text, String),
  languages: fact(
    '--languages <tags>',
    'the languages in the order of the file',
    z.array(text, 'expected a list of languages').min(1, 'expected a language'),
    words,
  ),
  layers: fact('--layers <n>', 'layers of the model', size, Number),
  neurons: fact('--neurons <n>', 'neurons of each layer (intermediate_size)', size, Number),
  heads: fact('--heads <n>', 'attention heads of each layer', size, Number),
  rule: fact(
    '--rule <name>',
    'the rule that selected the units, such as tang2024 or polyfact2026',
    text,
    String,
  ),
  counts: fact(
    '--expect-counts <tag=n,…>',
    'selected units of each language that the file must have, such as published ones',
    z.record(
      text,
      z.number('expected whole numbers, as in en=12,zh=9').int().min(0, 'expected numbers from 0 on'),
    ),
    (list) =>
      Object.fromEntries(
        words(list).map((word) => {
          const at = word.lastIndexOf('=');
          return at < 1 || at === word.length - 1
            ? [word, Number.NaN]
            : [word.slice(0, at), Number(word.slice(at + 1))];
        }),
      ),
  ),
  kind: fact(
    '--kind <kind>',
    'importances, or a trained mask of heads, where the numbers do not tell',
    z.enum(['importances', 'mask'], 'expected importances or mask'),
    String,
  ),
  threshold: fact(
    '--threshold <x>',
    'heads of a mask above this number are selected',
    z.number('expected a number'),
    (given) => (given.trim() === '' ? Number.NaN : Number(given)),
  ),
  quantity: fact(
    '--quantity <name>',
    `the numbers of a matrix: ${QUANTITIES.join(', ')}`,
    z.enum(QUANTITIES, `expected one of ${QUANTITIES.join(', ')}`),
    String,
  ),
} as const;

export type FactName = keyof typeof FACTS;
export type Facts = { readonly [Name in FactName]?: z.infer<(typeof FACTS)[Name]['schema']> | undefined };

/** Further files that an import takes. Sidecars do not name files. */
export const FILE_OPTIONS = {
  prefix: {
    flag: '--prefix <files...>',
    about: 'counts of the prefixes alone, which are subtracted; files named prefix.… are taken for such',
  },
  baseline: { flag: '--baseline <file>', about: 'the numbers of the model that nothing was done to' },
} as const;
export type FileOption = keyof typeof FILE_OPTIONS;

/** Facts with the place where each was said, for messages. */
export interface Said {
  readonly facts: Facts;
  /** `--neurons`, or `mask.pt.json: neurons`; the option where nobody said it. */
  where(name: FactName): string;
}

/** The option of a fact, without its value: `--neurons`. */
export function optionOf(name: FactName | FileOption): string {
  const { flag } = name in FACTS ? FACTS[name as FactName] : FILE_OPTIONS[name as FileOption];
  return flag.split(' ')[0]!;
}

/** Sizes that files turned out to have, against those that were said. @throws UsageError where they contradict. */
export function assertSaid(
  { facts, where }: Said,
  found: { readonly [Name in 'layers' | 'neurons' | 'heads']?: number },
): void {
  for (const [name, size] of Object.entries(found) as ['layers' | 'neurons' | 'heads', number][]) {
    const said = facts[name];
    if (said === undefined || said === size) continue;
    throw new UsageError({
      what: `the file has another number of ${name}`,
      where: where(name),
      expected: `${size}, as in the file`,
      found: String(said),
      remedy: 'check which model the file is of',
    });
  }
}
