import type { Trial } from './trial.js';
import { disks } from './trials/disks.js';
import { files } from './trials/files.js';
import { flips } from './trials/flips.js';
import { ioErrors } from './trials/io-errors.js';
import { kills } from './trials/kills.js';
import { loop } from './trials/loop.js';
import { servers } from './trials/servers.js';
import { signals } from './trials/signals.js';
import { writers } from './trials/writers.js';

/** Every kind of trial, in the order in which they run. */
export const TRIALS: readonly Trial[] = [
  kills,
  signals,
  disks,
  ioErrors,
  flips,
  writers,
  files,
  servers,
  loop,
];
