import type { TopLevelSpec } from 'vega-lite';
import type { Comparison } from '../../compare/index.js';
import { measuredOn } from '../words/measured-on.js';

/** A figure of the report: one vega-lite specification and the words that belong to it. */
export interface Figure extends Drawn {
  /** File name without extension, and anchor in the page. */
  readonly name: string;
  /** Names the figure in the contents of the page. */
  readonly short: string;
  /** Says what was measured. */
  readonly title: string;
  /** Says on what it was measured. */
  readonly subtitle: string;
}

/** A figure that this comparison has no numbers for. */
export interface AbsentFigure {
  readonly name: string;
  readonly title: string;
  readonly reason: string;
}

export interface Drawn {
  /** Without title: a page and a file set it differently. */
  readonly spec: TopLevelSpec;
  /** Says in sentences generated from the numbers what they say. */
  readonly caption: string;
  /** Describes the picture to whoever does not see it; the caption and the tables have the numbers. */
  readonly alt: string;
}

interface FigureParts<Name extends string, Needed extends object> {
  readonly name: Name;
  readonly short: string;
  readonly title: (comparison: Comparison) => string;
  /** Finds what the figure draws; a sentence instead says why this comparison lacks it. */
  readonly needs: (comparison: Comparison) => Needed | string;
  readonly build: (comparison: Comparison, needed: Needed) => Drawn;
  /** Tells where the figure makes sense at all: elsewhere it is not even missing. */
  readonly concerns?: ((comparison: Comparison) => boolean) | undefined;
}

/** One entry of the list of figures. */
export interface FigureDefinition<Name extends string = string> {
  readonly name: Name;
  readonly concerns: (comparison: Comparison) => boolean;
  /** Draws a comparison whose strings are plain (`plainStrings`). */
  readonly of: (comparison: Comparison) => Figure | AbsentFigure;
}

/** Makes a figure's entry for the list from its parts. */
export function defineFigure<const Name extends string, Needed extends object>({
  name,
  short,
  title: titleOf,
  needs,
  build,
  concerns = () => true,
}: FigureParts<Name, Needed>): FigureDefinition<Name> {
  return {
    name,
    concerns,
    of: (comparison) => {
      const title = titleOf(comparison);
      const needed = needs(comparison);
      if (typeof needed === 'string') return { name, title, reason: needed };
      return { name, short, title, subtitle: measuredOn(comparison), ...build(comparison, needed) };
    },
  };
}

/** Said by figures of changes where a single run is described. */
export const ONE_RUN = 'One run: description only, no change is measured.';

/** Sentences one after the other, without those that are empty. */
export function sentences(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}

export function isPresent(figure: Figure | AbsentFigure): figure is Figure {
  return 'spec' in figure;
}
