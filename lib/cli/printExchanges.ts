import { asyncScheduler, defer, finalize, mergeMap, type Observable, of, tap } from 'rxjs';
import { excerpt } from '../core/text.ts';
import { shownPath } from '../core/transport/requestLog.ts';
import {
  type HttpRequest,
  type HttpResponse,
  type Middleware,
  readText,
} from '../core/transport/transport.ts';
import type { Terminal } from './terminal.ts';

/**
 * Returns a Transport that writes each exchange as one line: method, path, status and milliseconds, and for
 * SOAP the operation and the response code. Nothing of a query is written, and no part has more than 300 characters.
 */
export function printExchanges(terminal: Terminal): Middleware {
  return (transport) => (request) =>
    defer(() => {
      const begun = asyncScheduler.now();
      let isAnswered = false;
      const print = (result: string): void => {
        isAnswered = true;
        const path = shownPath(request.url);
        const ms = Math.round(asyncScheduler.now() - begun);
        terminal.out(`  → ${request.method} ${path}${operationIn(request)}  ${excerpt(result)}  ${ms} ms`);
      };
      return transport(request).pipe(
        mergeMap((response) => {
          const tell = (code: string): void => print(`${response.status}${code}`);
          // A stream has no end to wait for.
          return isStream(request) ? told(response, tell) : peeked(response, tell);
        }),
        tap({
          error: (error: unknown) => {
            print(error instanceof Error ? error.message : String(error));
          },
        }),
        finalize(() => {
          if (!isAnswered) print('left while it waited');
        }),
      );
    });
}

function operationIn({ body = '' }: HttpRequest): string {
  const [, name] = /<soap:Body><m:(\w{1,64})/.exec(body) ?? [];
  return name === undefined ? '' : ` ${name}`;
}

function isStream(request: HttpRequest): boolean {
  return operationIn(request) === ' GetStreamingEvents';
}

function told(response: HttpResponse, tell: (code: string) => void): Observable<HttpResponse> {
  tell('');
  return of(response);
}

/** The response, after its SOAP code was told; what is not SOAP is passed on as it comes. */
function peeked(response: HttpResponse, tell: (code: string) => void): Observable<HttpResponse> {
  if (response.headers.get('content-type')?.startsWith('text/xml') !== true) {
    return told(response, tell);
  }
  return readText(response, 'SOAP response').pipe(
    mergeMap((text) => {
      const [, code] = /ResponseCode>(\w{1,64})</.exec(text) ?? [];
      tell(code === undefined ? '' : ` ${code}`);
      return of({ ...response, body$: of(new TextEncoder().encode(text)) });
    }),
  );
}
