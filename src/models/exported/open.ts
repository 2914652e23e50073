import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import {
  findTokenizerFiles,
  hashTokenizerFiles,
  parseHubPath,
  sha256OfFiles,
} from '../../checkpoint/index.js';
import { CheckpointError, UsageError } from '../../errors.js';
import { readJsonObject } from '../../read-json.js';
import type { Subject, SubjectOptions, WholeModel } from '../types.js';
import { opsetOf } from './assemble.js';
import { ForeignGraph } from './foreign-graph.js';
import { onnxModel } from './model.js';
import { findLayers } from './points.js';
import { readOnnx } from './read-onnx.js';
import { saturationWarnings } from './saturation.js';
import { countStored, exportShape, findBeside, readExportConfig } from './sizes.js';

/** Oldest operator set whose operators our reducers can be written in. */
const OLDEST_OPSET = 11;

export interface OnnxSubject extends Subject {
  readonly model: WholeModel;
  /** Name of the architecture in config.json beside the graph. */
  readonly architecture: string;
  readonly stored: ReturnType<typeof countStored>;
  /** Files the weights lie in, absolute paths. */
  readonly files: readonly string[];
  readonly tensors: number;
}

/**
 * Opens a graph that another exporter made: Optimum, onnxruntime-genai, transformers.js or torch.onnx.
 *
 * @throws CheckpointError if the file is unreadable, its layers cannot be found, or it needs inputs that are not known.
 */
export async function openOnnx(path: string, options: SubjectOptions = {}): Promise<OnnxSubject> {
  refuseAdapter(path, options);
  const file = await readOnnx(path);
  const graph = new ForeignGraph(file);
  if (opsetOf(graph) < OLDEST_OPSET) {
    throw new CheckpointError({
      what: 'the graph is written in an operator set that is too old',
      where: file.path,
      expected: `opset ${OLDEST_OPSET} or newer`,
      found: `opset ${opsetOf(graph)}`,
      remedy: 'export the model again, with a newer opset',
    });
  }
  const layers = findLayers(graph);
  const config = await readExportConfig(file.path);
  const shape = exportShape(graph, layers, config);
  const stored = countStored(graph);
  const tokenizerJson = findBeside(file.path, 'tokenizer.json');
  const configJson = findBeside(file.path, 'config.json');
  const tokenizerFiles = findTokenizerFiles((name) => findBeside(file.path, name));
  const sizes = await Promise.all(file.files.map((path) => stat(path)));
  const folder = dirname(file.path);
  const hub = parseHubPath(folder) ?? parseHubPath(dirname(folder));
  const model = onnxModel(graph, layers, shape);
  refuseEdits(model, options);
  return {
    model,
    weightsRoot: file.weightsRoot,
    weights: file.files.map((path, i) => ({ path, bytes: sizes[i]!.size })),
    inputs: [file.path, ...file.files, ...(config.path === null ? [] : [config.path]), ...tokenizerFiles],
    warnings: saturationWarnings(graph),
    tokenizer: {
      folder,
      tokenizerJson,
      tokenizerConfig: findBeside(file.path, 'tokenizer_config.json'),
      config: configJson === null ? undefined : await readJsonObject(configJson, 'download it again'),
    },
    architecture: config.architecture,
    stored,
    files: file.files,
    tensors: graph.initializers.size,
    identify: async () => ({
      name: hub?.name ?? basename(file.path),
      revision: hub?.revision ?? null,
      ref: null,
      adapter: null,
      architecture: config.architecture,
      modelType: config.modelType,
      ...stored,
      configSha256: await sha256OfFiles(config.path === null ? [] : [config.path]),
      weightsSha256: await sha256OfFiles(file.files),
      tokenizerSha256: tokenizerJson === null ? null : await sha256OfFiles([tokenizerJson]),
      tokenizerFiles: await hashTokenizerFiles(tokenizerFiles),
    }),
  };
}

/** @throws UsageError if an adapter is to be applied to a graph of another exporter */
function refuseAdapter(source: string, { adapter }: SubjectOptions): void {
  if (adapter === undefined) return;
  throw new UsageError({
    what: 'an adapter cannot be applied to the graph of another exporter',
    where: source,
    remedy: 'merge the adapter before exporting, or give the safetensors folder of the base with --adapter',
  });
}

/** @throws UsageError if a graph of another exporter is to be edited */
function refuseEdits({ path, hooks }: WholeModel, { edits = [] }: SubjectOptions): void {
  const [first] = edits;
  if (first === undefined) return;
  throw new UsageError({
    what: `the graph of another exporter cannot be edited at ${first.at}`,
    where: path,
    expected: `no edits: its hooks can only be read (${[...new Set(hooks.map(({ hook }) => hook))].join(', ')})`,
    remedy: "give the model's safetensors folder",
  });
}
