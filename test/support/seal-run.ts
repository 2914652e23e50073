import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { sha256OfFile } from '../../src/store/integrity/checksum.js';
import type { RunManifest } from '../../src/store/run/manifest.js';
import { layerName, layerPath, manifestPath, writeManifest } from '../../src/store/run/run-folder.js';

/** Lists the layers that lie in a run's folder in its manifest, as merging would. Default: the manifest that is there. */
export async function sealRun(folder: string, manifest?: RunManifest): Promise<void> {
  const sealed = manifest ?? (JSON.parse(await readFile(manifestPath(folder), 'utf8')) as RunManifest);
  const files = [];
  for (let layer = 0; layer < sealed.shape.layers; layer++) {
    const path = layerPath(folder, layer);
    if (existsSync(path)) files.push([layerName(layer), await sha256OfFile(path)] as const);
  }
  await writeManifest(folder, sealed, Object.fromEntries(files), 'babelscope capture … --out <folder>');
}
