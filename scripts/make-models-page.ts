/**
 * Measures parity with transformers and writes docs/models.md:
 *
 *     npm run make-models-page              # measures, then writes
 *     npm run make-models-page -- --keep    # writes from the last measurement
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { PAGE, PARITY, renderPage } from './models-page.js';

if (!process.argv.includes('--keep')) {
  execFileSync(
    'npx',
    ['vitest', 'run', 'test/models/parity.test.ts', '--testNamePattern', 'at every hook point'],
    {
      stdio: 'inherit',
      env: { ...process.env, PARITY_TABLE: PARITY },
    },
  );
}
mkdirSync(dirname(PAGE), { recursive: true });
writeFileSync(PAGE, renderPage());
