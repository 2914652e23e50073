import { join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { csvLine, makeFolder, removeStale, writeFileAtomic } from '../store/index.js';
import { renderPng, renderSvgs } from './drawing/render.js';
import { REPORT_FORMATS, type WriteReportOptions } from './write-report.js';

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
  const encode = (text: string) => new TextEncoder().encode(text);
  const drawn = Object.entries(figures).flatMap(([name, spec]) => (spec === null ? [] : [{ name, spec }]));
  const svgs = await renderSvgs(drawn);
  const contents = new Map<string, Uint8Array>();
  for (const [i, { name }] of drawn.entries()) {
    if (formats.includes('svg')) contents.set(join('figures', `${name}.svg`), encode(svgs[i]!));
    if (formats.includes('png')) contents.set(join('figures', `${name}.png`), await renderPng(svgs[i]!));
  }
  for (const [name, rows] of Object.entries(tables)) {
    if (rows === null || !formats.includes('csv')) continue;
    contents.set(join('tables', `${name}.csv`), encode(rows.map(csvLine).join('')));
  }
  await makeFolder(join(outFolder, 'figures'));
  await makeFolder(join(outFolder, 'tables'));
  for (const [name, spec] of Object.entries(figures)) {
    if (spec !== null) continue;
    for (const format of ['svg', 'png']) await removeStale(join(outFolder, 'figures', `${name}.${format}`));
  }
  for (const [name, rows] of Object.entries(tables)) {
    if (rows === null) await removeStale(join(outFolder, 'tables', `${name}.csv`));
  }
  for (const [name, bytes] of contents) await writeFileAtomic(join(outFolder, name), [bytes]);
  return { files: [...contents.keys()].map((name) => join(outFolder, name)) };
}
