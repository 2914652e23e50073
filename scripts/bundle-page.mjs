import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

// The report is one file that works offline, so everything its script needs is bundled here, at build time.
const root = fileURLToPath(new URL('..', import.meta.url));
const outfile = join(root, 'dist/report/page-client.bundle.js');
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/report/page/page-client.mjs'],
  outfile,
  bundle: true,
  minify: true,
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  charset: 'ascii',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});

// It stands between <script> tags: either sequence would end or swallow the script.
const bundle = readFileSync(outfile, 'utf8');
for (const forbidden of ['</script', '<!--']) {
  if (bundle.toLowerCase().includes(forbidden)) throw new Error(`${outfile} contains ${forbidden}`);
}

// Their licences ask that the notices travel with the code.
const packages = new Set(
  Object.keys(metafile.inputs).flatMap(
    (input) => input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1] ?? [],
  ),
);
const notices = [...packages].sort().map((name) => {
  const folder = join(root, 'node_modules', name);
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text =
    file !== undefined && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : '';
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
});
writeFileSync(join(root, 'dist/report/page-client.licences.txt'), notices.join(`\n${'-'.repeat(80)}\n\n`));
