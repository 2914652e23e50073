import { z } from 'zod';

const filled = z.string().refine((text) => text.trim() !== '', 'must not be empty');

/** `probe.json`: what a probe set says about itself. */
export const probeHeaderSchema = z.strictObject({
  name: filled,
  version: filled,
  kind: z.enum(['text', 'fact']),
  /** SPDX expression, or a sentence where none fits. */
  licence: filled,
  source: filled,
  languages: z
    .array(
      z.strictObject({
        tag: filled,
        name: filled,
        script: z.string().regex(/^[A-Z][a-z]{3}$/, 'must be an ISO 15924 code, for example Latn'),
        family: filled,
      }),
    )
    .min(1),
  description: filled.optional(),
});

const prompt = z.strictObject({
  text: z.string(),
  answer: z.string().optional(),
  candidates: z.array(z.string()).min(2).optional(),
  candidateIds: z.array(z.string()).optional(),
});

const meta = z.record(z.string(), z.unknown()).optional();

/** A line of `items.jsonl`. */
export const promptRowSchema = z.strictObject({ id: filled, prompts: z.record(z.string(), prompt), meta });

/** A line of `items.jsonl` without answers: `{"id", "text": {lang: …}}`. */
export const textRowSchema = z.strictObject({ id: filled, text: z.record(z.string(), z.string()), meta });

export type ProbeHeader = z.infer<typeof probeHeaderSchema>;
export type PromptRow = z.infer<typeof promptRowSchema>;

/** The first thing a schema found wrong, as `field: message`. */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'not of the expected shape';
  return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`;
}
