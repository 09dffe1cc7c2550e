import {
  asyncScheduler,
  defer,
  identity,
  merge,
  NEVER,
  noop,
  Observable,
  share,
  Subject,
  type Subscriber,
  Subscription,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { retryAfterOf, backoff, type Pause, retryAfterMs } from './backoff.ts';
import type { StatusTracker } from '../connectionStatus.ts';
import { HttpError, NetworkError } from '../errors.ts';
import { comingOnline } from './online.ts';
import { failureOf, isOfServer, NO_OUTAGE, type Outage, outageAfter, type OutageInput } from './outage.ts';
import type { HttpRequest, HttpResponse, Middleware } from '../transport/transport.ts';
import { requestQueues, type SharedResult, unavailable, unsent, type Waiter } from './requestQueues.ts';
import { DEFAULT_MAX_RETRY_AFTER_MS, type RetryPolicy } from './withRetry.ts';

/**
 * The state of a server by the head of a response.
 *
 * - `answers`: the server works, once the body has ended.
 * - `fails`: the server is temporarily unavailable.
 * - `unclear`: the body decides; its reader calls `answered` or `failed`.
 */
export type Verdict = 'answers' | 'fails' | 'unclear';

/** A group of requests of a connection. */
export interface RequestLine {
  /** Reads the head of a response. */
  readonly verdict: (response: HttpResponse) => Verdict;
  /**
   * Whether these requests are long polls: one of them is a probe only every fourth time, or if no other is
   * queued.
   * @default false
   */
  readonly isHanging?: boolean;
  /**
   * Limits the number of concurrent requests. Requests that it queues when an outage begins wait for the end
   * of the outage instead, so that all fail with a probe, and releases go first.
   * @default no limit
   */
  readonly limit?: Middleware;
}

/** The backoff that all requests of a connection share. */
export interface ConnectionBackoff {
  /** The state of the server. */
  readonly outage: Outage;
  /** Emits when the server answers again after at least two failures in a row. */
  readonly recovered$: Observable<void>;
  /**
   * Emits when the platform comes online. The next probe is sent then, unless the server sent Retry-After.
   */
  readonly online$: Observable<unknown>;
  /** Returns a Middleware that queues requests during an outage. Place it next to the network. */
  readonly gate: (line: RequestLine) => Middleware;
  /**
   * Returns the wait before a request is sent again through the gate.
   *
   * There is none after a failure of the server if the connection has failed as often, because the gate
   * queues the request. It ends early when the platform comes online or the server recovers, unless the
   * server sent Retry-After.
   */
  readonly pause: Pause;
  /** Reports that the body of a response was valid. */
  readonly answered: () => void;
  /**
   * Reports that the body of a response was invalid, or asks to wait.
   *
   * @param error The reason, for the status.
   */
  readonly failed: (askedMs?: number, error?: unknown) => void;
  /**
   * With true, sends queued releases, lets new ones pass, beyond `limit` too, and queues all other requests.
   * With false, ends that; the next probe is due.
   */
  readonly leave: (isLeaving: boolean) => void;
}

/** The error of a request whose limit admits it during an outage. */
const BLOCKED = new Error('blocked by an outage');

/**
 * Creates the backoff of a connection: requests pass as long as the server works, and are queued after a
 * failure.
 *
 * Each time the backoff ends, one of them is sent as the probe: of four in a row two releases, one other
 * short request and one long poll, if there are any. If the probe fails, all queued requests fail without
 * being sent: with a `NetworkError`, or with 503 if the server refused the probe. If it succeeds, all are
 * sent. Unsubscribing from a queued request sends nothing.
 *
 * @param record Called with each failure, and when the server works again.
 */
export function connectionBackoff(
  policy: RetryPolicy = {},
  platform$: Observable<unknown> = NEVER,
  record: StatusTracker['record'] = noop,
): ConnectionBackoff {
  const { maxRetryAfterMs = DEFAULT_MAX_RETRY_AFTER_MS } = policy;
  const queues = requestQueues();
  const recovered = new Subject<void>();
  const left = new Subject<void>();
  let outage = NO_OUTAGE;
  let due = Subscription.EMPTY;
  let dueAt = 0;
  let isSending = false;
  let isLeaving = false;
  let lastProbe: HttpRequest | undefined;
  let lastError: unknown;

  const recordFailure = (error: unknown, attempt: number, retryAt: number): void =>
    record(failureOf(error, attempt, retryAt));

  const change = (input: OutageInput): void => {
    const before = outage;
    outage = outageAfter(before, input, asyncScheduler.now(), policy);
    if (outage === before || input.what === 'probed') return;
    if (outage.failures === 0) record({ type: 'succeeded' });
    else recordFailure(lastError, outage.failures, outage.retryAt);
  };
  const online$ = comingOnline(platform$).pipe(
    tap(() => change({ what: 'online' })),
    share(),
  );

  /** Returns whether a request is not queued. */
  const isPassing = ({ keepalive }: HttpRequest): boolean =>
    isLeaving ? keepalive === true : outage.failures === 0;

  /** Returns whether a request may be sent now, in an outage as the probe. */
  const isOpen = (): boolean => {
    if (outage.failures === 0) return true;
    if (outage.retryAt > asyncScheduler.now()) return false;
    change({ what: 'probed' });
    return true;
  };

  /** A loop instead of recursion: responses may be synchronous. */
  const sendNext = (): void => {
    if (isSending || isLeaving) return;
    isSending = true;
    while (!queues.isEmpty() && isOpen()) {
      const next = queues.next(outage.failures);
      lastProbe = outage.failures === 0 ? undefined : next?.request;
      next?.send();
    }
    isSending = false;
    if (queues.isEmpty()) due.unsubscribe();
    else if (due.closed || dueAt !== outage.retryAt) waitUntilDue();
  };

  /** One timer for all queued requests. */
  const waitUntilDue = (): void => {
    due.unsubscribe();
    dueAt = outage.retryAt;
    const waiting = (due = new Subscription());
    const time$ = timer(Math.max(0, dueAt - asyncScheduler.now()));
    waiting.add(
      merge(time$, online$).subscribe(() => {
        waiting.unsubscribe();
        sendNext();
      }),
    );
  };

  const answered = (): void => {
    const { failures } = outage;
    if (failures === 0) return;
    change({ what: 'answered' });
    sendNext();
    if (failures > 1) recovered.next();
  };

  const failed = (askedMs: number | undefined, error: unknown, result: SharedResult): void => {
    lastError = error;
    const waiting = outage.isProbing ? queues.takeAll() : [];
    change({ what: 'failed', askedMs: askedMs === undefined ? 0 : Math.min(askedMs, maxRetryAfterMs) });
    for (const waiter of waiting) waiter.settle(result);
    sendNext();
  };

  const erred = (cause: unknown): void => {
    if (cause instanceof NetworkError) failed(undefined, cause, unsent(cause));
  };

  const refused = (askedMs?: number, error?: unknown): void => failed(askedMs, error, unavailable(askedMs));

  const receive = (
    response: HttpResponse,
    verdict: Verdict,
    { request }: Waiter,
    subscriber: Subscriber<HttpResponse>,
  ): void => {
    if (verdict === 'fails') {
      const askedMs = retryAfterMs(response.headers.get('retry-after'), asyncScheduler.now());
      refused(askedMs, new HttpError(response.status, request, { retryAfterMs: askedMs }));
      subscriber.next(response);
      return;
    }
    const heard = verdict === 'answers' ? { complete: answered, error: erred } : {};
    let isRead = false as boolean;
    const body$ = defer(() => {
      isRead = true;
      return response.body$.pipe(tap(heard));
    });
    subscriber.next({ ...response, body$ });
    // A body is read only if it is subscribed to while the response is emitted.
    if (!isRead) heard.complete?.();
  };

  return {
    get outage() {
      return outage;
    },
    recovered$: recovered.asObservable(),
    online$,
    gate:
      ({ verdict, isHanging = false, limit = identity }) =>
      (transport) => {
        const limited = limit((request) =>
          isPassing(request) || request === lastProbe ? transport(request) : throwError(() => BLOCKED),
        );
        return (request) =>
          new Observable((subscriber) => {
            const isFree = (): boolean => isLeaving && request.keepalive === true;
            const response$ = defer(() => (isFree() ? transport : limited)(request)).pipe(
              tap({ error: erred }),
            );
            const wait = (): void => {
              queues.add(waiter);
              sendNext();
            };
            const waiter: Waiter = {
              request,
              group: request.keepalive === true ? 'release' : isHanging ? 'hanging' : 'short',
              send: () => {
                queues.delete(waiter);
                // The platform may come online after a probe was sent that will fail.
                if (outage.failures > 0) subscriber.add(online$.subscribe());
                subscriber.add(
                  response$.subscribe({
                    next: (response) => receive(response, verdict(response), waiter, subscriber),
                    error: (error: unknown) => {
                      if (error === BLOCKED) wait();
                      else subscriber.error(error);
                    },
                    complete: () => subscriber.complete(),
                  }),
                );
              },
              settle: (result) => result(request).subscribe(subscriber),
            };
            subscriber.add(() => {
              if (queues.delete(waiter) && queues.isEmpty()) due.unsubscribe();
            });
            if (isPassing(request)) waiter.send();
            else wait();
          });
      },
    pause: (failures, error, shown = error) =>
      defer(() => {
        const askedMs = retryAfterOf(error) ?? 0;
        const inARow = outage.cameOnline ? Math.min(failures, outage.failures) : failures;
        const isShared = inARow <= outage.failures && isOfServer(error);
        // Subscribed to without a gap, so that the platform does not come online unnoticed.
        if (isShared && askedMs <= maxRetryAfterMs) return merge(timer(0), online$).pipe(take(1));
        const waitMs = backoff(inARow, policy, askedMs);
        if (shown !== undefined && !(outage.failures > 0 && isOfServer(shown)))
          recordFailure(shown, inARow, asyncScheduler.now() + waitMs);
        const time$ = timer(waitMs);
        const early$ = askedMs > 0 ? left : merge(online$, recovered, left);
        return merge(time$, early$).pipe(take(1));
      }),
    answered,
    failed: refused,
    leave: (it) => {
      isLeaving = it;
      if (it) {
        due.unsubscribe();
        for (const { send } of queues.of('release')) send();
        left.next();
      } else {
        change({ what: 'online' });
        sendNext();
      }
    },
  };
}
