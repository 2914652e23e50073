import { exclusivity, topLanguage } from '../scores/index.js';
import type { ExpertMap } from './comparison.js';
import type { SubsetScores } from './inputs/layer-scores.js';
import { finiteOrNullEach, LayerRows } from './numbers.js';

/** Collects, layer by layer, what an `ExpertMap` says of a run's experts. */
export class ExpertMapBuilder {
  readonly #languages: number;
  readonly #frequency = new LayerRows();
  readonly #exclusivity = new LayerRows();
  readonly #lape = new LayerRows();
  readonly #topLanguage = new LayerRows();

  constructor(languages: number) {
    this.#languages = languages;
  }

  /** Adds experts of a layer over all folds; `rates` are selection frequencies [language, expert]. They come in order. */
  add(layer: number, { rates, scopes }: Pick<SubsetScores, 'rates' | 'scopes'>): void {
    const languages = this.#languages;
    const experts = rates.length / languages;
    const mean = new Float64Array(experts);
    for (const [at, rate] of rates.entries()) mean[at % experts]! += rate / languages;
    this.#frequency.add(layer, finiteOrNullEach(mean));
    this.#exclusivity.add(layer, finiteOrNullEach(exclusivity(rates, languages)));
    this.#lape.add(layer, finiteOrNullEach(scopes[0]!.lape));
    this.#topLanguage.add(
      layer,
      Array.from(topLanguage(rates, languages), (k) => (k === -1 ? null : k)),
    );
  }

  finish(label: string): ExpertMap {
    return {
      label,
      frequency: this.#frequency.rows,
      exclusivity: this.#exclusivity.rows,
      lape: this.#lape.rows,
      topLanguage: this.#topLanguage.rows,
    };
  }
}
