/**
 * Measures the instrument on known answers and rewrites figures/validation: recovery.json, verdicts.json and their figures.
 *
 *     npx tsx validation/make-validation.ts [--parts falseDiscoveries,recovery,nothing,verdicts]
 *
 * `--work <folder>` keeps checkpoints and runs there, and goes on with what it finds. `--checkpoint` is another base for recovery.
 * Parts that are not named stay as they are; `--parts figure` only draws. About ten minutes on two cores, and as long again
 * for `verdicts`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { identifyCheckpoint } from '../src/checkpoint/identify-checkpoint.js';
import { openCheckpoint } from '../src/checkpoint/open-checkpoint.js';
import {
  measureRecovery,
  nullComparison,
  type RecoveryPoint,
  VERDICT_KINDS,
  type VerdictKind,
  verdictsOf,
} from '../src/planted/index.js';
import { renderPng, renderSvgs } from '../src/report/drawing/render.js';
import { formatJson } from '../src/store/files/text-files.js';
import { VERSION } from '../src/version.js';
import { clusterCoverage } from './cluster-coverage.js';
import { type FalseDiscoveryRate, falseDiscoveryRates } from './false-discoveries.js';
import { validationFigure } from './validation-figure.js';
import { measureVerdicts, SIMULATED_RUNS } from './verdict-power.js';
import { type VerdictValidation, verdictsFigure } from './verdicts-figure.js';

const FIGURES = fileURLToPath(new URL('../figures/validation', import.meta.url));
const NUMBERS = join(FIGURES, 'recovery.json');
const VERDICTS = join(FIGURES, 'verdicts.json');
const CHECKPOINTS = fileURLToPath(new URL('../demo/checkpoints', import.meta.url));
/** Those that the fine-tunes see. */
const VERDICT_LANGUAGES = ['en', 'es', 'fr', 'ja', 'uk', 'zh'];
const LANGUAGES = ['en', 'es', 'fr', 'ja', 'ko', 'pt', 'uk', 'zh'];
/** The languages that the demo's fine-tunes see, and those they do not. */
const GROUPS = [
  { name: 'seen', languages: ['en', 'es', 'fr', 'ja', 'uk', 'zh'] },
  { name: 'unseen', languages: ['ko', 'pt'] },
];
/** A head's norm moves with the square of a small strength. */
const STRENGTHS = { neuron: [0, 0.25, 0.5, 1, 1.5, 2], head: [0, 0.5, 1, 1.5, 2] } as const;
/** One planted checkpoint each: more of heads, of which there are few. */
const SEEDS = { neuron: [1, 2], head: [1, 2, 3] } as const;
/** One per cent of the demo's neurons, as the policies select; an eighth of its heads. */
const PLANTED = { neuron: 51, head: 6 };
const ITEMS = 120;
const CALIBRATION_SHARE = 0.5;
/** Matrices of the demo's size are too small to share, above all on a busy machine. */
const THREADS = 1;

interface MeasuredOn {
  readonly checkpoint: string;
  readonly parameters: number;
  readonly weightsSha256: string;
  readonly languages: readonly string[];
}

/** What recovery.json holds. */
export interface Validation {
  readonly schema: 'babelscope/validation';
  readonly babelscope: string;
  readonly falseDiscoveries: readonly FalseDiscoveryRate[];
  readonly recovery: MeasuredOn & {
    readonly probes: string;
    /** Of the probe set, and the share of them that planting saw; the rest is measured on. */
    readonly items: number;
    readonly calibrationShare: number;
    readonly points: readonly RecoveryPoint[];
  };
  /**
   * A checkpoint, itself again, and copies with noise as small as rounding to bfloat16: every two compared, over all
   * languages and in groups.
   */
  readonly nothing: MeasuredOn & {
    readonly groups: readonly { readonly name: string; readonly languages: readonly string[] }[];
    readonly verdicts: readonly {
      readonly probes: string;
      readonly kind: VerdictKind;
      readonly notDistinguishable: number;
      readonly notMeasured: number;
      readonly changed: readonly string[];
      /** Of the 95 % that would make a change. */
      readonly largestShareOutside: number;
    }[];
  };
}

const { values: options } = parseArgs({
  options: {
    checkpoint: {
      type: 'string',
      default: join(CHECKPOINTS, 'base'),
    },
    work: { type: 'string' },
    parts: { type: 'string', default: 'falseDiscoveries,recovery,nothing,verdicts' },
  },
});
const started = Date.now();

await mkdir(FIGURES, { recursive: true });
const work = options.work ?? (await mkdtemp(join(tmpdir(), 'babelscope-validation-')));
try {
  for (const part of options.parts.split(',')) {
    if (part === 'falseDiscoveries') await keep({ falseDiscoveries: await measureFalseDiscoveries() });
    else if (part === 'recovery') await keep({ recovery: await measurePlanted() });
    else if (part === 'nothing') await keep({ nothing: await measureNothing() });
    else if (part === 'verdicts') await keepVerdicts();
    else if (part !== 'figure') throw new Error(`there is no part ${part}`);
  }
} finally {
  if (options.work === undefined) await rm(work, { recursive: true, force: true });
}
const { recovery, falseDiscoveries }: Partial<Validation> = JSON.parse(readFileSync(NUMBERS, 'utf8'));
if (recovery === undefined || falseDiscoveries === undefined) {
  throw new Error(`${NUMBERS} lacks a part that the figure draws`);
}
await draw('recovery', validationFigure({ recovery, falseDiscoveries }));
await draw('verdicts', verdictsFigure(JSON.parse(readFileSync(VERDICTS, 'utf8')) as VerdictValidation));
console.log(FIGURES);

async function draw(name: string, spec: Parameters<typeof renderSvgs>[0][number]['spec']): Promise<void> {
  const [svg] = await renderSvgs([{ name, spec }]);
  await writeFile(join(FIGURES, `${name}.svg`), `${svg}\n`);
  await writeFile(join(FIGURES, `${name}.png`), await renderPng(svg!));
}

async function keepVerdicts(): Promise<void> {
  const before = process.cpuUsage();
  const points = await measureVerdicts({
    checkpoints: CHECKPOINTS,
    languages: VERDICT_LANGUAGES,
    work: join(work, 'verdicts'),
    onProgress: say,
  });
  say('clusters');
  const clusters = clusterCoverage();
  const { user, system } = process.cpuUsage(before);
  const all: VerdictValidation = {
    schema: 'babelscope/verdicts',
    babelscope: VERSION,
    processorSeconds: Math.round((user + system) / 1e6),
    ...SIMULATED_RUNS,
    points,
    clusters,
  };
  await writeFile(VERDICTS, `${formatJson(all)}\n`);
}

/** Sets some parts of recovery.json. */
async function keep(parts: Partial<Validation>): Promise<void> {
  const before: Partial<Validation> = existsSync(NUMBERS) ? JSON.parse(readFileSync(NUMBERS, 'utf8')) : {};
  const { falseDiscoveries, recovery, nothing } = { ...before, ...parts };
  const all = {
    schema: 'babelscope/validation',
    babelscope: VERSION,
    falseDiscoveries,
    recovery,
    nothing,
  };
  await writeFile(NUMBERS, `${formatJson(all)}\n`);
}

function say(step: string): void {
  console.error(`${((Date.now() - started) / 1000).toFixed(0).padStart(5)} s  ${step}`);
}

function measureFalseDiscoveries(): Promise<FalseDiscoveryRate[]> {
  say('false discoveries');
  return falseDiscoveryRates();
}

async function measurePlanted(): Promise<Validation['recovery']> {
  const points: RecoveryPoint[] = [];
  for (const type of ['neuron', 'head'] as const) {
    points.push(
      ...(await measureRecovery({
        checkpoint: options.checkpoint,
        probes: 'pydocs',
        languages: LANGUAGES,
        limit: ITEMS,
        out: join(work, 'recovery'),
        types: [type],
        strengths: STRENGTHS[type],
        planted: PLANTED,
        seeds: SEEDS[type],
        threads: THREADS,
        calibrationShare: CALIBRATION_SHARE,
        onProgress: say,
      })),
    );
  }
  return {
    ...(await measuredOn()),
    probes: 'pydocs',
    items: ITEMS,
    calibrationShare: CALIBRATION_SHARE,
    points,
  };
}

async function measureNothing(): Promise<Validation['nothing']> {
  const verdicts: Validation['nothing']['verdicts'][number][] = [];
  for (const probes of ['pydocs', 'facts']) {
    const comparison = await nullComparison({
      checkpoint: options.checkpoint,
      probes,
      languages: LANGUAGES,
      groups: GROUPS,
      limit: ITEMS,
      out: join(work, `nothing-${probes}`),
      noiseSeeds: [1, 2],
      threads: THREADS,
      onProgress: (step) => say(`${probes}: ${step}`),
    });
    for (const kind of VERDICT_KINDS) {
      const own = verdictsOf(comparison).filter((given) => given.kind === kind);
      const having = (verdict: string) => own.filter((given) => given.verdict === verdict);
      verdicts.push({
        probes,
        kind,
        notDistinguishable: having('not distinguishable from sampling').length,
        notMeasured: having('not measured').length,
        changed: having('changed').map(({ type, measure, group, layer, language, from, to }) =>
          [type, measure, layer ?? language ?? '', group ?? '', from, '→', to]
            .filter((word) => word !== '')
            .join(' '),
        ),
        largestShareOutside: Math.max(...own.map(({ shareOutside }) => shareOutside ?? 0)),
      });
    }
  }
  return { ...(await measuredOn()), groups: GROUPS, verdicts };
}

async function measuredOn(): Promise<MeasuredOn> {
  const { name, parameters, weightsSha256 } = await identifyCheckpoint(
    await openCheckpoint(options.checkpoint),
  );
  return { checkpoint: name, parameters, weightsSha256: weightsSha256!, languages: LANGUAGES };
}
