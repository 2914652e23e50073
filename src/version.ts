import { readFileSync } from 'node:fs';

const packageJson: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** This package's version, as every artefact records it. */
export const VERSION = (packageJson as { version: string }).version;
