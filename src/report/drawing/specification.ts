import type { TopLevelSpec } from 'vega-lite';
import { CONFIG } from './theme.js';

/** The parts every specification shares, around what one figure draws. */
export function specification(body: object): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    config: CONFIG,
    ...body,
  } as TopLevelSpec;
}

/** A channel of numbers. */
export function numeric(field: string, more: object = {}) {
  return { field, type: 'quantitative', ...more };
}

/** A channel of names. */
export function nominal(field: string, more: object = {}) {
  return { field, type: 'nominal', ...more };
}

/** Title of a panel, and lines below it. */
export function panelTitle(text: string | readonly string[], subtitle: readonly string[]): object {
  return {
    text,
    subtitle,
    fontSize: 11,
    fontWeight: 'bold',
    anchor: 'start',
    subtitlePadding: 2,
    subtitleLineHeight: 13,
  };
}

/**
 * Fields that a tooltip shows, each with its heading and, if it has one, its format. Headings become code in the
 * browser: no name that comes from a user may stand there.
 */
export function tooltip(fields: Readonly<Record<string, string | readonly [string, string]>>): object[] {
  return Object.entries(fields).map(([field, heading]) =>
    typeof heading === 'string'
      ? { field, title: heading }
      : { field, title: heading[0], format: heading[1] },
  );
}

/** Channel x of whole layers. */
export function layerAxis(layers: number, wanted: number): object {
  return numeric('layer', {
    title: 'layer',
    scale: { domain: [0, Math.max(1, layers - 1)], nice: false },
    axis: { values: layerTicks(layers, wanted), format: 'd', grid: false },
  });
}

/** Tick values at whole layers, first and last included, about `wanted` of them. */
export function layerTicks(layers: number, wanted: number): number[] {
  const step = Math.max(1, Math.ceil((layers - 1) / Math.max(1, wanted - 1)));
  return Array.from({ length: Math.ceil(layers / step) }, (_, i) => i * step);
}
