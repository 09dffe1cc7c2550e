import { map } from 'rxjs';
import { NetworkError, type RequestIdentity } from '../errors.ts';
import type { Middleware } from './transport.ts';

/**
 * Returns a Transport that errors with a {@link NetworkError} when a web page comes in place of a response.
 *
 * A successful response to a request of an API is never a web page: it was sent by something between the
 * client and the server, such as a captive portal. Place it next to the network.
 */
export const withoutWebPages: Middleware = (transport) => (request) =>
  transport(request).pipe(
    map((response) => {
      const { status, headers } = response;
      if (status >= 200 && status < 300 && /html/i.test(headers.get('content-type') ?? ''))
        throw webPage(request);
      return response;
    }),
  );

/** Returns the error for a web page that came in place of a response. */
export function webPage(request: RequestIdentity): NetworkError {
  return new NetworkError(
    'a web page came in place of a response, as from a login page or a captive portal: sign in there, or check the URL',
    request,
  );
}
