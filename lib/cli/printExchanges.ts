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
 * Returns middleware that prints each exchange as one line: method, path, status and milliseconds.
 *
 * For SOAP it also prints the operation and the response code. Queries are omitted, and texts are limited to
 * 300 characters.
 */
export function printExchanges(terminal: Terminal): Middleware {
  return (transport) => (request) =>
    defer(() => {
      const startedAt = asyncScheduler.now();
      let isPrinted = false;
      const print = (result: string): void => {
        isPrinted = true;
        const path = shownPath(request.url);
        const ms = Math.round(asyncScheduler.now() - startedAt);
        terminal.out(`  → ${request.method} ${path}${operationIn(request)}  ${excerpt(result)}  ${ms} ms`);
      };
      return transport(request).pipe(
        mergeMap((response) => {
          const printStatus = (code: string): void => print(`${response.status}${code}`);
          // The body of a stream has no end to wait for.
          return isStream(request) ? unread(response, printStatus) : read(response, printStatus);
        }),
        tap({
          error: (error: unknown) => {
            print(error instanceof Error ? error.message : String(error));
          },
        }),
        finalize(() => {
          if (!isPrinted) print('cancelled');
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

function unread(response: HttpResponse, printStatus: (code: string) => void): Observable<HttpResponse> {
  printStatus('');
  return of(response);
}

/** Prints the response code of SOAP; other responses pass unread. */
function read(response: HttpResponse, printStatus: (code: string) => void): Observable<HttpResponse> {
  if (response.headers.get('content-type')?.startsWith('text/xml') !== true) {
    return unread(response, printStatus);
  }
  return readText(response, 'SOAP response').pipe(
    mergeMap((text) => {
      const [, code] = /ResponseCode>(\w{1,64})</.exec(text) ?? [];
      printStatus(code === undefined ? '' : ` ${code}`);
      return of({ ...response, body$: of(new TextEncoder().encode(text)) });
    }),
  );
}
