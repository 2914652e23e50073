import sharp from 'sharp';
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Figure } from './figure.js';
import { emWidth, wrap, wrapParts } from './text.js';

/** Pixels a CSS pixel in PNG files. */
const PNG_DENSITY = 2;
/** The density at which sharp draws an SVG at its own size. */
const SVG_DPI = 72;
/** Widest lines, in em: what the narrowest figures have room for. */
const TITLE_WIDTH = 46;
const SUBTITLE_WIDTH = 68;

/** The specification with its title set in the figure, for a file that stands alone. */
export function withTitle({ title, subtitle, spec }: Figure): TopLevelSpec {
  return {
    ...spec,
    title: { text: wrap(title, TITLE_WIDTH), subtitle: wrapParts(subtitle, SUBTITLE_WIDTH) },
  } as TopLevelSpec;
}

/**
 * SVG text of each specification; the same specifications give the same bytes. Ids of clips and gradients count on
 * through the list, so that all of them can stand in one page.
 */
export function renderSvgs(specs: readonly TopLevelSpec[]): Promise<string[]> {
  const turn = lastTurn.then(() => renderInTurn(specs));
  lastTurn = turn.catch(() => undefined);
  return turn;
}

/** vega counts ids and measures text in module state: one list of figures at a time. */
let lastTurn: Promise<unknown> = Promise.resolve();

async function renderInTurn(specs: readonly TopLevelSpec[]): Promise<string[]> {
  const metrics = textMetrics();
  const before = metrics.width;
  // Without this, vega guesses 0.8 em a character, or asks whatever canvas package is installed.
  metrics.width = (item, text) =>
    emWidth(text) * (item.fontSize ?? 11) * (isBold(item.fontWeight) ? 1.07 : 1);
  try {
    vega.resetSVGDefIds();
    const svgs: string[] = [];
    for (const spec of specs) {
      const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
      try {
        svgs.push(await view.toSVG());
      } finally {
        view.finalize();
      }
    }
    return svgs;
  } finally {
    metrics.width = before;
  }
}

/** Rasterised at twice its size. */
export function renderPng(svg: string): Promise<Buffer> {
  return sharp(Buffer.from(svg), { density: SVG_DPI * PNG_DENSITY })
    .png()
    .toBuffer();
}

interface TextMetrics {
  width: (item: { fontSize?: number; fontWeight?: string | number }, text: string) => number;
}

/** vega's own hook for text measurement (vl-convert uses it too); its types leave it out. */
function textMetrics(): TextMetrics {
  return (vega as unknown as { textMetrics: TextMetrics }).textMetrics;
}

function isBold(weight: string | number | undefined): boolean {
  return weight === 'bold' || Number(weight) >= 600;
}
