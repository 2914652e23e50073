/**
 * Measures the instrument on known answers and rewrites figures/validation: recovery.json and its figure.
 *
 *     npm run build
 *     npx tsx scripts/make-validation.ts [--checkpoint demo/checkpoints/base] [--out <folder for checkpoints and runs>]
 *     npx tsx scripts/make-validation.ts --figure    draws the figure again from recovery.json
 *
 * About ten minutes on two cores.
 */
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { identifyCheckpoint } from '../src/checkpoint/identify-checkpoint.js';
import { openCheckpoint } from '../src/checkpoint/open-checkpoint.js';
import { renderPng, renderSvgs } from '../src/report/render.js';
import { formatJson } from '../src/store/format-json.js';
import type { FalseDiscoveryRate, RecoveryPoint } from '../src/validation/index.js';
import { VERSION } from '../src/version.js';
import { validationFigure } from './validation-figure.js';

/** The built one, whose worker thread runs models. */
const {
  falseChanges,
  falseDiscoveryRates,
  measureRecovery,
  nullComparison,
}: typeof import('../src/validation/index.js') = await import(
  new URL('../dist/validation/index.js', import.meta.url).href
);

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FIGURES = join(ROOT, 'figures', 'validation');
const NUMBERS = join(FIGURES, 'recovery.json');
const LANGUAGES = ['en', 'es', 'fr', 'ja', 'ko', 'pt', 'uk', 'zh'];
const STRENGTHS = [0, 0.125, 0.25, 0.5, 1, 1.5];
/** One per cent of the demo's neurons, as the policies select; an eighth of its heads. */
const PLANTED = { neuron: 51, head: 6 };

/** What recovery.json holds. */
export interface Validation {
  readonly schema: 'babelscope/validation';
  readonly babelscope: string;
  readonly measuredOn: {
    readonly checkpoint: {
      readonly name: string;
      readonly parameters: number;
      readonly weightsSha256: string;
    };
    readonly probes: string;
    readonly languages: readonly string[];
    readonly items: number;
    readonly calibrationShare: number;
  };
  readonly recovery: readonly RecoveryPoint[];
  readonly falseDiscoveries: readonly FalseDiscoveryRate[];
  readonly nothing: readonly {
    readonly probes: string;
    readonly comparisons: number;
    readonly headlines: number;
    readonly notDistinguishable: number;
    readonly notMeasured: number;
    readonly changed: readonly string[];
    readonly largestShareOutside: number;
  }[];
}

const { values: options } = parseArgs({
  options: {
    checkpoint: {
      type: 'string',
      default: fileURLToPath(new URL('../demo/checkpoints/base', import.meta.url)),
    },
    out: { type: 'string' },
    figure: { type: 'boolean', default: false },
    limit: { type: 'string', default: '120' },
  },
});

await mkdir(FIGURES, { recursive: true });
if (!options.figure) {
  const work = options.out ?? (await mkdtemp(join(tmpdir(), 'babelscope-validation-')));
  try {
    await writeFile(NUMBERS, `${formatJson(await measure(work))}\n`);
  } finally {
    if (options.out === undefined) await rm(work, { recursive: true, force: true });
  }
}
const validation: Validation = JSON.parse(readFileSync(NUMBERS, 'utf8'));
const [svg] = await renderSvgs([validationFigure(validation)]);
await writeFile(join(FIGURES, 'recovery.svg'), `${svg}\n`);
await writeFile(join(FIGURES, 'recovery.png'), await renderPng(svg!));
console.log(FIGURES);

async function measure(work: string): Promise<Validation> {
  const started = Date.now();
  const onProgress = (step: string) =>
    console.error(`${((Date.now() - started) / 1000).toFixed(0).padStart(5)} s  ${step}`);
  const limit = Number(options.limit);
  const calibrationShare = 0.5;
  const demo = { checkpoint: options.checkpoint, languages: LANGUAGES, limit, onProgress };

  const { name, parameters, weightsSha256 } = await identifyCheckpoint(
    await openCheckpoint(options.checkpoint),
  );
  onProgress('false discoveries');
  const falseDiscoveries = await falseDiscoveryRates();
  const recovery = await measureRecovery({
    ...demo,
    probes: 'pydocs',
    out: join(work, 'recovery'),
    types: ['neuron', 'head'],
    strengths: STRENGTHS,
    planted: PLANTED,
    calibrationShare,
  });
  const nothing = [];
  for (const probes of ['pydocs', 'facts']) {
    onProgress(`nothing on ${probes}`);
    const comparison = await nullComparison({
      ...demo,
      probes,
      out: join(work, `null-${probes}`),
      noiseSeeds: [1, 2],
    });
    const headlines = comparison.units.flatMap((units) => units.headlines);
    const having = (verdict: string) => headlines.filter((headline) => headline.verdict === verdict).length;
    nothing.push({
      probes,
      comparisons: comparison.runs.length - 1,
      headlines: headlines.length,
      notDistinguishable: having('not distinguishable from sampling'),
      notMeasured: having('not measured'),
      changed: falseChanges(comparison).map(({ type, measure: what, label }) => `${type} ${what} (${label})`),
      largestShareOutside: Math.max(...headlines.map(({ shareOutside }) => shareOutside ?? 0)),
    });
  }
  return {
    schema: 'babelscope/validation',
    babelscope: VERSION,
    measuredOn: {
      checkpoint: { name, parameters, weightsSha256 },
      probes: 'pydocs',
      languages: LANGUAGES,
      items: limit,
      calibrationShare,
    },
    recovery,
    falseDiscoveries,
    nothing,
  };
}
