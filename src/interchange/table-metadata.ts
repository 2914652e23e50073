import { z } from 'zod';
import { RunError } from '../errors.js';
import { parseJson } from '../read-json.js';

const languagesSchema = z.array(
  z.object({ tag: z.string(), prompts: z.number().nullish(), tokens: z.number().nullish() }),
);

/** The languages that the metadata of a table list. @throws RunError if they do not */
export function languagesIn(json: string, folder: string): z.infer<typeof languagesSchema> {
  const languages = languagesSchema.safeParse(parsed(json));
  if (languages.success) return languages.data;
  throw unusable('the languages in its metadata', folder, json);
}

/** The value of a JSON text in the metadata of a table; undefined where it is none. */
export function parsed(json: string): unknown {
  try {
    return parseJson(json);
  } catch {
    return undefined;
  }
}

/** A table that babelscope did not write so. */
export function unusable(part: string, folder: string, found: string): RunError {
  return new RunError({
    what: `a table cannot be read: ${part} are unusable`,
    where: folder,
    found,
    remedy: 'write it again with `babelscope score`, or import again',
  });
}
