/**
 * Makes test/fixtures/planted: the tiny test checkpoint with neurons and heads of graded strength planted among levelled
 * neurons. With arguments, plants in another checkpoint instead:
 *
 *     npx tsx validation/make-planted.ts
 *     npx tsx validation/make-planted.ts <checkpoint> <probes> <out> [strength,strength,…]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plantUnits } from '../src/planted/index.js';
import { TINY_PLANT, TINY_PROBES, writeTinyCheckpoint } from '../test/support/planted-checkpoint.js';

const FIXTURE = fileURLToPath(new URL('../test/fixtures/planted', import.meta.url));

const [checkpoint, probes, out, strengths = '0.5,1,2'] = process.argv.slice(2);
if (checkpoint === undefined) {
  const work = mkdtempSync(join(tmpdir(), 'babelscope-planted-'));
  try {
    writeTinyCheckpoint(join(work, 'tiny'));
    rmSync(join(work, 'tiny', 'expected.safetensors')); // reference activations, no weights
    rmSync(FIXTURE, { recursive: true, force: true });
    await plantUnits({ ...TINY_PLANT, checkpoint: join(work, 'tiny'), probes: TINY_PROBES, out: FIXTURE });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  console.log(FIXTURE);
} else if (probes === undefined || out === undefined) {
  console.error('usage: make-planted.ts [<checkpoint> <probes> <out> [strength,strength,…]]');
  process.exitCode = 2;
} else {
  const { units } = await plantUnits({
    checkpoint,
    probes,
    out,
    units: { neurons: 17, heads: 1, strengths: strengths.split(',').map(Number) },
  });
  for (const { type, layer, index, language, strength, realised } of units) {
    console.log(
      `${type} ${layer}/${index}\t${language}\tstrength ${strength}, as stored ${realised.toFixed(3)}`,
    );
  }
}
