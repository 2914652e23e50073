import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// `npm run demo` keeps the figures that the README shows in step with what the demo draws.
const root = fileURLToPath(new URL('..', import.meta.url));
for (const probes of ['facts', 'pydocs']) {
  const target = join(root, 'figures', probes);
  rmSync(target, { recursive: true, force: true });
  cpSync(join(root, 'babelscope-demo', probes, 'figures'), target, { recursive: true });
}
