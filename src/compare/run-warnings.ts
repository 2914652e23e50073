/** Something to know about a run, or about a run against the reference. */
export interface RunWarning {
  readonly label: string;
  /** Label of the reference; null for a warning about the run alone. */
  readonly against: string | null;
  readonly text: string;
}

/** Each text once, in the order of first appearance, with all runs that it is about: `sft, grpo against base: …`. */
export function warningLines(warnings: readonly RunWarning[]): string[] {
  const together = new Map<string, RunWarning & { readonly labels: Set<string> }>();
  for (const warning of warnings) {
    const key = JSON.stringify([warning.against, warning.text]);
    const known = together.get(key);
    if (known === undefined) together.set(key, { ...warning, labels: new Set([warning.label]) });
    else known.labels.add(warning.label);
  }
  return [...together.values()].map(({ labels, against, text }) => {
    const runs = [...labels].join(', ');
    return `${against === null ? runs : `${runs} against ${against}`}: ${text}`;
  });
}
