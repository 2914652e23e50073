import { z } from 'zod';
import { BabelscopeError, HubError, InterruptedError } from '../../errors.js';
import type { HubFile } from './download-blob.js';
import { AnswerError, readText, unreachable } from './hub-fetch.js';
import type { HubReference, HubSettings } from './reference.js';

const commitSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });
const entrySchema = z.object({
  path: z.string(),
  size: z.number().int().nonnegative(),
  oid: z.string().regex(/^[0-9a-f]{40}$/),
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().int().nonnegative() }).optional(),
});

/**
 * The commit a revision stands for, and the files at the top of the repository there.
 *
 * @throws HubError if the answers are none of the hub's, too many or too large; else as `fetch` does
 */
export async function listModel(
  reference: HubReference,
  { endpoint: hubUrl }: HubSettings,
  given: typeof globalThis.fetch,
  signal: AbortSignal | undefined,
): Promise<{ commit: string; files: ReadonlyMap<string, HubFile> }> {
  // Not at the top: most commands never ask the hub.
  const { listFiles, modelInfo } = await import('@huggingface/hub');
  const { name, revision } = reference;
  const files = new Map<string, HubFile>();
  const fetch = boundedFetch(given, (url, cause) =>
    signal?.aborted
      ? new InterruptedError({ what: 'interrupted' }, { cause })
      : unreachable(url, reference, cause),
  );
  try {
    const { sha } = commitSchema.parse(
      await modelInfo({ name, revision, additionalFields: ['sha'], hubUrl, fetch }),
    );
    for await (const entry of listFiles({ repo: name, revision: sha, hubUrl, fetch })) {
      if (entry.type !== 'file') continue;
      const { path, size, oid, lfs } = entrySchema.parse(entry);
      files.set(
        path,
        lfs === undefined
          ? { path, bytes: size, oid, digest: 'git-sha1' }
          : { path, bytes: lfs.size, oid: lfs.oid, digest: 'sha256' },
      );
    }
    return { commit: sha, files };
  } catch (cause) {
    const ofAnswer = [z.ZodError, SyntaxError, AnswerError].some((kind) => cause instanceof kind);
    if (!ofAnswer || cause instanceof BabelscopeError || !(cause instanceof Error)) throw cause;
    throw new HubError(
      {
        what: 'the answer is not one of the Hugging Face hub',
        where: hubUrl,
        found: cause instanceof z.ZodError ? z.prettifyError(cause) : cause.message,
        remedy: 'check HF_ENDPOINT and what stands between you and the hub (a proxy, a login page)',
      },
      { cause },
    );
  }
}

/** Pages of a listing that are asked for; the hub puts a thousand files on one. */
const MOST_ANSWERS = 100;
const MOST_SECONDS = 300;
const MOST_BYTES = 20e6;
const revisionSchema = z.looseObject({});
const pageSchema = z.array(z.looseObject({ type: z.string() }));

/**
 * `fetch` for the answers in JSON, the revision first and then pages of files: so many of such a size, and of the shape that the
 * hub's library takes for granted.
 */
function boundedFetch(
  fetch: typeof globalThis.fetch,
  broken: (url: URL, cause: unknown) => Error,
): typeof globalThis.fetch {
  let answers = 0;
  const end = performance.now() + MOST_SECONDS * 1000;
  return async (input, init) => {
    if (++answers > MOST_ANSWERS)
      throw new AnswerError(`the listing of files has more than ${MOST_ANSWERS} pages`);
    if (performance.now() > end)
      throw new AnswerError(`the listing of files takes more than ${MOST_SECONDS} s`);
    const response = await fetch(input, init);
    const text = await readText(response, MOST_BYTES).catch((cause: unknown) => {
      throw cause instanceof AnswerError ? cause : broken(new URL(response.url), cause);
    });
    (answers === 1 ? revisionSchema : pageSchema).parse(JSON.parse(text));
    // The link to the next page, and nothing else, is looked at.
    const link = response.headers.get('link');
    return new Response(text, { headers: link === null ? {} : { link } });
  };
}
