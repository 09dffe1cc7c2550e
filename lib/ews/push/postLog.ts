import { mergeMap, of, Subject, tap } from 'rxjs';
import { headersFrom, type HttpResponse, type Middleware } from '../../core/transport/transport.ts';
import type { PushRequest } from './pushRequest.ts';

/**
 * Returns a function that adds posts to the request log of a connection, with the status of their responses.
 *
 * @param url The URL that is posted to.
 */
export function postLog(logged: Middleware, url: string): (post: PushRequest) => PushRequest {
  return ({ body$, respond, ...post }) => {
    const response$ = new Subject<HttpResponse>();
    let bytes = 0;
    logged(() => response$)({ method: 'POST', url })
      .pipe(mergeMap((response) => response.body$))
      .subscribe();
    return {
      ...post,
      body$: body$.pipe(tap(({ byteLength }) => (bytes += byteLength))),
      respond: (response) => {
        respond(response);
        const { status, headers } = response;
        // The log counts the bytes of the body that it passes on: here those of the post.
        const posted$ = of(new Uint8Array(bytes));
        response$.next({ status, url, headers: headersFrom(headers), body$: posted$ });
        response$.complete();
      },
    };
  };
}
