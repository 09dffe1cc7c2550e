import { catchError, map, type Observable, of } from 'rxjs';
import { switchWhen } from '../../core/rx/switchWhen.ts';
import { type HttpResponse, type Middleware, readText } from '../../core/transport/transport.ts';
import { type TokenProvider, withToken } from '../../core/transport/withToken.ts';
import { reasonIn } from '../protocol/request.ts';

const CHALLENGE = 'www-authenticate';
const MAX_REFUSAL_BYTES = 65_536;

/** Whether an answer says that its token is no good, once it went through {@link exposeTokenRefusal}. */
export function refusesToken({ status, headers }: HttpResponse): boolean {
  return status === 401 || (status === 403 && headers.get(CHALLENGE) !== undefined);
}

/**
 * Returns a Transport whose answers tell in their head that a token was refused: a 403 can say it in its body
 * alone, by the subcode `InvalidToken`. [ErrorsAndInformationalMessages]
 */
export const exposeTokenRefusal: Middleware = (transport) => (request) =>
  transport(request).pipe(
    switchWhen((response) =>
      response.status === 403 && !refusesToken(response) ? revealed(response) : undefined,
    ),
  );

/**
 * Returns what signs requests to UCWA: the token is asked for again when an answer refuses it, in head or
 * body.
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
