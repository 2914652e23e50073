import { exclusivity } from '../scores/exclusivity.js';
import { topLanguage } from '../scores/top-language.js';
import type { SubsetScores } from './layer-scores.js';
import { finiteOrNullEach } from './numbers.js';
import type { ExpertMap } from './types.js';

/** Collects, layer by layer, what an `ExpertMap` says of a run's experts. */
export class ExpertMapBuilder {
  readonly #languages: number;
  readonly #frequency: (number | null)[][] = [];
  readonly #exclusivity: (number | null)[][] = [];
  readonly #lape: (number | null)[][] = [];
  readonly #topLanguage: (number | null)[][] = [];

  constructor(languages: number) {
    this.#languages = languages;
  }

  /** Adds a layer over all folds; `rates` are selection frequencies [language, expert]. Layers come in order. */
  add({ rates, scopes }: Pick<SubsetScores, 'rates' | 'scopes'>): void {
    const languages = this.#languages;
    const experts = rates.length / languages;
    const mean = new Float64Array(experts);
    for (const [at, rate] of rates.entries()) mean[at % experts]! += rate / languages;
    this.#frequency.push(finiteOrNullEach(mean));
    this.#exclusivity.push(finiteOrNullEach(exclusivity(rates, languages)));
    this.#lape.push(finiteOrNullEach(scopes[0]!.lape));
    this.#topLanguage.push(Array.from(topLanguage(rates, languages), (k) => (k === -1 ? null : k)));
  }

  finish(label: string): ExpertMap {
    return {
      label,
      frequency: this.#frequency,
      exclusivity: this.#exclusivity,
      lape: this.#lape,
      topLanguage: this.#topLanguage,
    };
  }
}
