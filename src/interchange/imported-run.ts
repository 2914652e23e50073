import { createHash } from 'node:crypto';
import { basename, join, resolve } from 'node:path';
import { ImportError } from '../errors.js';
import { describeLanguages } from '../probes/index.js';
import {
  type FileChecksum,
  layerName,
  layerPath,
  makeFolder,
  RUN_SCHEMA_VERSION,
  type RunManifest,
  streamSafetensors,
  writeManifest,
} from '../store/index.js';
import { VERSION } from '../version.js';
import type { TorchTensor } from './pytorch/tensor.js';
import { MOST_LAYERS, type PlacedFile, sha256OfFile } from './source-files.js';

/** Folds below which a floor is said to be coarse: six have ten different halvings, twenty some ninety thousand. */
const FEW_FOLDS = 6;
/** Counts and tokens of a run are uint32. */
const MOST_TOKENS = 2 ** 32 - 1;

/** The contents of one file: sums over what it counted, [layer, unit]. */
export interface ImportedSums {
  readonly file: PlacedFile;
  readonly sums: TorchTensor;
  /** The sums are divided by it: tokens, or 1 of a mean. */
  readonly tokens: number;
}

/** A kind of file that becomes a run. */
export interface RunKind {
  readonly name: 'lape-counts' | 'lahis';
  readonly array: 'mlp.fire' | 'mlp.rate.sum' | 'head.importance.sum';
  /** As `plan.hooks` names what was recorded. */
  readonly hook: string;
  /** The run's warnings: they tell what the files do not say. */
  readonly caveat: string;
}

/** Files that are to become a run. */
export interface ImportedRun {
  readonly kind: RunKind;
  /** A file each language and fold. */
  readonly sums: readonly ImportedSums[];
  /** Files whose numbers were subtracted from those. */
  readonly subtracted?: readonly PlacedFile[];
  /** Further warnings of the run. */
  readonly warnings?: readonly string[];
}

/**
 * Writes what several files counted as a run that `score`, `compare` and `report` open, with whatever is known of it.
 * Files are checked before anything is written; the manifest, without which a folder is no run, comes last.
 *
 * @param about the model's name (default that of the folder), and the command that imports these files again.
 * @throws ImportError if shapes differ or a value is none of a count or importance.
 */
export async function writeImportedRun(
  out: string,
  run: ImportedRun,
  {
    model = basename(resolve(out)),
    command,
  }: { readonly model?: string | undefined; readonly command: string },
): Promise<RunManifest> {
  const { kind, sums: imported } = run;
  const [layers, width] = checkShapes(imported);
  for (const one of imported) checkValues(kind, one);
  const tags = [...new Set(imported.map(({ file }) => file.language))];
  const folds = Math.max(...imported.map(({ file }) => file.fold)) + 1;
  const cells = Array.from({ length: folds }, (_, fold) =>
    tags.map((tag) => imported.find(({ file }) => file.fold === fold && file.language === tag)!),
  );
  const manifest = await manifestOf({ run, cells, tags, layers, width, model });
  const fire = kind.array === 'mlp.fire';
  const arrays = [
    { name: kind.array, dtype: fire ? 'U32' : 'F64', shape: [folds, tags.length, width] },
    { name: 'tokens', dtype: 'U32', shape: [folds, tags.length] },
  ] as const;
  const tokens = Uint32Array.from(cells.flat(), (one) => one.tokens);
  await makeFolder(join(out, 'layers'));
  const written: Record<string, FileChecksum> = {};
  for (let layer = 0; layer < layers; layer++) {
    function* values() {
      for (const { sums } of cells.flat()) {
        const row = sums.at(layer).values();
        yield fire ? Uint32Array.from(row) : row;
      }
      yield tokens;
    }
    written[layerName(layer)] = await streamSafetensors(layerPath(out, layer), arrays, values(), {
      'babelscope.layer': String(layer),
      'babelscope.plan': manifest.planSha256,
    });
  }
  await writeManifest(out, manifest, written, command);
  return manifest;
}

/**
 * The size that all files share.
 *
 * @throws ImportError if one differs, or is no matrix.
 */
export function checkShapes(imported: readonly ImportedSums[]): [layers: number, width: number] {
  const first = imported[0]!;
  for (const { sums, file } of imported) {
    const { shape } = sums;
    const matrix = shape.length === 2 && sums.size > 0 && shape[0]! <= MOST_LAYERS;
    if (matrix && shape.join() === first.sums.shape.join()) continue;
    throw new ImportError({
      what: 'the matrix has an unusable shape',
      where: file.path,
      expected: matrix
        ? `[${first.sums.shape.join(', ')}], as in ${first.file.path}`
        : `[layers, units], at most ${MOST_LAYERS} layers`,
      found: `[${shape.join(', ')}]`,
      remedy: 'give files of one model, as they were released',
    });
  }
  return first.sums.shape as [number, number];
}

/** @throws ImportError if a value is no count, or no importance. */
export function checkValues({ array }: RunKind, { sums, tokens, file }: ImportedSums): void {
  const counts = array === 'mlp.fire';
  const rates = array === 'mlp.rate.sum';
  const usable = (value: number) =>
    counts || rates
      ? (rates || Number.isInteger(value)) && value >= 0 && value <= tokens
      : Number.isFinite(value);
  const unusable = (found: string) =>
    new ImportError({
      what: counts ? 'the file holds what is no count' : 'the file holds what is no importance',
      where: file.path,
      expected: counts ? `whole numbers from 0 to the ${tokens} tokens counted` : 'finite numbers',
      found,
      remedy: 'give the file as it was released',
    });
  if (!(Number.isInteger(tokens) && tokens > 0 && tokens <= MOST_TOKENS)) {
    throw new ImportError({
      what: 'the number of counted tokens is unusable',
      where: file.path,
      expected: `a whole number from 1 to ${MOST_TOKENS}`,
      found: String(tokens),
      remedy: 'give the file as it was released',
    });
  }
  for (let layer = 0; layer < sums.shape[0]!; layer++) {
    const row = valuesOf(sums.at(layer), file.path);
    const at = row.findIndex((value) => !usable(value));
    if (at !== -1) throw unusable(`${row[at]} in layer ${layer}, unit ${at}`);
  }
}

/** @throws ImportError for integers beyond what a float64 holds. */
export function valuesOf(tensor: TorchTensor, path: string): Float64Array {
  try {
    return tensor.values();
  } catch (cause) {
    throw new ImportError(
      {
        what: 'the file holds a number that is too large',
        where: path,
        found: cause instanceof Error ? cause.message : String(cause),
        remedy: 'give the file as it was released',
      },
      { cause },
    );
  }
}

interface Described {
  readonly run: ImportedRun;
  readonly cells: readonly (readonly ImportedSums[])[];
  readonly tags: readonly string[];
  readonly layers: number;
  readonly width: number;
  readonly model: string;
}

async function manifestOf({ run, cells, tags, layers, width, model }: Described): Promise<RunManifest> {
  const { kind, subtracted = [], warnings = [] } = run;
  const folds = cells.length;
  const files = [];
  for (const file of [...cells.flat().map((one) => one.file), ...subtracted]) {
    files.push({
      name: basename(file.path),
      language: file.language,
      fold: file.fold,
      sha256: await sha256OfFile(file.path),
    });
  }
  const tokens = cells.map((row) => row.map((one) => one.tokens));
  const hash = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');
  const unknown = null;
  const heads = kind.array === 'head.importance.sum';
  return {
    schema: 'babelscope/run',
    schemaVersion: RUN_SCHEMA_VERSION,
    babelscope: VERSION,
    onnxruntime: 'none',
    model: {
      name: model,
      revision: null,
      ref: null,
      architecture: 'unknown',
      modelType: 'unknown',
      parameters: unknown,
      dtype: null,
      configSha256: null,
      weightsSha256: null,
      tokenizerSha256: null,
      adapter: null,
    },
    shape: {
      family: 'unknown family',
      layers,
      dModel: unknown,
      heads: heads ? width : unknown,
      kvHeads: unknown,
      headDim: unknown,
      dMlp: heads ? unknown : width,
      experts: null,
      mixture: null,
      vocab: unknown,
      maxPositions: unknown,
      parameters: unknown,
    },
    probe: {
      name: `imported ${kind.name}`,
      version: 'unversioned',
      kind: 'text',
      licence: 'unknown',
      source: 'unknown',
      // All that is known of the text: how much of it there is.
      sha256: hash({ tags, tokens }),
      parallel: false,
    },
    languages: (await describeLanguages(tags)).map((language, k) => ({
      ...language,
      prompts: unknown,
      tokens: tokens.reduce((sum, row) => sum + row[k]!, 0),
      truncated: 0,
    })),
    plan: {
      languages: [...tags],
      items: [],
      folds,
      seed: 0,
      positions: 'all',
      countFirst: true,
      bos: 'auto',
      keep: 'folds',
      pooling: 'mean',
      chunks: [],
      hooks: [kind.hook],
    },
    planSha256: hash({ format: kind.name, files, model }),
    warnings: [kind.caveat, ...warnings, ...foldWarnings(folds)],
    imported: { format: kind.name, files },
  };
}

function foldWarnings(folds: number): string[] {
  if (folds === 1) {
    return [
      'one file a language, hence one fold: intervals, reliabilities and noise floors are not measured. Files of parts of the text would give them.',
    ];
  }
  if (folds >= FEW_FOLDS) return [];
  return [
    `${folds} folds can be halved in ${halvings(folds) === 1 ? 'one way' : `${halvings(folds)} ways`} only: intervals are wide and the noise floor is coarse${
      folds === 2 ? '; about one difference in eight is called a change by chance alone' : ''
    }.`,
  ];
}

/** Ways to put G folds into two halves; with an odd number the larger half counts as the second. */
function halvings(folds: number): number {
  let ways = 1;
  for (let i = 0; i < folds >> 1; i++) ways = (ways * (folds - i)) / (i + 1);
  return folds % 2 === 0 ? ways / 2 : ways;
}
