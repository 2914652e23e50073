import type { z } from 'zod';
import { type ErrorDetails, ProbeError } from '../errors.js';

/** Takes a fault that makes a set unusable. Loading throws it; checking writes it down and goes on. */
export type ReportProblem = (problem: ErrorDetails) => void;

export const throwProblem: ReportProblem = (problem) => {
  throw new ProbeError(problem);
};

/** Runs `attempt`; a ProbeError it throws goes to `report`, and the answer is then undefined. */
export function attempt<T>(action: () => T, report: ReportProblem): T | undefined {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error;
    report(error.details);
    return undefined;
  }
}

/** The first thing a schema found wrong, as `field: message`. */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'not of the expected shape';
  return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`;
}
