import { join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { csvLine } from '../store/index.js';
import { renderPng, renderSvgs } from './drawing/render.js';
import { REPORT_FORMATS, reportFiles, type WriteReportOptions } from './write-report.js';

/** Figures and tables of an import, which has no page. null: there is nothing to draw, and an earlier file goes. */
export interface Drawings {
  readonly figures: Readonly<Record<string, TopLevelSpec | null>>;
  /** Rows of each table, its head first. */
  readonly tables: Readonly<Record<string, readonly (readonly (string | number | null)[])[] | null>>;
}

/** Writes `figures/<name>.svg`, `.png` and `tables/<name>.csv`, those that `formats` name. @throws OutputError */
export async function writeDrawings(
  { figures, tables }: Drawings,
  outFolder: string,
  { formats = REPORT_FORMATS }: WriteReportOptions,
): Promise<{ readonly files: string[] }> {
  const { files, write } = reportFiles(outFolder);
  const drawn = Object.entries(figures).flatMap(([name, spec]) => (spec === null ? [] : [{ name, spec }]));
  const svgs = await renderSvgs(drawn);
  for (const name of Object.keys(figures)) {
    const svg = svgs[drawn.findIndex((drawing) => drawing.name === name)] ?? null;
    for (const format of ['svg', 'png'] as const) {
      if (svg !== null && !formats.includes(format)) continue;
      const png = svg !== null && format === 'png';
      await write(join('figures', `${name}.${format}`), png ? await renderPng(svg) : svg);
    }
  }
  for (const [name, rows] of Object.entries(tables)) {
    if (rows !== null && !formats.includes('csv')) continue;
    await write(join('tables', `${name}.csv`), rows === null ? null : rows.map(csvLine).join(''));
  }
  return { files };
}
