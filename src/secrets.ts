/** Replaced in everything that a user may be shown: tokens and passwords that this process was given. */
const secrets = new Set<string>();
/** Shorter ones would hide parts of ordinary words. */
const SHORTEST = 3;

/** Keeps a token or password out of every message from here on, also as it stands in addresses and in JSON. */
export function keepSecret(secret: string): void {
  for (const written of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
    if (written.length >= SHORTEST) secrets.add(written);
}

/** A text with `***` in the place of each secret. */
export function redact(text: string): string {
  let redacted = text;
  // The longest first: a secret may be a part of another.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length))
    redacted = redacted.replaceAll(secret, '***');
  return redacted;
}

/** An error's cause as it may be shown: one that names a secret is replaced by its message alone. */
export function redactCause(cause: unknown): unknown {
  if (secrets.size === 0) return cause;
  for (let error = cause, depth = 0; error instanceof Error && depth < 8; error = error.cause, depth++) {
    const shown = `${error.stack ?? ''}${error.message}`;
    if (redact(shown) !== shown) return new Error(redact(error.message));
  }
  return typeof cause === 'string' ? redact(cause) : cause;
}
