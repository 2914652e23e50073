import type { DownloadProgress } from '../checkpoint/index.js';
import type { ErrorDetails } from '../errors.js';
import type { ProbeSet } from '../probes/index.js';
import type { Device } from '../runtime/index.js';
import type { RunManifest, RunPlan } from '../store/index.js';
import type { Version } from '../tokenizer/index.js';
import type { ExtraHook } from './plan/recording.js';

export interface CaptureOptions {
  /** A Hugging Face checkpoint folder, or a model on the hub: `hf://org/name@revision`. */
  readonly checkpoint: string;
  /** A PEFT LoRA adapter applied to the checkpoint: its folder, or `hf://org/name@revision`. Default none. */
  readonly adapter?: string | undefined;
  /** A folder whose tokenizer is used instead of the checkpoint's own, or `hf://org/name@revision`. Default its own. */
  readonly tokenizer?: string | undefined;
  /** The version of transformers whose rules the tokenizer follows. Default: the one that saved it. */
  readonly tokenizerRules?: Version | undefined;
  /** A loaded probe set, the name of a built-in one, or a path that `loadProbes` reads. */
  readonly probes: ProbeSet | string;
  /** Folder of the run. The same options resume an unfinished run; a finished one is left as it is. */
  readonly out: string;
  /** Only these languages of a named set (`loadProbes` chooses those of a loaded one). Default all, in the set's order. */
  readonly languages?: readonly string[] | undefined;
  /** Format of the files at a path, as `loadProbes` takes it. Default: what they look like. */
  readonly format?: string | undefined;
  /**
   * Tokens of the sequences that text is packed into, special ones included; only for sets that are not parallel.
   * Default 512, or the model's positions where they are fewer.
   */
  readonly sequenceLength?: number | undefined;
  /**
   * Cut every language to this many counted tokens, or to those of the smallest with `min`. Default `min` for sets that are
   * not parallel, else no cut.
   */
  readonly tokensPerLanguage?: number | 'min' | undefined;
  /** Which tokens count. Default `all`. */
  readonly positions?: RunPlan['positions'] | undefined;
  /** Count the first token of a sequence too. Default false. */
  readonly countFirst?: boolean | undefined;
  /** Special tokens around a prompt. Default `auto`: as the checkpoint's tokenizer adds them. */
  readonly bos?: RunPlan['bos'] | undefined;
  /**
   * Pooled values of every item; those of the neurons of routed experts too, which take many times the room and of which a
   * token not routed to the expert counts as 0; or fold sums alone. Default `items`; `folds` for sets that are not parallel.
   */
  readonly keep?: RunPlan['keep'] | undefined;
  /** How the counted tokens of a prompt become one pooled value. Default `mean`. */
  readonly pooling?: RunPlan['pooling'] | undefined;
  /** Hooks to record besides `mlp.hook_pre`, `mlp.hook_post` and `attn.hook_z`. Default none. */
  readonly extraHooks?: readonly ExtraHook[] | undefined;
  /** Default `cpu`. */
  readonly device?: Device | undefined;
  /** Threads of one operator. Default: the physical cores the process may use. */
  readonly threads?: number | undefined;
  /** Bytes that weights and activations may take together. Default 8 GiB. */
  readonly memoryBytes?: number | undefined;
  /** Compute only the chunks of one shard, and do not merge. `index` counts from 1. */
  readonly shard?: { readonly index: number; readonly count: number } | undefined;
  /** At most this many items of a named set, as `loadProbes` chooses them. */
  readonly limit?: number | undefined;
  /**
   * Deal whole clusters of items into folds, by what the probe set says that they share (`relation`, `document`), so that
   * whatever is said from folds is about other clusters. Default: items are dealt one by one.
   */
  readonly foldsBy?: string | undefined;
  /** Seed of the deal into folds. Default 0. */
  readonly seed?: number | undefined;
  /** Leave `parts/` after merging. Default false. */
  readonly keepParts?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The probe set that was read, with the files that its languages were read from, before it is used. */
  readonly onProbes?: ((probes: ProbeSet) => void) | undefined;
  /** Before anything runs or is written. */
  readonly onPlan?: ((plan: CapturePlan) => void) | undefined;
  /** A file of the run was found damaged, and is made anew. */
  readonly onDamaged?: ((damage: ErrorDetails) => void) | undefined;
  readonly onProgress?: ((progress: CaptureProgress) => void) | undefined;
  /** While a model of the hub is downloaded. */
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
}

export interface CapturePlan {
  /** Bytes that the run's layers will take on disk; while they are merged its parts take as much besides. */
  readonly bytes: number;
}

export interface CaptureProgress {
  /** Tokens that passed all layers, parts found finished included; a layer counts its share. */
  readonly tokensDone: number;
  /** Tokens of all chunks this call is to compute, or found finished. */
  readonly tokensTotal: number;
  /** Since this call began to compute. */
  readonly tokensPerSecond: number;
  /** null until there is a rate to judge by. */
  readonly secondsLeft: number | null;
  /** Counted from 0. */
  readonly layer: number;
  readonly layers: number;
  readonly chunk: number;
  readonly chunks: number;
}

export interface CaptureResult {
  readonly folder: string;
  readonly manifest: RunManifest;
  /** Merged, hence ready to score. False only for a shard. */
  readonly complete: boolean;
}
