import type * as Vega from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import { BabelscopeError } from '../../errors.js';
import type { Figure } from '../figures/figure.js';
import { ellipsize, emWidth, wrap, wrapParts } from '../words/text.js';

/** Pixels a CSS pixel in PNG files. */
const PNG_DENSITY = 2;
/** The density at which sharp draws an SVG at its own size. */
const SVG_DPI = 72;
/** Widest lines, in em: what the narrowest figures have room for. */
const TITLE_WIDTH = 46;
const SUBTITLE_WIDTH = 68;
/** Longest message, in em. */
const LONGEST_REASON = 200;

/** A specification, and the name it has in messages. */
export interface Drawing {
  readonly name: string;
  readonly spec: TopLevelSpec;
}

type Titled = Pick<Figure, 'name' | 'title' | 'subtitle' | 'spec'>;

/** The figure with its title set in it, for a file that stands alone. */
export function withTitle({ name, title, subtitle, spec }: Titled): Drawing {
  const heading = { text: wrap(title, TITLE_WIDTH), subtitle: wrapParts(subtitle, SUBTITLE_WIDTH) };
  return { name, spec: { ...spec, title: heading } as TopLevelSpec };
}

/**
 * SVG text of each drawing; the same drawings give the same bytes. Ids of clips and gradients count on through the
 * list, so that all of them can stand in one page.
 *
 * @throws BabelscopeError that names the drawing, if vega cannot compile or evaluate it.
 */
export function renderSvgs(drawings: readonly Drawing[]): Promise<string[]> {
  const turn = lastTurn.then(() => renderInTurn(drawings));
  lastTurn = turn.catch(() => undefined);
  return turn;
}

/** Draws one figure as the text of an SVG that stands alone, its title in it. */
export async function drawFigure(figure: Titled): Promise<string> {
  const [svg] = await renderSvgs([withTitle(figure)]);
  return svg!;
}

/** vega counts ids and measures text in module state: one list of figures at a time. */
let lastTurn: Promise<unknown> = Promise.resolve();

async function renderInTurn(drawings: readonly Drawing[]): Promise<string[]> {
  // Loaded where it is needed: it takes a second, and most commands draw nothing.
  const vega = await import('vega');
  const metrics = textMetrics(vega);
  const before = metrics.width;
  // Without this, vega guesses 0.8 em a character, or asks whatever canvas package is installed.
  metrics.width = (item, text) =>
    emWidth(text) * (item.fontSize ?? 11) * (isBold(item.fontWeight) ? 1.07 : 1);
  try {
    vega.resetSVGDefIds();
    const svgs: string[] = [];
    for (const drawing of drawings) svgs.push(await renderOne(vega, drawing));
    return svgs;
  } finally {
    metrics.width = before;
  }
}

async function renderOne(vega: typeof Vega, { name, spec }: Drawing): Promise<string> {
  const { compile } = await import('vega-lite');
  // vega logs what goes wrong and draws the rest: a figure with holes, or none. Either is a fault here.
  const faults: unknown[] = [];
  const logger = vega.logger(vega.Warn);
  logger.error = logger.warn = (...messages: unknown[]) => {
    faults.push(...messages);
    return logger;
  };
  let view: Vega.View | undefined;
  try {
    view = new vega.View(vega.parse(compile(spec, { logger }).spec), { renderer: 'none', logger });
    const svg = await view.toSVG();
    if (faults.length > 0) throw faults[0];
    if (!/ role-mark[^>]*><(path|text)[ >]/.test(svg)) throw new Error('it has no mark');
    return svg;
  } catch (cause) {
    // Some of vega's messages hold the whole specification.
    const why = ellipsize(cause instanceof Error ? cause.message : String(cause), LONGEST_REASON);
    throw new BabelscopeError(
      {
        what: `a figure cannot be drawn: ${why}`,
        where: `figure ${name}`,
        remedy: 'this is a fault of ours: please report it, with the comparison.json',
      },
      { cause },
    );
  } finally {
    view?.finalize();
  }
}

/** Rasterised at twice its size. */
export async function renderPng(svg: string): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  return sharp(Buffer.from(svg), { density: SVG_DPI * PNG_DENSITY })
    .png()
    .toBuffer();
}

interface TextMetrics {
  width: (item: { fontSize?: number; fontWeight?: string | number }, text: string) => number;
}

/** vega's own hook for text measurement (vl-convert uses it too); its types leave it out. */
function textMetrics(vega: typeof Vega): TextMetrics {
  return (vega as unknown as { textMetrics: TextMetrics }).textMetrics;
}

function isBold(weight: string | number | undefined): boolean {
  return weight === 'bold' || Number(weight) >= 600;
}
