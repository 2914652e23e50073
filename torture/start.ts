/**
 * The trials of what may befall files and processes: `npm run torture`. Transpiles the sources as the tests do, and lets the
 * trials run on them.
 */
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { bundlePage } from '../test/support/global-setup.js';
import { TRANSPILED, transpileSources } from '../test/support/transpile-sources.js';

await transpileSources();
await bundlePage();

// The trials import the sources where they were transpiled to: threads start from there in a tenth of the time.
const [from, to] = [new URL('../src/', import.meta.url).href, `${pathToFileURL(TRANSPILED).href}/`];
const hook = `export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  if (!found.url.startsWith('${from}')) return found;
  return { ...found, url: found.url.replace('${from}', '${to}').replace(/\\.ts(\\?.*)?$/, '.js'), format: 'module' };
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

const { main } = await import('./main.js');
process.exitCode = await main(process.argv.slice(2));
