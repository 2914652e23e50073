import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { transpileSources } from './transpile-sources.js';

const inRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Makes what tests need besides the sources, in a second, so that one test runs right after `npm ci`. */
export async function setup(project: TestProject): Promise<void> {
  await transpileSources();
  project.onTestsRerun(transpileSources);
  await bundlePage();
}

/** The report page's script is bundled before the tests, unless the bundle is newer than what it is made of. */
export async function bundlePage(): Promise<void> {
  const bundle = inRoot('dist/report/page-client.bundle.js');
  const made = existsSync(bundle) ? statSync(bundle).mtimeMs : 0;
  const sources = ['src/report/page/page-client.mjs', 'package-lock.json'].map(inRoot);
  if (sources.every((source) => statSync(source).mtimeMs < made)) return;
  await import('../../scripts/bundle-page.mjs' as string);
}
