import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

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
