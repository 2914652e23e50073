/** A thread that computes how scores of units differ between two runs. */
import { workerData } from 'node:worker_threads';
import { answerTasks } from '../../runtime/index.js';
import type { ChangeSettings } from './change-task.js';
import { ChangeTaskRunner } from './change-task-runner.js';

answerTasks(ChangeTaskRunner.start(workerData as ChangeSettings), ({ reference, other, se, miShift }) => [
  reference,
  other,
  se,
  miShift,
]);
