import {
  type ImportOptions,
  type ImportResult,
  importFiles,
  type SourceFile,
} from '../../src/interchange/index.js';

type Options = Omit<ImportOptions, 'format'>;

/** Imports files that become a run, and gives its manifest. */
export async function importRun(format: string, sources: readonly SourceFile[], options: Options) {
  const result = await importFiles(sources, { format, ...options });
  return (result as Extract<ImportResult, { becomes: 'run' }>).manifest;
}

/** Imports files, of no named language, that become a selection, and gives its description and notes. */
export async function importSelection(format: string, paths: readonly string[], options: Options) {
  const sources = paths.map((path) => ({ path, language: null }));
  const result = await importFiles(sources, { format, ...options });
  const { description, notes } = result as Extract<ImportResult, { becomes: 'selection' }>;
  return { ...description, notes };
}
