/**
 * Measures what intervals cover, how p-values are spread under the null and how many discoveries are false, on simulated
 * units of known truth, and rewrites figures/validation/calibration.{json,md,svg,png}.
 *
 *     npm run build
 *     npx tsx validation/make-calibration.ts [--units 2000] [--sets 200] [--figure]
 *
 * `--figure` only draws what was measured before. 463 s of processor time, on as many threads as there are processors.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { renderPng, renderSvgs } from '../src/report/drawing/render.js';
import { formatJson } from '../src/store/files/text-files.js';
import { VERSION } from '../src/version.js';
import { type Calibration, type CalibrationOptions, calibrationSteps, joinSteps } from './calibration.js';
import { calibrationFigure } from './calibration-figure.js';

const CALIBRATION = new URL('./calibration.ts', import.meta.url).href;

const FIGURES = fileURLToPath(new URL('../figures/validation', import.meta.url));
const { values: options } = parseArgs({
  options: {
    units: { type: 'string', default: '2000' },
    sets: { type: 'string', default: '200' },
    figure: { type: 'boolean', default: false },
  },
});
await mkdir(FIGURES, { recursive: true });
const numbers = join(FIGURES, 'calibration.json');
/** Processor time so far, of all threads. */
const spent = () => {
  const { user, system } = process.cpuUsage();
  return `${((user + system) / 1e6).toFixed(0).padStart(5)} s`;
};
if (!options.figure) {
  const measured = await sideBySide({ units: Number(options.units), sets: Number(options.sets) });
  await writeFile(
    numbers,
    `${formatJson({ schema: 'babelscope/calibration', babelscope: VERSION, ...measured })}\n`,
  );
  console.error(`${spent()}  measured`);
}
const calibration = JSON.parse(readFileSync(numbers, 'utf8')) as Calibration;
await writeFile(join(FIGURES, 'calibration.md'), table(calibration));
const [svg] = await renderSvgs([{ name: 'calibration', spec: calibrationFigure(calibration) }]);
await writeFile(join(FIGURES, 'calibration.svg'), `${svg}\n`);
await writeFile(join(FIGURES, 'calibration.png'), await renderPng(svg!));

/** Every step, on as many threads as there are processors; which thread takes which changes nothing. */
async function sideBySide(own: CalibrationOptions): Promise<Calibration> {
  const steps = calibrationSteps(own);
  const measured = new Array<Parameters<typeof joinSteps>[0][number]>(steps.length);
  const waiting = [...steps.keys()];
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const pause = () => new Promise((resolve) => setImmediate(resolve));
    parentPort.on('message', async (at) => {
      const { calibrationSteps } = await import(workerData.module);
      parentPort.postMessage(await calibrationSteps(workerData.own)[at].run(pause));
    });`;
  const thread = async () => {
    const worker = new Worker(code, {
      eval: true,
      workerData: { module: CALIBRATION, own },
      execArgv: ['--import', 'tsx'],
    });
    for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
      console.error(`${spent()}  ${steps[at]!.name}`);
      worker.postMessage(at);
      [measured[at]] = await once(worker, 'message');
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, thread));
  return joinSteps(measured);
}

function table(calibration: Calibration): string {
  const { coverage, elsewhere, uniformity, falseDiscoveries, items, languages, folds, set } = calibration;
  return [
    '# Calibration on simulated units',
    '',
    `${items} items in ${languages} languages, ${folds} folds; the first language lies higher by the effect, in standard deviations of the noise. Made by \`validation/make-calibration.ts\`.`,
    '',
    '## How often 95 % intervals hold the truth',
    '',
    'The truth is the score of infinitely many items, or what it is on average at this number of items: see docs/files.md. Below and above: intervals that lie wholly below the truth, and above it.',
    '',
    '| score | truth | effect | its value | units | coverage | 95 % interval of it | below | above |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...coverage.map(
      ({ score, estimand, effect, truth, units, share, low, high, below, above }) =>
        `| ${score} | ${estimand} | ${effect} | ${truth.toFixed(4)} | ${units} | ${percent(share)} | ${percent(low)} to ${percent(high)} | ${percent(below)} | ${percent(above)} |`,
    ),
    '',
    '## Elsewhere',
    '',
    'Intervals of what need not be resampled, at other numbers of items, languages and folds, and where the first language is noisier than the others; in bold what lies outside 93 to 97 %.',
    '',
    ...elsewhere.flatMap(designTable),
    '## p-values of units tied to no language against the uniform distribution',
    '',
    '| test | units | Kolmogorov–Smirnov D | its p | p ≤ 0.05 | 95 % interval of it |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...uniformity.map(
      ({ test, units, d, p, rejected, rejectedLow, rejectedHigh }) =>
        `| ${test} | ${units} | ${d.toFixed(4)} | ${p.toFixed(3)} | ${percent(rejected)} | ${percent(rejectedLow)} to ${percent(rejectedHigh)} |`,
    ),
    '',
    `## False discoveries at a nominal rate (Benjamini–Hochberg), ${set.tied} of ${set.units} units tied`,
    '',
    '| test | nominal | realised | two standard errors | tied units found |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...falseDiscoveries.map(
      ({ test, nominal, realised, low, high, power }) =>
        `| ${test} | ${percent(nominal)} | ${percent(realised)} | ${percent(low)} to ${percent(high)} | ${percent(power)} |`,
    ),
    '',
  ].join('\n');
}

function designTable(design: Calibration['elsewhere'][number]): string[] {
  const { items, languages, folds, firstNoise, coverage } = design;
  const effects = [...new Set(coverage.map(({ effect }) => effect))];
  const scores = [...new Set(coverage.map(({ score }) => score))];
  const cell = (score: string, effect: number) => {
    const { share } = coverage.find((row) => row.score === score && row.effect === effect)!;
    return share < 0.93 || share > 0.97 ? `**${percent(share)}**` : percent(share);
  };
  const noise = firstNoise === 1 ? '' : `, noise of the first language ${firstNoise} times the others'`;
  return [
    `${items} items in ${languages} languages, ${folds} folds${noise}; ${coverage[0]!.units} units an effect:`,
    '',
    `| score | ${effects.map((effect) => `effect ${effect}`).join(' | ')} |`,
    `| --- |${' ---: |'.repeat(effects.length)}`,
    ...scores.map((score) => `| ${score} | ${effects.map((effect) => cell(score, effect)).join(' | ')} |`),
    '',
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
