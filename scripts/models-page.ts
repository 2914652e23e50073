/** What docs/models.md says of the supported models, from what the tests hold them to. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FAMILIES as UNORDERED } from '../src/models/choose-family.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CHECKPOINTS = join(ROOT, 'test', 'fixtures', 'models');
const PUBLISHED = join(ROOT, 'test', 'fixtures', 'published');
/** Rows of what the parity test measured: [checkpoint, deviation at each hook point and in the logits], a head first. */
export const PARITY = join(ROOT, 'test', 'fixtures', 'parity.json');
export const PAGE = join(ROOT, 'docs', 'models.md');

const FAMILIES = [...UNORDERED].sort((a, b) => (a.name < b.name ? -1 : 1));

interface Published {
  readonly name: string;
  readonly architecture: string;
  readonly parameters: number;
}

/** docs/models.md as it should be. */
export function renderPage(): string {
  const [head, ...rows] = readParity();
  const families = FAMILIES.map(({ name, architectures }) => [
    `\`${name}\``,
    architectures.map((architecture) => `\`${architecture}\``).join(', '),
    examplesOf(architectures)
      .map((example) => `${example.name} (${example.parameters.toLocaleString('en')})`)
      .join(', ') || '–',
  ]);
  const checkpoints = FAMILIES.flatMap(({ name, architectures }) =>
    rows
      .filter(([checkpoint]) => architectures.includes(configOf(checkpoint!).architecture))
      .map((row) => [`\`${name}\``, `\`${row[0]}\``, configOf(row[0]!).dtype, ...row.slice(1)]),
  );
  const versions = [...new Set(rows.map(([checkpoint]) => configOf(checkpoint!).transformers))].sort();
  return `${[
    '# Models',
    'Made by `npm run make-models-page` from the families in `src/models/families/`, the configurations in `test/fixtures/published/`, the ' +
      'checkpoints in `test/fixtures/models/` and what `test/models/parity.test.ts` measured. Do not edit it.',
    '## Families',
    'Each example is a published configuration, with its exact number of parameters: what transformers counts and what ' +
      '`babelscope inspect` prints of a folder with nothing but this config.json. What was run are the tiny checkpoints below, not ' +
      'the published weights.',
    formatTable(['family', 'architectures', 'for example (parameters)'], families),
    '## Parity',
    `Tiny random checkpoints of awkward sizes against Hugging Face transformers ${versions.join(', ')} (eager attention, fp32) on padded ` +
      'batches: the largest |Δ| at each hook point, over layers and real tokens, relative to the largest value of the tensor. ' +
      '10⁻⁴ is allowed. – where the layers of a family have no such point.',
    formatTable(['family', 'checkpoint', 'weights', ...head!.slice(1)], checkpoints),
  ].join('\n\n')}\n`;
}

/** Every checkpoint of the parity test, in the order of their names. */
export function checkpointNames(): string[] {
  return readdirSync(CHECKPOINTS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

export function readParity(): string[][] {
  const [head, ...rows] = JSON.parse(readFileSync(PARITY, 'utf8')) as string[][];
  return [head!, ...rows.sort(([a], [b]) => (a! < b! ? -1 : 1))];
}

function examplesOf(architectures: readonly string[]): Published[] {
  return readPublished().filter(({ architecture }) => architectures.includes(architecture));
}

function readPublished(): Published[] {
  return readdirSync(PUBLISHED)
    .sort()
    .flatMap((group) => {
      const rows = JSON.parse(readFileSync(join(PUBLISHED, group), 'utf8')) as Record<
        string,
        { config: { architectures: string[] }; parameters: number }
      >;
      return Object.entries(rows).map(([name, { config, parameters }]) => ({
        name,
        architecture: config.architectures[0]!,
        parameters,
      }));
    });
}

interface FixtureConfig {
  readonly architecture: string;
  readonly dtype: string;
  readonly transformers: string;
}

function configOf(checkpoint: string): FixtureConfig {
  const config = JSON.parse(readFileSync(join(CHECKPOINTS, checkpoint, 'config.json'), 'utf8')) as {
    architectures: string[];
    dtype?: string;
    transformers_version: string;
    quantization_config?: { quant_method: string };
  };
  return {
    architecture: config.architectures[0]!,
    dtype: config.quantization_config?.quant_method ?? config.dtype ?? '–',
    transformers: config.transformers_version,
  };
}

function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
