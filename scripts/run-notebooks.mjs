import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

// Executes every notebook: node scripts/run-notebooks.mjs [python] [folder for the executed notebooks]
// The Python given (default: python3) must have notebooks/requirements.txt; `dist/` must be built. Without a folder, outputs
// are written into the notebooks themselves.
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'notebooks');
const [python = 'python3', target = folder] = process.argv.slice(2);

// Jupyter finds the Deno kernel, which npm installed, in a folder of our own.
const jupyter = mkdtempSync(join(tmpdir(), 'babelscope-jupyter-'));
const kernel = join(jupyter, 'kernels/deno');
mkdirSync(kernel, { recursive: true });
const deno = join(root, 'node_modules/.bin/deno');
writeFileSync(
  join(kernel, 'kernel.json'),
  JSON.stringify({
    argv: [deno, 'jupyter', '--kernel', '--conn', '{connection_file}'],
    display_name: 'Deno',
    language: 'typescript',
  }),
);

try {
  rmSync(join(folder, 'out'), { recursive: true, force: true });
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.ipynb'))) {
    const start = performance.now();
    const into = ['--output-dir', resolve(target), '--output', name];
    execFileSync(python, ['-m', 'nbconvert', '--to', 'notebook', '--execute', ...into, name], {
      cwd: folder,
      stdio: 'inherit',
      env: { ...process.env, JUPYTER_PATH: jupyter, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' },
    });
    console.log(`${name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
} finally {
  rmSync(jupyter, { recursive: true, force: true });
}
