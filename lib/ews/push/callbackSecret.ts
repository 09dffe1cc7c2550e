/** The query parameter of a callback URL that contains the secret. */
export const SECRET_PARAMETER = 'pushKey';

const SECRET_BYTES = 16;

/** Returns a new secret: 128 random bits as hexadecimal digits. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Returns a callback URL with a secret as the last parameter of its query. */
export function withSecret(callbackUrl: string, secret: string): string {
  const url = new URL(callbackUrl);
  // Appended as text: `searchParams` would rewrite the caller's own query.
  url.search = `${url.search}${url.search === '' ? '?' : '&'}${SECRET_PARAMETER}=${secret}`;
  return url.href;
}

/** Returns the secret in the query of an absolute or a relative URL, or undefined if there is none. */
export function secretIn(url: string): string | undefined {
  const mark = url.indexOf('?');
  return mark < 0 ? undefined : (new URLSearchParams(url.slice(mark)).get(SECRET_PARAMETER) ?? undefined);
}
