import { asyncScheduler, map, Observable, type SchedulerAction, type Subscriber, tap } from 'rxjs';
import { DecodeError, NetworkError, NO_RESPONSE } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { describeUrl } from '../text.ts';
import type { HttpRequest, HttpResponse, Middleware } from './transport.ts';

/** The limits of one response; `Infinity` sets none. */
export type ResponseLimits = Pick<
  Required<Limits>,
  'headersSeconds' | 'silenceSeconds' | 'responseSeconds' | 'responseBytes'
>;

/** The time at which a response is too late, and the error message. */
interface Deadline {
  readonly at: number;
  readonly what: string;
  readonly code?: string;
}

const NO_DEADLINE: Deadline = { at: Infinity, what: '' };

/**
 * Returns a Middleware that limits the time and the bytes of responses.
 *
 * A late response is a {@link NetworkError} that names the exceeded limit, a large one is a {@link
 * DecodeError}. Both abort the request. The time begins with the subscription: place it next to the network,
 * below all queues.
 *
 * @param longPollSeconds How long the server may hold the request: added to the limits for the head and the
 * whole response. @default 0
 */
export function withLimits(limits: ResponseLimits, longPollSeconds = 0): Middleware {
  const { headersSeconds, silenceSeconds, responseSeconds, responseBytes } = limits;

  const headDeadline = (sentAt: number): Deadline => {
    const seconds = headersSeconds + longPollSeconds;
    const what = `no head of a response within ${seconds} seconds`;
    return { at: sentAt + seconds * 1000, what, code: NO_RESPONSE };
  };
  const silence = `no byte of the response for ${silenceSeconds} seconds`;
  const endDeadline = (sentAt: number): Deadline => {
    const seconds = responseSeconds + longPollSeconds;
    return { at: sentAt + seconds * 1000, what: `no end of the response within ${seconds} seconds` };
  };

  const bounded = (body$: Observable<Uint8Array>, request: HttpRequest, end: Deadline): typeof body$ =>
    new Observable((subscriber) => {
      let heardAt = asyncScheduler.now();
      let bytes = 0;
      const note = (chunk: Uint8Array): void => {
        heardAt = asyncScheduler.now();
        bytes += chunk.length;
        if (bytes > responseBytes) throw tooLarge(request, responseBytes);
      };
      body$.pipe(tap(note)).subscribe(subscriber);
      failAt(() => sooner({ at: heardAt + silenceSeconds * 1000, what: silence }, end), request, subscriber);
    });

  return (transport) => (request) =>
    new Observable((subscriber) => {
      const sentAt = asyncScheduler.now();
      const end = endDeadline(sentAt);
      let deadline = sooner(headDeadline(sentAt), end);
      const boundedBody = map((response: HttpResponse) => {
        deadline = NO_DEADLINE;
        return { ...response, body$: bounded(response.body$, request, end) };
      });
      transport(request).pipe(boundedBody).subscribe(subscriber);
      failAt(() => deadline, request, subscriber);
    });
}

function sooner(one: Deadline, other: Deadline): Deadline {
  return other.at < one.at ? other : one;
}

/** Errors at a deadline that may move: one timer, because `timeout` would start one per chunk. */
function failAt(deadline: () => Deadline, request: HttpRequest, subscriber: Subscriber<unknown>): void {
  const leftMs = (): number => deadline().at - asyncScheduler.now();
  // Infinity means no deadline.
  if (subscriber.closed || leftMs() === Infinity) return;
  subscriber.add(
    asyncScheduler.schedule(function (this: SchedulerAction<void>) {
      const ms = leftMs();
      if (ms === Infinity) return;
      if (ms > 0) this.schedule(undefined, ms);
      else subscriber.error(new NetworkError(deadline().what, request, { code: deadline().code }));
    }, leftMs()),
  );
}

function tooLarge(request: HttpRequest, responseBytes: number): DecodeError {
  return new DecodeError(`the response to ${request.method} ${describeUrl(request.url)}`, {
    path: '',
    expected: `at most ${responseBytes} bytes`,
    actual: 'more',
  });
}
