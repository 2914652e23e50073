// Captures in a process of its own, which dies as with `kill -9` when it is about to give its n-th file its name.
// Arguments: the options as JSON, and n (from 0).
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { rename } = promises;
let left = Number(process.argv[3]);
promises.rename = (from, to) => {
  if (left-- === 0) process.kill(process.pid, 'SIGKILL');
  return rename(from, to);
};
syncBuiltinESMExports();

const { capture } = await import('../../.transpiled/capture/index.js');
try {
  await capture(JSON.parse(process.argv[2]));
} catch (error) {
  console.error(error.message);
  process.exit(error.exitCode ?? 1);
}
