import { catchError, map, type Observable, of } from 'rxjs';
import { switchWhen } from '../../core/rx/switchWhen.ts';
import { type HttpResponse, type Middleware, readText } from '../../core/transport/transport.ts';
import { type TokenProvider, withToken } from '../../core/auth/withToken.ts';
import { reasonIn } from '../protocol/request.ts';

const CHALLENGE = 'www-authenticate';
const MAX_REFUSAL_BYTES = 65_536;

/** Returns whether a response refuses its token, after {@link exposeTokenRefusal}. */
export function refusesToken({ status, headers }: HttpResponse): boolean {
  return status === 401 || (status === 403 && headers.get(CHALLENGE) !== undefined);
}

/**
 * Returns a Transport whose responses show a refused token in their headers.
 *
 * A 403 may show it only in its body, by the subcode `InvalidToken`.
 *
 * @see [MS-UCWA] ErrorsAndInformationalMessages
 */
export const exposeTokenRefusal: Middleware = (transport) => (request) =>
  transport(request).pipe(
    switchWhen((response) =>
      response.status === 403 && !refusesToken(response) ? revealed(response) : undefined,
    ),
  );

/**
 * Returns the middleware that signs requests to UCWA with a token.
 *
 * It requests a new token when the headers or the body of a response refuse the current one.
 */
export function withUcwaToken(token: TokenProvider, allowInsecureHttp = false): Middleware {
  const sign = withToken(token, { refused: refusesToken, allowInsecureHttp });
  return (transport) => sign(exposeTokenRefusal(transport));
}

function revealed(response: HttpResponse): Observable<HttpResponse> {
  return readText(response, 'error', MAX_REFUSAL_BYTES).pipe(
    catchError(() => of('')),
    map((text) => {
      const body$ = of(new TextEncoder().encode(text));
      if (reasonIn(text)?.subcode !== 'InvalidToken') return { ...response, body$ };
      const { headers } = response;
      const get = (name: string): string | undefined =>
        name.toLowerCase() === CHALLENGE ? 'Bearer error="invalid_token"' : headers.get(name);
      return { ...response, headers: { get }, body$ };
    }),
  );
}
