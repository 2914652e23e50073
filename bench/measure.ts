import { spawnSync } from 'node:child_process';

/** The built package: what is measured runs as users run it. What a benchmark needs around it comes from the sources. */
export const DIST = new URL('../dist/', import.meta.url).href;

/**
 * Runs JavaScript, which may call `elapsed()`, in a process of its own and prints what that took: time, processor time of
 * all its threads, peak memory.
 */
export function measure(what: string, work: string): void {
  const script = `
    const started = performance.now();
    const elapsed = () => ((performance.now() - started) / 1000).toFixed(0) + ' s';
    ${work}
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const processor = ((userCPUTime + systemCPUTime) / 1e6).toFixed(0) + ' s of processor time';
    console.log(${JSON.stringify(what)}, elapsed(), processor, 'peak memory ' + (maxRSS / 1024).toFixed(0) + ' MiB');`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  process.exitCode = process.exitCode || (status ?? 1);
}
