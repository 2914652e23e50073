import { join } from 'node:path';
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
  const files: string[] = [];
  const write = async (folder: string, name: string, content: string | Uint8Array) => {
    await makeFolder(folder);
    const path = join(folder, name);
    await writeFileAtomic(path, [typeof content === 'string' ? new TextEncoder().encode(content) : content]);
    files.push(path);
  };
  if (wanted.has('html')) await write(outFolder, 'report.html', await buildPage(comparison, figures));
  const tables = buildTables(comparison);
  const made = new Set([...figures.filter(isPresent), ...tables].map(({ name }) => name as string));
  const names = { figures: figures.map(({ name }) => name), tables: TABLE_NAMES };
  for (const format of wanted) {
    if (format === 'html') continue;
    const kind = format === 'csv' ? 'tables' : 'figures';
    for (const name of names[kind]) {
      if (!made.has(name)) await removeStale(join(outFolder, kind, `${name}.${format}`));
    }
  }
  if (wanted.has('svg') || wanted.has('png')) {
    for (const figure of figures.filter(isPresent)) {
      const [svg = ''] = await renderSvgs([withTitle(figure)]);
      if (wanted.has('svg')) await write(join(outFolder, 'figures'), `${figure.name}.svg`, svg);
      if (wanted.has('png'))
        await write(join(outFolder, 'figures'), `${figure.name}.png`, await renderPng(svg));
    }
  }
  if (wanted.has('csv')) {
    for (const table of tables) {
      await write(join(outFolder, 'tables'), `${table.name}.csv`, toCsv(table));
    }
  }
  return { files };
}
