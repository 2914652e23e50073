import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './temporary-folder.js';

const SOURCE = fileURLToPath(new URL('./network-watch.c', import.meta.url));

/** onnxruntime is silent by itself under these, so that a test would see nothing where something is wrong. */
const SILENCING = ['CI', 'GITHUB_ACTIONS', 'TF_BUILD', 'ORT_RUNNING_UNIT_TESTS'];

export interface NetworkWatch {
  /** Of a process that is to be watched: a home of its own, telemetry asked for, network calls recorded and refused. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether connections and name look-ups are seen too; files always are. */
  readonly seesCalls: boolean;
  /** Why they are not seen; null where they are. */
  readonly reason: string | null;
  /** Each call so far: `connect 192.0.2.1 443`, `getaddrinfo example.org`. */
  calls(): string[];
  /** Files in the home folder. */
  files(): string[];
}

/** Watches native code too, so it needs Linux and a C compiler; without them the reason is printed. */
export function watchNetwork(): NetworkWatch {
  const folder = temporaryFolder();
  const home = join(folder, 'home');
  mkdirSync(home);
  const log = join(folder, 'calls');
  const library = join(folder, 'watch.so');
  const reason = compile(library);
  if (reason !== null) console.warn(`connections are not watched: ${reason}`);
  return {
    env: {
      HOME: home,
      XDG_CACHE_HOME: '',
      ORT_DISABLE_TELEMETRY: '0',
      ...Object.fromEntries(SILENCING.map((name) => [name, ''])),
      ...(reason === null && { LD_PRELOAD: library, NETWORK_WATCH: log }),
    },
    seesCalls: reason === null,
    reason,
    calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
    files: () =>
      readdirSync(home, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(home.length + 1))
        .sort(),
  };
}

function compile(library: string): string | null {
  if (process.platform !== 'linux')
    return `libraries are preloaded on Linux alone, and this is ${process.platform}`;
  const { error, status, stderr } = spawnSync(
    'cc',
    ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl'],
    {
      encoding: 'utf8',
    },
  );
  if (error !== undefined) return `there is no C compiler (${error.message})`;
  return status === 0 ? null : `the C compiler failed: ${stderr}`;
}
