import { Command } from '@commander-js/extra-typings';
import { type CaptureEstimate, estimateCapture } from '../capture/index.js';
import { type Inspection, inspectModel } from '../models/index.js';
import { MOST_WORKERS, measureGflops, physicalCores } from '../runtime/index.js';
import { formatBytes, print, printJson, printTable, sayWarnings, startDownloadProgress } from './terminal.js';

export function inspectCommand() {
  return new Command('inspect')
    .argument(
      '<checkpoint>',
      "a Hugging Face folder, a snapshot in the hub's cache, hf://org/name@revision, or an .onnx file; a config.json alone is enough",
    )
    .option('--adapter <folder>', 'a PEFT LoRA adapter to apply: its folder, or hf://org/name@revision')
    .option('--json', 'print one JSON object')
    .action(async (source, { json, adapter }) => {
      const download = startDownloadProgress();
      const { inspection, model } = await inspectModel(source, {
        adapter,
        onDownload: (step) => download.update(step),
      }).finally(() => download.stop());
      const workers = Math.min(physicalCores(), MOST_WORKERS);
      const estimate = estimateCapture(model, workers);
      const { dModel, dMlp } = inspection;
      const gflops = await measureGflops({ inSize: dModel, outSize: dMlp || dModel });
      const { flopsPerToken } = estimate;
      const tokensPerSecond = flopsPerToken === null ? null : (gflops * 1e9) / flopsPerToken;
      const capture = { ...estimate, gflops, tokensPerSecond };
      if (json) printJson({ ...inspection, capture });
      else printInspection(inspection, capture);
    });
}

/** Speed of fp32 matrix products of this machine, measured now; `tokensPerSecond` null: operations a token are not known. */
type TimedEstimate = CaptureEstimate & { readonly gflops: number; readonly tokensPerSecond: number | null };

function printInspection(inspection: Inspection, capture: TimedEstimate): void {
  const { hooks, units, weights, adapter, graph, mixture, warnings, ...shape } = inspection;
  printTable(
    ['property', 'value'],
    Object.entries(shape).map(([key, value]) => [key, formatValue(value)]),
  );
  if (mixture !== null) {
    const { perToken, dExpert, dShared, layers } = mixture;
    const shared = dShared === 0 ? '' : `, and ${dShared} neurons that all tokens share`;
    print(`experts in layers ${ranges(layers)}: ${perToken} a token, of ${dExpert} neurons each${shared}`);
  }
  print('');
  printTable(
    ['unit', 'count'],
    Object.entries(units).map(([unit, count]) => [unit, formatValue(count)]),
  );
  print('');
  printTable(['hook', 'layers', 'shape a token'], hookRows(hooks));
  for (const { hook, layers, statistics, why } of graph?.hidden ?? []) {
    const norms = statistics === 'norms' ? 'norms at ' : '';
    print(`not there: ${norms}blocks.{l}.${hook} in layers ${ranges(layers)}: ${why}`);
  }
  if (graph !== null) print('graph of another exporter: it runs whole, not layer by layer');
  print('');
  print(
    weights === null
      ? 'weights: none in this folder (only the configuration was read)'
      : `weights: ${weights.tensors} tensors in ${weights.files} file(s), ${weights.bytes.toLocaleString('en')} bytes`,
  );
  if (adapter !== null) {
    const { tensors, parameters } = adapter;
    print(`adapter: ${tensors} tensors, ${parameters.toLocaleString('en')} parameters, all of them applied`);
  }
  sayWarnings(warnings);
  print('');
  printTable(['a capture takes', ''], captureRows(capture, graph !== null));
}

/** One row a hook and shape, with the layers that have it. */
function hookRows(hooks: Inspection['hooks']): string[][] {
  const rows = new Map<string, { name: string; shape: string; layers: number[] }>();
  for (const { name, shape } of hooks) {
    const [, layer, hook] = /^blocks\.(\d+)\.(.+)$/.exec(name)!;
    const row = { name: `blocks.{l}.${hook}`, shape: shape.join(' × '), layers: [] };
    const key = `${row.name} ${row.shape}`;
    if (!rows.has(key)) rows.set(key, row);
    rows.get(key)!.layers.push(Number(layer));
  }
  return [...rows.values()].map(({ name, shape, layers }) => [name, ranges(layers), shape]);
}

/** 0, 1, 2, 5 → `0–2, 5`. */
function ranges(numbers: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => (first === last ? String(first) : `${first}–${last}`)).join(', ');
}

function captureRows(capture: TimedEstimate, whole: boolean): string[][] {
  const { memory, disk, promptTokens, flopsPerToken, gflops, tokensPerSecond } = capture;
  const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const [passing, kept] = whole
    ? ['the whole graph', 'the whole graph']
    : ['one layer at a time', 'all layers kept open'];
  const rows = [
    ['memory, at least', `${gib(memory.least)}, ${passing}`],
    ['memory, full chunks', `${gib(memory.layerByLayer)}, ${passing}`],
    ...(whole ? [] : [['memory, fast', `${gib(memory.resident)}, ${kept}`]]),
    [
      'memory, fastest',
      `${gib(memory.fastest)}, ${kept} with ${whole ? 'its' : 'their'} work space, in each thread`,
    ],
  ];
  const { items, expertItems } = disk;
  rows.push([
    'disk, a prompt',
    `${formatBytes(items)}, pooled values with --keep items` +
      (expertItems === null || expertItems === items
        ? ''
        : `; ${formatBytes(expertItems)} with --keep expert-items`),
  ]);
  if (flopsPerToken === null || tokensPerSecond === null) return rows;
  const seconds = 1e6 / tokensPerSecond;
  return [
    ...rows,
    ['work', `${(flopsPerToken / 1e9).toPrecision(3)} GFLOP a token, in prompts of ${promptTokens} tokens`],
    [
      'time, at best',
      `about ${rounded(tokensPerSecond)} tokens/s at ${rounded(gflops)} GFLOP/s fp32, measured on this machine now: ` +
        `${seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${rounded(seconds / 3600)} h`} for a million tokens`,
    ],
  ];
}

/** Two digits. */
function rounded(value: number): string {
  return Number(value.toPrecision(2)).toLocaleString('en');
}

function formatValue(value: string | number | null): string {
  if (value === null) return '–';
  return typeof value === 'number' ? value.toLocaleString('en') : value;
}
