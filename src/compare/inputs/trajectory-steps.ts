import { UsageError } from '../../errors.js';

const STEP_IN_LABEL = /step[-_]?(\d+)/i;

/**
 * The training step of each run of a trajectory: as given, or from its label (`base@step1000`, `step-2000`).
 *
 * @returns by label, in the order of the runs.
 * @throws UsageError with fewer than three runs, a run without a step, or a step twice.
 */
export function trajectorySteps(
  runs: readonly { readonly label: string; readonly step: number | undefined }[],
): Map<string, number> {
  const nameSteps = 'give --steps, one for each run, or labels such as base@step1000';
  const refuse = (what: string, expected: string, found: string, remedy = nameSteps): never => {
    throw new UsageError({ what, where: '--trajectory', expected, found, remedy });
  };
  if (runs.length < 3) {
    refuse(
      'a trajectory needs more runs',
      'three runs or more',
      String(runs.length),
      'compare more checkpoints of the training run, or leave out --trajectory',
    );
  }
  const steps = new Map<string, number>();
  for (const { label, step } of runs) {
    const found = step ?? Number(STEP_IN_LABEL.exec(label)?.[1] ?? Number.NaN);
    if (!Number.isFinite(found)) refuse('a run of the trajectory has no step', 'a step for each run', label);
    if ([...steps.values()].includes(found)) {
      refuse('two runs of the trajectory have the same step', 'a step of its own for each run', `${found}`);
    }
    steps.set(label, found);
  }
  return steps;
}
