import { createRequire } from 'node:module';

const packageJson: unknown = createRequire(import.meta.url)('onnxruntime-node/package.json');

/** Version of onnxruntime that runs the graphs. */
export const ONNXRUNTIME_VERSION = (packageJson as { version: string }).version;
