/** Writes docs/cli.md from the commands' own definitions: `npx tsx scripts/make-cli-doc.ts`. */
import { writeFileSync } from 'node:fs';
import { CLI_PAGE, renderCliPage } from './cli-page.js';

writeFileSync(CLI_PAGE, await renderCliPage());
