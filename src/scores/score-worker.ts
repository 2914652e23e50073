/** A thread that computes pieces of a run's scores. */
import { workerData } from 'node:worker_threads';
import { answerTasks } from '../runtime/index.js';
import type { ScoreResult, ScoreSettings } from './score-task.js';
import { ScoreTaskRunner } from './score-task-runner.js';

answerTasks(ScoreTaskRunner.start(workerData as ScoreSettings), arraysOf);

function* arraysOf({ ofUnits, ofLanguages, halves }: ScoreResult) {
  yield* Object.values(ofLanguages);
  yield* Object.values(ofUnits);
  for (const [, , values] of halves) yield values;
}
