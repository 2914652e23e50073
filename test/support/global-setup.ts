import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const inRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The report page's script is bundled before the tests, unless the bundle is newer than what it is made of. */
export async function setup(): Promise<void> {
  const bundle = inRoot('dist/report/page-client.bundle.js');
  const made = existsSync(bundle) ? statSync(bundle).mtimeMs : 0;
  const sources = ['src/report/page/page-client.mjs', 'package-lock.json'].map(inRoot);
  if (sources.every((source) => statSync(source).mtimeMs < made)) return;
  await import('../../scripts/bundle-page.mjs' as string);
}
