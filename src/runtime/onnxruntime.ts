import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import type * as Onnxruntime from 'onnxruntime-node';
import { messageOf, UsageError } from '../errors.js';

const SWITCH = 'ORT_DISABLE_TELEMETRY';
const REMEDY = `set ${SWITCH}=1 before the program starts, or import babelscope before any other user of onnxruntime`;

const given = process.env[SWITCH] === '1';
/** Whether another program in this thread loaded the library first: a later change of the environment stops nothing. */
const loadedBefore = !given && isLoaded();
// Whoever loads onnxruntime after babelscope finds the switch set, but not in a thread with an environment of its own.
process.env[SWITCH] = '1';

let loading: Promise<typeof Onnxruntime> | null = null;

/**
 * onnxruntime, loaded on the first call. Nothing else in babelscope loads it.
 *
 * The library sends telemetry unless the process's environment holds `ORT_DISABLE_TELEMETRY=1` when its first session
 * is made. So the switch is set first, whatever the user set, and looked up again where the library will look.
 *
 * @param assured Whether the thread that started this one has called `forbidTelemetry`: not every engine lets a thread look.
 * @throws UsageError if the switch cannot be set, or if another program loaded the library without it
 */
export function onnxruntime(assured = false): Promise<typeof Onnxruntime> {
  loading ??= forbidTelemetry(assured).then(() => import('onnxruntime-node'));
  return loading;
}

/** @throws UsageError as `onnxruntime` does */
export async function forbidTelemetry(assured = false): Promise<void> {
  if (loadedBefore) {
    throw new UsageError({
      what: 'onnxruntime was loaded before babelscope, and sends telemetry of its own',
      expected: `${SWITCH}=1 in the environment`,
      remedy: REMEDY,
    });
  }
  if (isForbidden(assured || given || (isMainThread && process.env[SWITCH] === '1'))) return;
  process.env[SWITCH] = '1';
  // A thread's environment is a copy as a rule, and the library reads that of the process.
  let cause: unknown;
  if (!isMainThread) await setInMainThread().catch((error: unknown) => (cause = error));
  if (isForbidden(cause === undefined)) return;
  throw new UsageError(
    {
      what: 'the telemetry of onnxruntime cannot be switched off from this thread',
      expected: `${SWITCH}=1 in the environment`,
      ...(cause !== undefined && { found: messageOf(cause) }),
      remedy: REMEDY,
    },
    { cause },
  );
}

/**
 * Whether the environment of the process itself, not this thread's copy, holds the switch. Takes some milliseconds.
 *
 * @param otherwise The answer where it cannot be seen: Deno, and Node below 20.13, whose reports look up host names.
 */
function isForbidden(otherwise: boolean): boolean {
  const { report } = process as { report?: NodeJS.ProcessReport & { excludeNetwork?: boolean } };
  const before = report?.excludeNetwork;
  if (report === undefined || before === undefined) return otherwise;
  report.excludeNetwork = true;
  try {
    const { environmentVariables } = report.getReport() as {
      environmentVariables: Record<string, string | undefined>;
    };
    return environmentVariables[SWITCH] === '1';
  } finally {
    report.excludeNetwork = before;
  }
}

/** Node lets a thread evaluate an expression in the main one, even while that is busy. */
async function setInMainThread(): Promise<void> {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connectToMainThread();
  try {
    await session.post('Runtime.evaluate', { expression: `process.env.${SWITCH} = '1'` });
  } finally {
    session.disconnect();
  }
}

/** Whether this thread loaded the library already. */
function isLoaded(): boolean {
  const require = createRequire(import.meta.url);
  return require.cache[require.resolve('onnxruntime-node')] !== undefined;
}
