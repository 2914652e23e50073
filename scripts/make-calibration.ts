/**
 * Measures what intervals cover, how p-values are spread under the null and how many discoveries are false, on simulated
 * units of known truth, and rewrites figures/validation/calibration.{json,md,svg,png}.
 *
 *     npm run build
 *     npx tsx scripts/make-calibration.ts [--units 2000] [--sets 200] [--figure]
 *
 * `--figure` only draws what was measured before. About seven minutes of one core.
 */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { renderPng, renderSvgs } from '../src/report/render.js';
import { formatJson } from '../src/store/format-json.js';
import type { Calibration } from '../src/validation/calibration.js';
import { VERSION } from '../src/version.js';
import { calibrationFigure } from './calibration-figure.js';

const { calibrate }: typeof import('../src/validation/calibration.js') = await import(
  new URL('../dist/validation/calibration.js', import.meta.url).href
);

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
const started = Date.now();
if (!options.figure) {
  const measured = await calibrate({
    units: Number(options.units),
    sets: Number(options.sets),
    onProgress: (step) =>
      console.error(`${((Date.now() - started) / 1000).toFixed(0).padStart(5)} s  ${step}`),
  });
  await writeFile(
    numbers,
    `${formatJson({ schema: 'babelscope/calibration', babelscope: VERSION, ...measured })}\n`,
  );
}
const calibration = JSON.parse(readFileSync(numbers, 'utf8')) as Calibration;
await writeFile(join(FIGURES, 'calibration.md'), table(calibration));
const [svg] = await renderSvgs([{ name: 'calibration', spec: calibrationFigure(calibration) }]);
await writeFile(join(FIGURES, 'calibration.svg'), `${svg}\n`);
await writeFile(join(FIGURES, 'calibration.png'), await renderPng(svg!));

function table(calibration: Calibration): string {
  const { coverage, uniformity, falseDiscoveries, items, languages, folds, set } = calibration;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    '# Calibration on simulated units',
    '',
    `${items} items in ${languages} languages, ${folds} folds; the first language lies higher by the effect, in standard deviations of the noise. Made by \`scripts/make-calibration.ts\`.`,
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
