import { OriginError } from './errors.ts';
import { httpUrl } from './httpUrl.ts';
import { describeUrl } from './text.ts';

/**
 * Returns the URL of a request, or throws an {@link OriginError} if no request may be sent there.
 *
 * The error shows neither credentials nor query, as that of `new URL` does.
 *
 * @param what What has the URL, for the error.
 */
export function requestUrl(text: string, what: string): URL {
  const url = httpUrl(text);
  if (url === undefined) throw new OriginError(undefined, describeUrl(text), what);
  return url;
}
