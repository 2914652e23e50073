import type { ProbeError } from '../errors.js';

/** A canonical BCP 47 language tag, for example `en`, `zh-Hant`. */
export type LanguageTag = string;

/** One item in one language. */
export interface Prompt {
  readonly text: string;
  /** The right answer; fact sets only. Teacher-forced text is `text + ANSWER_SEPARATOR + answer`. */
  readonly answer?: string;
  /** The answer among its distractors, in an order that differs per language. */
  readonly candidates?: readonly string[];
  /** Language-independent identity of each candidate, in the order of `candidates`. */
  readonly candidateIds?: readonly string[];
}

/** Stands between a prompt and its answer when both are run through a model. */
export const ANSWER_SEPARATOR = '\n';

/** What an item shares with others (`relation`, `template`, `document`, `source`), and with which: the cluster's name. */
export type ItemClusters = Readonly<Record<string, string>>;

/** One meaning (a fact, a sentence) in every language that has it. */
export interface ProbeItem {
  readonly id: string;
  readonly prompts: ReadonlyMap<LanguageTag, Prompt>;
  readonly meta: Readonly<Record<string, unknown>>;
  /** Items of one cluster stand or fall together. Absent: none is known. */
  readonly clusters?: ItemClusters | undefined;
}

export interface ProbeLanguage {
  readonly tag: LanguageTag;
  /** English name, for figures and tables. */
  readonly name: string;
  /** ISO 15924 code of the script the prompts are written in. */
  readonly script: string;
  /** Language family, for example `Indo-European`. */
  readonly family: string;
}

/** Something a probe set may contain that is worth telling, counted, with the first place it was seen. */
export interface ProbeWarning {
  readonly kind: 'wrong-script' | 'single-language' | 'missing-language';
  readonly language: LanguageTag | null;
  readonly count: number;
  /** Up to five item ids. */
  readonly items: readonly string[];
  readonly message: string;
}

/** Files that a language was read from, and what in them says so. */
export interface LanguageSource {
  readonly language: LanguageTag;
  /** As it is written there: `deu_Latn`. */
  readonly written: string;
  readonly place: 'file name' | 'folder' | 'rows';
  readonly files: number;
  /** The first of the files, relative to the folder that was given. */
  readonly first: string;
}

/** The facts that a run records about the probe set it was made with. */
export interface ProbeIdentity {
  readonly name: string;
  readonly version: string;
  readonly kind: 'text' | 'fact';
  readonly licence: string;
  readonly source: string;
  /** Over the bytes of its files: probe.json and items.jsonl, or those of a published format in the order of their names. */
  readonly sha256: string;
  /** False for text of each language by itself, whose items are lines of one language; absent elsewhere. */
  readonly parallel?: false | undefined;
}

export interface ProbeSet {
  readonly identity: ProbeIdentity;
  /** In the order of probe.json, or of their tags. */
  readonly languages: readonly ProbeLanguage[];
  /** In the order of items.jsonl. */
  readonly items: readonly ProbeItem[];
  /** Which files the languages were read from; none of a set with a probe.json, which says it. */
  readonly sources?: readonly LanguageSource[] | undefined;
  readonly warnings: readonly ProbeWarning[];
}

export interface LoadProbesOptions {
  /** How the files are to be read: `babelscope` or a name of `listProbeFormats()`. Default: what they look like. */
  readonly format?: string | undefined;
  /** Only these languages; default: all of the set. Whatever their order here, the set keeps its own. */
  readonly languages?: readonly LanguageTag[] | undefined;
  /**
   * At most this many items: the first that have every chosen language, filled up with incomplete ones; of text that is
   * not parallel, the first of each language. Default: all.
   */
  readonly limit?: number | undefined;
}

/** A set this package comes with. */
export interface BuiltinProbes {
  readonly name: string;
  readonly version: string;
  readonly kind: 'text' | 'fact';
  readonly licence: string;
  readonly source: string;
  readonly items: number;
  readonly languages: readonly LanguageTag[];
  readonly folder: string;
}

/** Everything `checkProbes` found. The set is usable when `errorCount` is 0. */
export interface ProbeReport {
  readonly folder: string;
  /** Null when the set could not be read at all. */
  readonly identity: ProbeIdentity | null;
  readonly languages: readonly {
    readonly tag: LanguageTag;
    readonly script: string;
    readonly prompts: number;
  }[];
  /** Items that could be read. */
  readonly items: number;
  /** Items with a prompt in every language. */
  readonly completeItems: number;
  /** Which files the languages were read from; none of a set with a probe.json. */
  readonly sources: readonly LanguageSource[];
  /** The first hundred faults. */
  readonly errors: readonly ProbeError[];
  readonly errorCount: number;
  readonly warnings: readonly ProbeWarning[];
}
