/** A thread that computes pieces of a run's scores. */
import { workerData } from 'node:worker_threads';
import { answerTasks } from '../../runtime/index.js';
import { ScoreTaskRunner } from './score-task-runner.js';
import type { ScoreResult, ScoreSettings } from './scored-piece.js';

answerTasks(ScoreTaskRunner.start(workerData as ScoreSettings), arraysOf);

function* arraysOf({ ofUnits, ofLanguages, halves }: ScoreResult) {
  for (const values of [...Object.values(ofLanguages), ...Object.values(ofUnits)]) if (values) yield values;
  for (const [, , values] of halves) yield values;
}
