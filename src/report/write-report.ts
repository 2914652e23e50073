import { dirname, join } from 'node:path';
import type { Comparison } from '../compare/index.js';
import { makeFolder, removeStale, writeFileAtomic } from '../store/index.js';
import { renderPng, renderSvgs, withTitle } from './drawing/render.js';
import { isPresent } from './figures/figure.js';
import { buildFigures } from './figures/list.js';
import { buildPage } from './page/page.js';
import { TABLE_NAMES, toCsv } from './tables/report-table.js';
import { buildTables } from './tables/tables.js';
import { plainStrings } from './words/text.js';

export const REPORT_FORMATS = ['html', 'svg', 'png', 'csv'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export interface WriteReportOptions {
  /** Default: all. `html` writes report.html, `svg` and `png` the figures, `csv` the tables. */
  readonly formats?: readonly ReportFormat[];
}

/**
 * Writes `report.html`, `figures/<name>.svg`, `figures/<name>.png` and `tables/<name>.csv`, each whole or not at all;
 * the same comparison gives the same bytes. Returns their paths in that order. A figure the comparison has no numbers
 * for (a change, of one run) has no file, nor has a table without rows, and one of an earlier report is removed; the page says why.
 *
 * @throws OutputError if the folder cannot be written.
 */
export async function writeReport(
  given: Comparison,
  outFolder: string,
  { formats = REPORT_FORMATS }: WriteReportOptions = {},
): Promise<{ readonly files: string[] }> {
  const comparison = plainStrings(given);
  const wanted = new Set(formats);
  const figures = buildFigures(comparison);
  const tables = buildTables(comparison);
  const { files, write } = reportFiles(outFolder);
  if (wanted.has('html')) await write('report.html', await buildPage(comparison, figures));
  const drawn = (['svg', 'png'] as const).filter((format) => wanted.has(format));
  for (const figure of drawn.length === 0 ? [] : figures) {
    const [svg = null] = isPresent(figure) ? await renderSvgs([withTitle(figure)]) : [];
    for (const format of drawn) {
      const png = svg !== null && format === 'png';
      await write(join('figures', `${figure.name}.${format}`), png ? await renderPng(svg) : svg);
    }
  }
  for (const name of wanted.has('csv') ? TABLE_NAMES : []) {
    const table = tables.find((one) => one.name === name);
    await write(join('tables', `${name}.csv`), table === undefined ? null : toCsv(table));
  }
  return { files };
}

/** Writes files of a folder, and says which. */
export function reportFiles(outFolder: string) {
  const files: string[] = [];
  /** Nothing to write: what an earlier report left there goes. */
  const write = async (name: string, content: string | Uint8Array | null) => {
    const path = join(outFolder, name);
    if (content === null) return removeStale(path);
    await makeFolder(dirname(path));
    await writeFileAtomic(path, [typeof content === 'string' ? new TextEncoder().encode(content) : content]);
    files.push(path);
  };
  return { files, write };
}
