import { createHash } from 'node:crypto';
import { UsageError } from '../../errors.js';
import { type Tap, tapOutput } from '../../hooks/index.js';
import type { Model } from '../../models/index.js';
import {
  chooseResidency,
  type Device,
  memoryNeeds,
  ONNXRUNTIME_VERSION,
  tokensThatFit,
} from '../../runtime/index.js';
import { type Clustering, RUN_SCHEMA_VERSION, type RunManifest, type RunPlan } from '../../store/index.js';
import { VERSION } from '../../version.js';
import { distinctContexts } from '../prompts/contexts.js';
import { dealtTogether, type Grid } from '../prompts/grid.js';
import type { PositionRule } from '../prompts/positions.js';
import { hiddenWarnings } from '../prompts/warnings.js';
import { clusterings, dealClusters } from './clusters.js';
import { CHUNK_TOKENS, dealFolds, FOLDS, planChunks } from './deal.js';
import { type Recording, recordable, requireUnits, runTaps } from './recording.js';

export interface PlanRequest extends Omit<Recording, 'mixture'> {
  readonly model: Model;
  readonly identity: RunManifest['model'];
  readonly grid: Grid;
  readonly rule: PositionRule;
  readonly sequenceLength?: number | undefined;
  readonly tokensPerLanguage?: number | undefined;
  readonly seed: number;
  readonly foldsBy?: string | undefined;
  readonly device: Device;
  readonly memoryBytes: number;
  readonly warnings: readonly string[];
}

/**
 * Everything a run will record, before anything has run. Memory decides how long chunks may be and nothing else;
 * with room for chunks of `CHUNK_TOKENS` it decides nothing.
 *
 * @throws UsageError if not even one batch fits the memory, or for pooled values of experts where there are none
 */
export function planRun(request: PlanRequest): RunManifest {
  refuseExpertItems(request);
  const { grid, rule, keep, pooling, seed } = request;
  const { items, languages, identity: probe } = grid.probes;
  const clusters = clusterings(items);
  const { folds, foldOf } = dealItems(grid, seed, clusterBy(clusters, request));
  const plannedItems = items.map(({ id }) => ({ id, fold: foldOf.get(id)! }));
  const itemTokens = grid.cells.map((row) => row.reduce((sum, cell) => sum + (cell?.ids.length ?? 0), 0));
  const plan: RunPlan = {
    languages: languages.map(({ tag }) => tag),
    items: plannedItems,
    folds,
    ...(clusters.length > 0 && { clusters }),
    ...(request.foldsBy !== undefined && { foldsBy: request.foldsBy }),
    seed,
    positions: rule.positions,
    countFirst: rule.countFirst,
    bos: rule.bos,
    ...(request.sequenceLength !== undefined && { sequenceLength: request.sequenceLength }),
    ...(request.tokensPerLanguage !== undefined && { tokensPerLanguage: request.tokensPerLanguage }),
    keep,
    pooling,
    chunks: planChunks(
      plannedItems.map(({ fold }, i) => ({ fold, tokens: itemTokens[i]! })),
      folds,
      chunkTokens(request),
    ),
    hooks: tapsOf(request).map(tapOutput),
  };
  const manifest: Omit<RunManifest, 'planSha256'> = {
    schema: 'babelscope/run',
    schemaVersion: RUN_SCHEMA_VERSION,
    babelscope: VERSION,
    // Another execution provider rounds differently, so its parts are of another plan.
    onnxruntime: `${ONNXRUNTIME_VERSION} ${request.device}`,
    model: request.identity,
    shape: request.model.shape,
    probe,
    languages: languages.map(({ tag, name, script, family }, k) => {
      const cells = grid.cells.flatMap((row) => row[k] ?? []);
      const total = (count: (cell: (typeof cells)[number]) => number) =>
        cells.reduce((sum, cell) => sum + count(cell), 0);
      return {
        tag,
        name,
        script,
        family,
        prompts: cells.length,
        tokens: total((cell) => cell.countedTokens),
        truncated: total((cell) => cell.truncated),
        contexts: distinctContexts(cells),
      };
    }),
    ...(grid.probes.sources !== undefined && { languageSources: grid.probes.sources }),
    plan,
    warnings: [...hiddenWarnings(request.model), ...request.warnings, ...clusterWarnings(plan)],
  };
  return { ...manifest, planSha256: hashPlan(manifest) };
}

function refuseExpertItems({ model, keep }: PlanRequest): void {
  if (keep !== 'expert-items' || model.shape.mixture !== null) return;
  throw new UsageError({
    what: 'the model has no experts',
    where: '--keep expert-items',
    found: `family ${model.shape.family}`,
    remedy: 'give --keep items: it keeps the pooled values of all neurons',
  });
}

function clusterWarnings({ folds, foldsBy }: RunPlan): string[] {
  if (foldsBy === undefined || folds >= FOLDS) return [];
  return [
    `only ${folds} clusters by ${foldsBy}: ${folds} folds instead of ${FOLDS}; with fewer than 10 a comparison has no verdict`,
  ];
}

/** The clusters that folds are dealt by; null: items. @throws UsageError where the probe set names no such clusters */
function clusterBy(clusters: readonly Clustering[], { foldsBy, grid }: PlanRequest): Clustering | null {
  if (foldsBy === undefined) return null;
  const found = clusters.find(({ by }) => by === foldsBy);
  if (found !== undefined) return found;
  throw new UsageError({
    what: 'the probe set does not say which items are alike in that',
    where: '--folds-by',
    expected:
      clusters.length === 0
        ? 'items with a field "clusters"'
        : `one of ${clusters.map(({ by }) => by).join(', ')}`,
    found: foldsBy,
    remedy: `name clusters in the items of ${grid.probes.identity.name}, or leave --folds-by out`,
  });
}

/**
 * Deals items into folds, or clusters of them; where languages have items of their own, each language's by themselves, so that
 * no fold lacks one.
 */
function dealItems(
  { probes }: Grid,
  seed: number,
  clusters: Clustering | null,
): { folds: number; foldOf: ReadonlyMap<string, number> } {
  if (clusters !== null) return dealClusters(probes.items, clusters, seed);
  const groups = dealtTogether(probes).map((items) => items.map(({ id }) => id));
  const folds = Math.min(FOLDS, ...groups.map((ids) => ids.length));
  return { folds, foldOf: new Map(groups.flatMap((ids) => [...dealFolds(ids, seed, folds)])) };
}

function tapsOf(request: PlanRequest): readonly Tap[] {
  const { model } = request;
  const taps = recordable(model, runTaps({ ...request, mixture: model.shape.mixture !== null }));
  requireUnits(model, taps);
  return taps;
}

/** Tokens a chunk may hold: as many as are worth it, fewer where memory is short. */
function chunkTokens(request: PlanRequest): number {
  const { model, grid, memoryBytes } = request;
  const lengths = grid.cells.flatMap((row) => row.flatMap((cell) => cell?.ids.length ?? []));
  const longestPrompt = Math.max(...lengths);
  const needs = memoryNeeds(model, tapsOf(request), {
    longestPrompt,
    tokensPerPrompt: lengths.reduce((a, b) => a + b, 0) / lengths.length,
  });
  if (chooseResidency(needs, CHUNK_TOKENS, memoryBytes).resident) return CHUNK_TOKENS;
  const fit = tokensThatFit(needs, memoryBytes);
  if (fit >= longestPrompt) return Math.min(fit, CHUNK_TOKENS);
  const least = memoryBytes + (longestPrompt - fit) * needs.bytesPerToken;
  throw new UsageError({
    what: 'the memory does not hold one layer and one prompt',
    where: '--memory',
    expected: `at least ${Math.ceil(least / 2 ** 20)}MiB`,
    found: `${Math.floor(memoryBytes / 2 ** 20)}MiB`,
    remedy: 'raise --memory',
  });
}

/**
 * SHA-256 over what a part must have been made with: model, probes, plan and versions. By what name the model's commit
 * was asked for is none of it.
 */
export function hashPlan({
  model: { ref: _, adapter, ...base },
  shape,
  probe,
  plan,
  babelscope,
  onnxruntime,
}: Omit<RunManifest, 'planSha256'>): string {
  const model = { ...base, adapter: adapter === null ? null : { ...adapter, ref: null } };
  const identity = { babelscope, onnxruntime, model, shape, probe, plan };
  return createHash('sha256')
    .update(JSON.stringify(sorted(identity)))
    .digest('hex');
}

/** The same value whatever order its keys were set in. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry)]),
  );
}
