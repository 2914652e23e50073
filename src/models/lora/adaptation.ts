import { join } from 'node:path';
import {
  ADAPTER_WEIGHTS,
  type Adapter,
  isTargeted,
  rankAndScale,
  type WeightTensor,
} from '../../checkpoint/index.js';
import { CheckpointError, listed } from '../../errors.js';
import type { WeightSource } from '../layers/weights.js';

/** A LoRA adapter adds this to the weight [out, in] of a linear layer: scale · B·A (Hu et al. 2021). */
export interface LowRankUpdate {
  /** [rank, in] */
  readonly a: WeightTensor;
  /** [out, rank] */
  readonly b: WeightTensor;
  readonly scale: number;
}

/** Finds the update of the linear layer of that name and shape [out, in]; null where the adapter has none. */
export type LowRankSource = (name: string, shape: readonly [number, number]) => LowRankUpdate | null;

/** PEFT's names of what is in the base model begin so. */
const PREFIX = 'base_model.model.';
const LOW_RANK = /^(.+)\.lora_([AB])\.weight$/;

/** A source of weights with the adapter in it. */
export interface AdaptedSource {
  readonly source: WeightSource;
  readonly lowRank: LowRankSource;
  /** @throws CheckpointError as `Adaptation.checkUse` does */
  readonly checkUse: () => void;
}

export function adaptedSource(adapter: Adapter | null, base: WeightSource): AdaptedSource {
  if (adapter === null) return { source: base, lowRank: () => null, checkUse: () => {} };
  const adaptation = new Adaptation(adapter);
  return {
    source: (name, shape) => adaptation.replacement(name, shape) ?? base(name, shape),
    lowRank: (name, shape) => adaptation.lowRank(name, shape),
    checkUse: () => adaptation.checkUse(),
  };
}

/**
 * The tensors of an adapter by the modules and weights that the graphs ask for, and a record of what was asked for, so
 * that nothing in the adapter is passed over in silence.
 */
class Adaptation {
  readonly #adapter: Adapter;
  /** A and B of each adapted module. */
  readonly #modules = new Map<string, { A?: WeightTensor; B?: WeightTensor }>();
  /** Weights that the adapter holds whole (`modules_to_save`). */
  readonly #replacements = new Map<string, WeightTensor>();
  readonly #used = new Set<string>();
  /** How many graphs asked for a whole weight. */
  readonly #replaced = new Map<string, number>();
  readonly #absent: string[] = [];

  constructor(adapter: Adapter) {
    this.#adapter = adapter;
    for (const tensor of adapter.tensors.values()) {
      const name = tensor.name.startsWith(PREFIX) ? tensor.name.slice(PREFIX.length) : tensor.name;
      const [, module, matrix] = LOW_RANK.exec(name) ?? [];
      if (module === undefined) this.#replacements.set(name, tensor);
      else this.#modules.set(module, { ...this.#modules.get(module), [matrix as 'A' | 'B']: tensor });
    }
  }

  /**
   * The update of a linear layer; null for one that the adapter leaves alone.
   *
   * @param name of the layer in the model, as PEFT has it
   * @throws CheckpointError if a matrix is missing, of another shape than rank and layer imply, or not targeted
   */
  lowRank(name: string, [outSize, inSize]: readonly [number, number]): LowRankUpdate | null {
    const { config } = this.#adapter;
    const found = this.#modules.get(name);
    if (found === undefined) {
      if (isTargeted(config, name, !inLayer(name))) this.#absent.push(name);
      return null;
    }
    if (!isTargeted(config, name, !inLayer(name))) {
      throw this.#unusable(`the configuration does not target ${name}, of which there are matrices`, {
        expected: `target_modules ${JSON.stringify(config.target_modules).slice(0, 200)}`,
      });
    }
    const { rank, scale } = rankAndScale(config, name);
    const matrix = (letter: 'A' | 'B', shape: readonly number[]): WeightTensor => {
      const tensor = found[letter];
      if (tensor === undefined) throw this.#unusable(`${name} has no lora_${letter}`, {});
      this.#used.add(tensor.name);
      return this.#shaped(tensor, shape);
    };
    return { a: matrix('A', [rank, inSize]), b: matrix('B', [outSize, rank]), scale };
  }

  /** A weight that the adapter holds whole; null for one of the base. @throws CheckpointError if its shape differs */
  replacement(name: string, shape: readonly number[]): WeightTensor | null {
    const tensor = this.#replacements.get(name);
    if (tensor === undefined) return null;
    this.#used.add(tensor.name);
    this.#replaced.set(name, (this.#replaced.get(name) ?? 0) + 1);
    return this.#shaped(tensor, shape);
  }

  /**
   * To be called when every graph has been written once.
   *
   * @throws CheckpointError if the adapter holds tensors that no graph asked for, lacks some that its configuration
   *   promises, or trains an embedding that the base ties to its unembedding
   */
  checkUse(): void {
    const unused = [...this.#adapter.tensors.keys()].filter((name) => !this.#used.has(name));
    if (unused.length > 0) {
      throw this.#unusable(
        `${unused.length} of ${this.#adapter.tensors.size} tensors match nothing in the model`,
        {
          found: listed(unused, 5),
          remedy: unused.some((name) => name.includes('lora_embedding_'))
            ? 'adapted embeddings are not supported: merge the adapter into its base with PEFT'
            : 'the adapter was made for another base, or for modules that cannot be adapted here: merge it with PEFT',
        },
      );
    }
    if (this.#absent.length > 0) {
      throw this.#unusable('there are no matrices of modules that the configuration targets', {
        expected: listed(this.#absent, 5),
        remedy: 'save the adapter again, or take the modules out of target_modules',
      });
    }
    for (const [name, graphs] of this.#replaced) {
      if (inLayer(name) || graphs < 2) continue;
      throw this.#unusable(
        'a trained embedding on a base that ties embedding and unembedding is not supported',
        {
          found: name,
          remedy: 'merge the adapter into its base with PEFT, and look whether the result is tied',
        },
      );
    }
  }

  #shaped(tensor: WeightTensor, shape: readonly number[]): WeightTensor {
    if (tensor.shape.join() === shape.join()) return tensor;
    throw this.#unusable(
      `tensor ${JSON.stringify(tensor.name)} has another shape than base and configuration imply`,
      {
        expected: `[${shape.join(', ')}]`,
        found: `[${tensor.shape.join(', ')}]`,
      },
    );
  }

  #unusable(
    what: string,
    {
      remedy = 'check that the adapter belongs to this base, and save it again',
      ...details
    }: {
      readonly expected?: string;
      readonly found?: string;
      readonly remedy?: string;
    },
  ): CheckpointError {
    return new CheckpointError({
      what,
      where: join(this.#adapter.folder, ADAPTER_WEIGHTS),
      ...details,
      remedy,
    });
  }
}

/** Modules of layers have the layer's number in their name; embedding, last norm and unembedding have none. */
function inLayer(name: string): boolean {
  return /\.\d+\./.test(name);
}
