import type { LoraConfig } from './lora/lora-config.js';

/** Storage types of weights that graphs can read where they lie. */
export type WeightDtype = 'F64' | 'F32' | 'F16' | 'BF16';

/** Where one weight lies on disk; nothing of it has been read. */
export interface WeightTensor {
  readonly name: string;
  readonly dtype: WeightDtype;
  readonly shape: readonly number[];
  /** Path of the file relative to `Checkpoint.weightsRoot`, `/`-separated, without `..` and not through a symlink that leaves it. */
  readonly location: string;
  /** Bytes from the start of the file (8 + header length + data offset). */
  readonly offset: number;
  readonly byteLength: number;
}

/** A stored tensor whose type holds no weights on its own: an I64 buffer, or one of the two tensors of a quantised weight. */
export interface UnreadableTensor extends Omit<WeightTensor, 'dtype'> {
  /** As the safetensors header names it, for example `I64` or `F8_E4M3`. */
  readonly dtype: string;
}

/** A PEFT LoRA adapter to be applied to a checkpoint; nothing of its weights has been read. */
export interface Adapter {
  /** Absolute path of its folder. */
  readonly folder: string;
  /** Branch, tag or commit that was asked for with `hf://org/name@ref`; null for a folder. */
  readonly ref: string | null;
  readonly config: LoraConfig;
  /** By the name in adapter_model.safetensors; locations relative to `Checkpoint.weightsRoot`. */
  readonly tensors: ReadonlyMap<string, WeightTensor>;
  /** Warnings that a run with it should give. */
  readonly warnings: readonly string[];
}

/** Types in which quantised weights are stored, to be read together with their scales. */
export type PackedDtype = 'F8_E4M3' | 'U8';

/** A stored tensor of a quantised weight. */
export interface PackedTensor extends UnreadableTensor {
  readonly dtype: PackedDtype;
}

/** A weight that is stored in two tensors: small numbers, and the scales of blocks of them. */
export type QuantisedWeight =
  | {
      readonly kind: 'fp8';
      /** E4M3 [out, in] */
      readonly values: PackedTensor;
      /** One a block, row-major. */
      readonly scale: WeightTensor;
      /** Rows and columns of a block; those at the edges may be smaller. */
      readonly block: readonly [rows: number, columns: number];
    }
  | {
      readonly kind: 'mxfp4';
      /** Two E2M1 numbers a byte of a weight [in, out], as [out, groups of in, bytes]. */
      readonly blocks: PackedTensor;
      /** E8M0, [out, groups of in] */
      readonly scales: PackedTensor;
    };

/** A Hugging Face checkpoint folder, opened: configuration parsed, weights located, nothing loaded. */
export interface Checkpoint {
  /** Absolute path of the folder. */
  readonly folder: string;
  /** Branch, tag or commit that was asked for with `hf://org/name@ref`; null for a checkpoint given as a folder. */
  readonly ref: string | null;
  /** config.json as it stands. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Directory that the runtime resolves `WeightTensor.location` against. */
  readonly weightsRoot: string;
  /** By the name in the safetensors header. Empty for a folder with only a config.json. */
  readonly tensors: ReadonlyMap<string, WeightTensor>;
  /** Stored tensors left out of `tensors` because of their type. */
  readonly unreadable: ReadonlyMap<string, UnreadableTensor>;
  readonly adapter: Adapter | null;
  /** Warnings about the folder that a run with it should give: files that lie beside and were not read, and their like. */
  readonly warnings: readonly string[];
  /** Absolute paths; null where the file is absent. */
  readonly tokenizerJson: string | null;
  readonly tokenizerConfig: string | null;
}

/** The facts that a run records about the model it was made with. */
export interface ModelIdentity {
  /** Folder name, or `org/name` for a hub cache path. */
  readonly name: string;
  /** Commit hash for a hub cache path. */
  readonly revision: string | null;
  /** Branch, tag or commit that was asked for with `hf://org/name@ref`; says how the commit was found, no part of what the model is. */
  readonly ref: string | null;
  /** The class of transformers that it is read as: `architectures[0]` of config.json where that is a language model. */
  readonly architecture: string;
  readonly modelType: string;
  readonly parameters: number;
  /** The storage type most parameters have; `I8` and `I4` only in ONNX exports. null, like the hashes, where an imported run does not know it. */
  readonly dtype: WeightDtype | 'F8_E4M3' | 'MXFP4' | 'I8' | 'I4' | null;
  readonly configSha256: string | null;
  /** Over the contents of every weight file, in order of location. */
  readonly weightsSha256: string | null;
  readonly tokenizerSha256: string | null;
  /** SHA-256 of each file that decides which tokens a text becomes, by name; absent where it is not known. */
  readonly tokenizerFiles?: Readonly<Record<string, string>> | undefined;
  /** The tokenizer of another folder that is used instead of its own; absent where its own is used. */
  readonly tokenizer?: TokenizerIdentity | undefined;
  /** The adapter applied to it; `parameters` and hashes above are those of the base. */
  readonly adapter: AdapterIdentity | null;
}

/** The facts that a run records about the tokenizer of another folder. */
export interface TokenizerIdentity {
  /** Folder name, or `org/name` for a hub cache path. */
  readonly name: string;
  readonly revision: string | null;
  readonly ref: string | null;
}

/** The facts that a run records about an adapter. */
export interface AdapterIdentity {
  /** Folder name, or `org/name` for a hub cache path. */
  readonly name: string;
  readonly revision: string | null;
  readonly ref: string | null;
  /** Hash of adapter_config.json. */
  readonly configSha256: string;
  /** Hash of adapter_model.safetensors. */
  readonly weightsSha256: string;
}
