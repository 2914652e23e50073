import { resolve } from 'node:path';
import { InterruptedError, UsageError } from '../errors.js';
import { openSubject } from '../models/index.js';
import { loadProbes, type ProbeSet } from '../probes/index.js';
import { ModelRunner } from '../runtime/index.js';
import { DamagedError, type ListedManifest, withFolderLock } from '../store/index.js';
import { loadTokenizer } from '../tokenizer/index.js';
import { InputWatch } from './input-watch.js';
import { mergeParts, openPart } from './parts/merge-run.js';
import { missingParts, openRunFolder } from './parts/open-run-folder.js';
import { writePart } from './parts/write-part.js';
import { captureCommand } from './plan/capture-command.js';
import { runBytes } from './plan/estimate-capture.js';
import { requireSpace } from './plan/free-space.js';
import { planRun } from './plan/plan-run.js';
import { appendTiming, ProgressMeter, Stopwatch } from './progress.js';
import { equaliseTokens } from './prompts/equalise-tokens.js';
import { type Grid, type GridRequest, tokenizeGrid } from './prompts/grid.js';
import { packGrid } from './prompts/pack-grid.js';
import type { PositionRule } from './prompts/positions.js';
import { gridWarnings } from './prompts/warnings.js';
import type { CaptureOptions, CaptureResult } from './types.js';

const DEFAULT_MEMORY_BYTES = 8 * 2 ** 30; // 8 GiB

/**
 * Runs a probe set through a checkpoint and leaves a run: what every neuron and head does, per language and fold.
 * Interrupted, killed or out of disk, it keeps every finished part, and the same call goes on from there; the bytes
 * that result are those of an undisturbed run. A finished run is left as it is.
 *
 * @throws CheckpointError, HubError, TokenizerError, ProbeError for unusable input; RunError if `out` holds another run;
 *   OutputError if it cannot be written; InterruptedError on abort; RunnerError if onnxruntime fails
 */
export async function capture(options: CaptureOptions): Promise<CaptureResult> {
  const {
    pooling = 'mean',
    extraHooks = [],
    seed = 0,
    device = 'cpu',
    memoryBytes = DEFAULT_MEMORY_BYTES,
    shard,
    signal,
  } = options;
  checkOptions(options);
  const folder = resolve(options.out);
  const { checkpoint, adapter, onDownload } = options;
  const subject = await openSubject(checkpoint, {
    adapter,
    tokenizer: options.tokenizer,
    tokenizerRules: options.tokenizerRules,
    signal,
    onDownload,
  });
  const { model } = subject;
  const watch = await InputWatch.start(subject);
  const tokenizer = await loadTokenizer(subject.tokenizer);
  const rule: PositionRule = {
    positions: options.positions ?? 'all',
    countFirst: options.countFirst ?? false,
    bos: options.bos ?? 'auto',
  };
  const { vocab, maxPositions } = model.shape;
  const probes = await chooseProbes(options);
  options.onProbes?.(probes);
  const { grid, ...cut } = await prepareGrid(
    { probes, rule, tokenizer, vocab, maxPositions, signal },
    options,
  );
  const planned = planRun({
    model,
    identity: { ...watch.identity, tokenizerRules: tokenizer.rules },
    grid,
    rule,
    ...cut,
    keep: options.keep ?? (probes.identity.parallel === false ? 'folds' : 'items'),
    pooling,
    extraHooks,
    seed,
    foldsBy: options.foldsBy,
    device,
    memoryBytes,
    warnings: [...subject.warnings, ...tokenizer.warnings, ...(await gridWarnings(grid, tokenizer))],
  });
  options.onPlan?.({ bytes: runBytes(planned) });

  // Before anything is written: a device that is not there must not leave a run that names it.
  const runner = await ModelRunner.start(subject, model, {
    device,
    threads: options.threads,
    memoryBytes,
  });
  const isShard = shard !== undefined && shard.count > 1;
  const share = isShard ? `${shard.index}-of-${shard.count}` : undefined;
  try {
    return await withFolderLock(folder, { what: 'capture', share }, async () => {
      const found = await openRunFolder(folder, planned, await captureCommand(planned), signal);
      for (const error of found.damaged) options.onDamaged?.(error.details);
      if (found.files === null) await runChunks(folder, found, grid, runner, watch, options);
      if (isShard && found.files === null) return { folder, manifest: found.manifest, complete: false };
      const manifest = await mergeParts(folder, { keepParts: options.keepParts, signal });
      return { folder, manifest, complete: true };
    });
  } finally {
    await runner.close();
  }
}

function checkOptions({ seed = 0, shard, memoryBytes, threads }: CaptureOptions): void {
  const complain = (where: string, expected: string, found: unknown) => {
    throw new UsageError({ what: 'unusable value', where, expected, found: String(found) });
  };
  if (!Number.isSafeInteger(seed)) complain('seed', 'a whole number', seed);
  if (memoryBytes !== undefined && !(memoryBytes > 0))
    complain('memoryBytes', 'a number of bytes', memoryBytes);
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads > 0)) {
    complain('threads', 'a whole number of at least 1', threads);
  }
  if (shard === undefined) return;
  const { index, count } = shard;
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(count) && index >= 1 && index <= count)) {
    complain('shard', 'index from 1 to count', `${index}/${count}`);
  }
}

/** The prompts of a parallel set as they are, text of each language by itself packed; cut to equal tokens where asked to. */
async function prepareGrid(
  request: GridRequest,
  { sequenceLength, tokensPerLanguage }: CaptureOptions,
): Promise<{ grid: Grid; sequenceLength?: number; tokensPerLanguage?: number }> {
  const isParallel = request.probes.identity.parallel !== false;
  if (isParallel && sequenceLength !== undefined) {
    throw new UsageError({
      what: 'the prompts of a parallel set are run as they are, not packed',
      where: '--sequence-length',
      remedy: 'leave --sequence-length out, or read plain text with --format unaligned-text',
    });
  }
  const packed = isParallel ? { grid: await tokenizeGrid(request) } : await packGrid(request, sequenceLength);
  const tokens = tokensPerLanguage ?? (isParallel ? undefined : 'min');
  return tokens === undefined ? packed : { ...packed, ...equaliseTokens(packed.grid, tokens) };
}

function chooseProbes({ probes, languages, limit, format }: CaptureOptions): Promise<ProbeSet> | ProbeSet {
  if (typeof probes === 'string') {
    return loadProbes(probes, {
      ...(languages && { languages }),
      ...(limit !== undefined && { limit }),
      ...(format !== undefined && { format }),
    });
  }
  const asked = { languages, limit, format };
  const given = Object.entries(asked).find(([, value]) => value !== undefined);
  if (given === undefined) return probes;
  throw new UsageError({
    what: 'languages, items and format of a loaded probe set are chosen when it is loaded',
    where: given[0],
    remedy: 'give them to loadProbes(), or give capture() the name of the set',
  });
}

/** Runs the chunks of this shard that have no part yet. */
async function runChunks(
  folder: string,
  listed: ListedManifest,
  grid: Grid,
  runner: ModelRunner,
  watch: InputWatch,
  options: CaptureOptions,
): Promise<void> {
  const { device = 'cpu', shard, signal, onProgress } = options;
  const { manifest } = listed;
  const { shape, plan } = manifest;
  const { index, count } = shard ?? { index: 1, count: 1 };
  const mine = [...plan.chunks.keys()].filter((chunk) => chunk % count === index - 1);
  const missing = await checkParts(folder, listed, mine, options);
  if (missing.length === 0) return;
  // Parts that are missing and, unless others merge them, layers: they lie side by side until the parts go.
  const bytes = runBytes(manifest);
  await requireSpace(folder, (bytes * missing.length) / plan.chunks.length + (count === 1 ? bytes : 0));
  const tokensOf = (chunk: number) =>
    plan.chunks[chunk]!.flatMap((item) => grid.cells[item]!).reduce(
      (sum, cell) => sum + (cell?.ids.length ?? 0),
      0,
    );
  const total = (chunks: readonly number[]) => chunks.map(tokensOf).reduce((a, b) => a + b, 0);
  const found = total(mine) - total(missing);
  const meter = new ProgressMeter(total(mine), found, shape.layers, plan.chunks.length, onProgress);
  const stopwatch = new Stopwatch(shape.layers);
  try {
    for (const chunk of missing) {
      if (signal?.aborted) throw new InterruptedError({ what: 'interrupted' }, { cause: signal.reason });
      stopwatch.startChunk();
      await writePart({
        folder,
        manifest,
        grid,
        chunk,
        runner,
        signal,
        checkInputs: () => watch.check(),
        onProgress: ({ layer, tokenLayers }) => meter.advance(chunk, layer, tokenLayers),
        onLayer: (layer) => stopwatch.finishLayer(layer),
      });
      stopwatch.finishChunk(tokensOf(chunk));
      meter.finishChunk(tokensOf(chunk));
    }
  } finally {
    const timing = stopwatch.timing(device, runner.threads);
    // A full disk has its own error on the way; timings are not worth hiding it.
    if (timing.chunks > 0) await appendTiming(folder, timing, shard).catch(() => {});
  }
}

/** @returns those of the chunks that have no part, or a damaged one. @throws RunError if a part is of another run */
async function checkParts(
  folder: string,
  listed: ListedManifest,
  chunks: readonly number[],
  { signal, onDamaged }: CaptureOptions,
): Promise<readonly number[]> {
  const missing = new Set(missingParts(folder, listed.manifest));
  for (const chunk of chunks) {
    if (missing.has(chunk)) continue;
    try {
      await (await openPart(folder, listed, chunk, signal)).close();
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      onDamaged?.(error.details);
      missing.add(chunk);
    }
  }
  return chunks.filter((chunk) => missing.has(chunk));
}
