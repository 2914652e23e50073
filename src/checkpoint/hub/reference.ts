import { UsageError } from '../../errors.js';

/** A model on the Hugging Face hub, as a checkpoint argument names it. */
export interface HubReference {
  /** `org/name`, or `name` for the few repositories without an organisation. */
  readonly name: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

const SCHEME = 'hf://';
const NAME = /^[A-Za-z0-9_][\w.-]*(\/[A-Za-z0-9_][\w.-]*)?$/;
const REVISION = /^[\w+-][\w.+-]*(\/[\w+-][\w.+-]*)*$/;

/** The first name among several: shells leave `@{step1000,step2000}` in quotes as it is. */
const REVISION_ALONE = /[\w+-][\w.+/-]*/;

/**
 * `hf://org/name@revision` → its parts; without `@revision` the revision is `main`. Null for anything that is not
 * an `hf://` address, hence a path.
 *
 * @throws UsageError if the address names no model
 */
export function parseHubReference(source: string): HubReference | null {
  if (!source.startsWith(SCHEME)) return null;
  const [name, revision = 'main'] = source.slice(SCHEME.length).replaceAll('%2F', '/').split(/@(.*)/) as [
    string,
    string?,
  ];
  if (NAME.test(name) && !name.includes('--') && REVISION.test(revision)) return { name, revision };
  throw new UsageError({
    what: 'this is no address of a model on the hub',
    where: source,
    expected: 'hf://org/name or hf://org/name@revision, the revision a branch, a tag or a commit',
    remedy: remedyFor(name, revision),
  });
}

function remedyFor(name: string, revision: string): string {
  if (/^(datasets|spaces)\//.test(name)) return 'give a model: data sets and spaces hold no checkpoint';
  if (NAME.test(name) && /[{},*]/.test(revision))
    return `give one revision, and run the command once for each: hf://${name}@${revision.match(REVISION_ALONE)?.[0] ?? 'main'}`;
  return 'take organisation and name from the address of the model on huggingface.co';
}

/** The address of a reference, as `parseHubReference` reads it. */
export function hubAddress({ name, revision }: HubReference): string {
  return `${SCHEME}${name}@${revision}`;
}
