import { join } from 'node:path';
import { makeFolder } from '../../src/store/files/write-file-atomic.js';

/** Makes a run's folder with its `parts/` and `layers/`; an existing one is kept. @throws OutputError */
export async function createRunFolder(folder: string): Promise<void> {
  await makeFolder(join(folder, 'parts'));
  await makeFolder(join(folder, 'layers'));
}
