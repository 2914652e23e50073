import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// `npm run demo` runs the built demo; after `--full`, the figures that the README shows are those it drew.
const root = fileURLToPath(new URL('..', import.meta.url));
const given = process.argv.slice(2);
const { status } = spawnSync(process.execPath, ['dist/cli/main.js', 'demo', ...given], {
  cwd: root,
  stdio: 'inherit',
});
if (status === 0 && given.includes('--full') && !given.includes('--out')) {
  for (const probes of ['facts', 'pydocs']) {
    const target = join(root, 'figures', probes);
    rmSync(target, { recursive: true, force: true });
    cpSync(join(root, 'babelscope-demo', probes, 'figures'), target, { recursive: true });
  }
}
process.exitCode = status ?? 1;
