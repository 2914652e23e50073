import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { Graph, gemm, serialize } from '../graph/index.js';
import { onnxruntime } from './onnxruntime.js';

/**
 * Physical cores this process may run on: matrix products gain nothing from a second hardware thread a core, and lose
 * where the runtime's threads outnumber a container's share. On Linux, cores among the CPUs of the process's affinity
 * mask, and no more than its cgroup's quota; elsewhere what Node reports as available.
 */
export function physicalCores(): number {
  const available = availableParallelism();
  if (process.platform !== 'linux') return available;
  const cores = coresOfAffinityMask() ?? available;
  return Math.max(1, Math.min(cores, available, cgroupQuota()));
}

function coresOfAffinityMask(): number | null {
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readText('/proc/self/status') ?? '')?.[1];
  if (allowed === undefined) return null;
  const cores = new Set<string>();
  for (const cpu of parseCpuList(allowed)) {
    const siblings = readText(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`);
    if (siblings === null) return null;
    cores.add(siblings.trim());
  }
  return cores.size > 0 ? cores.size : null;
}

/** `0-3,8` → [0, 1, 2, 3, 8], the kernel's list format. */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
}

/** CPUs of cgroup v2's `cpu.max` (`200000 100000` → 2), Infinity without a limit. */
function cgroupQuota(): number {
  const [quota, period] = (readText('/sys/fs/cgroup/cpu.max') ?? 'max').trim().split(' ').map(Number);
  return Number.isFinite(quota) && Number.isFinite(period)
    ? Math.max(1, Math.floor(quota! / period!))
    : Infinity;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

export interface GemmShape {
  readonly inSize: number;
  readonly outSize: number;
}

/** Rows of the product: enough for full speed. */
const ROWS = 512;
/** Larger weights run no faster; these take 34 MB. */
const MOST_IN = 2048;
const MOST_OUT = 4096;
const ROUNDS = 4;

/**
 * Speed of fp32 matrix products as a layer computes them, in 10⁹ floating-point operations a second: the best of some
 * rounds, since other work on the machine only ever slows one down. Takes about a fifth of a second, during which the
 * event loop is blocked.
 */
export async function measureGflops(shape: GemmShape, threads = physicalCores()): Promise<number> {
  const [inSize, outSize] = [Math.min(shape.inSize, MOST_IN), Math.min(shape.outSize, MOST_OUT)];
  const graph = new Graph('gemm rate');
  const x = graph.input('x', 'float32', ['rows', inSize]);
  const weight = graph.float(new Float32Array(outSize * inSize).fill(0.5), [outSize, inSize]);
  graph.output('y', gemm(x, weight));
  const ort = await onnxruntime();
  const session = await ort.InferenceSession.create(serialize(graph), { intraOpNumThreads: threads });
  try {
    const feeds = { x: new ort.Tensor('float32', new Float32Array(ROWS * inSize).fill(0.5), [ROWS, inSize]) };
    let best = Number.POSITIVE_INFINITY;
    // The first round warms up.
    for (let round = 0; round <= ROUNDS; round++) {
      const start = performance.now();
      await session.run(feeds);
      if (round > 0) best = Math.min(best, performance.now() - start);
    }
    return (2 * ROWS * inSize * outSize) / (best * 1e6);
  } finally {
    await session.release();
  }
}

const packageJson: unknown = createRequire(import.meta.url)('onnxruntime-node/package.json');

/** Version of onnxruntime that runs the graphs. */
export const ONNXRUNTIME_VERSION = (packageJson as { version: string }).version;
