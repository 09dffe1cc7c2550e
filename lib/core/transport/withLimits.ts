import { asyncScheduler, map, Observable, type SchedulerAction, type Subscriber, tap } from 'rxjs';
import { DecodeError, NetworkError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { describeUrl } from '../text.ts';
import type { HttpRequest, HttpResponse, Middleware } from './transport.ts';

/** The limits of one response; `Infinity` sets none. */
export type ResponseLimits = Pick<
  Required<Limits>,
  'headersSeconds' | 'silenceSeconds' | 'responseSeconds' | 'responseBytes'
>;

/** When a response is too late, and the error message for that. */
interface Deadline {
  readonly at: number;
  readonly what: string;
}

const NO_DEADLINE: Deadline = { at: Infinity, what: '' };

/**
 * Returns a Transport whose responses are bounded in time and in bytes.
 *
 * Time runs from the subscription, so it belongs next to the network, below all that waits before it sends. A
 * response that is late is a {@link NetworkError} that says which limit it exceeded; one that is too large is a
 * {@link DecodeError}. Both abort the request.
 *
 * @param heldSeconds How long the server may hold the request back: added to the time for the head and for the
 * whole response. @default 0
 */
export function withLimits(limits: ResponseLimits, heldSeconds = 0): Middleware {
  const { headersSeconds, silenceSeconds, responseSeconds, responseBytes } = limits;

  const headDeadline = (sentAt: number): Deadline => {
    const seconds = headersSeconds + heldSeconds;
    return { at: sentAt + seconds * 1000, what: `no head of a response within ${seconds} seconds` };
  };
  const silence = `no byte of the response for ${silenceSeconds} seconds`;
  const endDeadline = (sentAt: number): Deadline => {
    const seconds = responseSeconds + heldSeconds;
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

/** Errors at a deadline that may move: one timer in all, because `timeout` would start one for each chunk. */
function failAt(deadline: () => Deadline, request: HttpRequest, subscriber: Subscriber<unknown>): void {
  const leftMs = (): number => deadline().at - asyncScheduler.now();
  // No timer can wait for Infinity.
  if (subscriber.closed || leftMs() === Infinity) return;
  subscriber.add(
    asyncScheduler.schedule(function (this: SchedulerAction<void>) {
      const ms = leftMs();
      if (ms === Infinity) return;
      if (ms > 0) this.schedule(undefined, ms);
      else subscriber.error(new NetworkError(deadline().what, request));
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
