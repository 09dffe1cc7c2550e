import {
  asyncScheduler,
  defer,
  EMPTY,
  finalize,
  map,
  mergeMap,
  noop,
  Observable,
  of,
  type SchedulerLike,
  type Subscriber,
  Subscription,
  take,
  tap,
  throwIfEmpty,
  timer,
} from 'rxjs';
import { retryAfterMs } from '../../core/backoff/backoff.ts';
import { isUnavailable } from '../../core/backoff/outage.ts';
import { NetworkError } from '../../core/errors.ts';
import type { Limits } from '../../core/limits.ts';
import {
  type HttpRequest,
  type HttpResponse,
  readText,
  type Transport,
} from '../../core/transport/transport.ts';
import { batchKey, decideBatch, isOverloaded } from './decision.ts';
import { answersOf, batchRequest, sharedAnswer } from './message.ts';
import { batchPace, type PaceLimits } from './pace.ts';

/** A request that is queued or outstanding. */
interface BatchPart {
  readonly order: number;
  readonly request: HttpRequest;
  readonly link: string;
  readonly key: string;
  readonly subscriber: Subscriber<HttpResponse>;
  /** Whether it is sent alone because a batch with it was refused. */
  goesAlone: boolean;
  /** Called when its subscriber leaves while its batch is outstanding. */
  onLeave: (() => void) | undefined;
}

/** Returns the first queued requests that may share a batch, at most `size`. */
function firstTogether(waiting: ReadonlySet<BatchPart>, size: number): readonly BatchPart[] {
  const parts: BatchPart[] = [];
  for (const part of waiting) {
    const [first = part] = parts;
    if (part.key === first.key && (part === first || !part.goesAlone)) parts.push(part);
    if (parts.length === size || first.goesAlone) break;
  }
  return parts;
}

/** Returns the requests of these parts, in the same order. */
function requestsOf(parts: readonly BatchPart[]): readonly HttpRequest[] {
  return parts.map(({ request }) => request);
}

/** Errors each part with an error of its own request. */
function fail(parts: readonly BatchPart[], cause: unknown): void {
  for (const { request, subscriber } of parts) subscriber.error(failureOf(request, cause));
}

function failureOf(request: HttpRequest, cause: unknown): unknown {
  if (!(cause instanceof NetworkError)) return cause;
  const { code, isUnsent } = cause;
  const what = isUnsent ? 'not sent with its batch' : 'no answer to the batch that it went with';
  return new NetworkError(what, request, { cause, code, isUnsent });
}

/** The limits of a queue and of the responses to its batches. */
type BatchLimits = PaceLimits & Pick<Required<Limits>, 'parts' | 'responseBytes'>;

/** The properties of a connection that its queue depends on. */
export interface BatchConnection {
  /** Emits when the queued requests must be sent at once. */
  readonly flushed$: Observable<void>;
  /** Records the response to a batch. */
  readonly answered: () => void;
  /** Records a batch without a readable response, or one whose parts the server refuses for now. */
  readonly failed: (askedMs?: number) => void;
}

const NO_CONNECTION: BatchConnection = { flushed$: EMPTY, answered: noop, failed: noop };

/** The queue of one transport's requests. */
interface BatchQueue {
  /**
   * Returns an Observable that sends the request and emits its response. If others are queued, they share a
   * batch.
   *
   * @param isUrgent Whether it is sent at once if no other request is queued or outstanding.
   */
  send(request: HttpRequest, link: string, isUrgent: boolean): Observable<HttpResponse>;
}

/**
 * Creates the queue of one transport.
 *
 * Requests of one turn are sent together, in the order of their arrival.
 *
 * @param turns The scheduler that ends a turn by running work that is scheduled without a delay.
 */
export function batchQueue(
  transport: Transport,
  limits: BatchLimits,
  turns: SchedulerLike,
  connection: BatchConnection = NO_CONNECTION,
): BatchQueue {
  const { flushed$, answered, failed } = connection;
  const pace = batchPace(limits);
  let waiting = new Set<BatchPart>();
  let arrived = 0;
  let outstanding = 0;
  let keepaliveTotal = 0;
  let isScheduled = false;
  let isPumping = false;
  let pause: Subscription | undefined;

  const schedulePump = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    turns.schedule(() => {
      isScheduled = false;
      pump();
    });
  };

  const pump = (): void => {
    if (!isScheduled) pumpNow();
  };

  const pumpNow = (): void => {
    if (isPumping) return;
    isPumping = true;
    while (sendNext());
    isPumping = false;
  };

  const sendNext = (): boolean => {
    const parts = firstTogether(waiting, pace.size);
    const [first] = parts;
    if (first === undefined || isPaused() || !pace.hasRoomFor(parts.length, outstanding)) return false;
    for (const part of parts) waiting.delete(part);
    if (parts.length === 1) sendAlone(first);
    else sendTogether(parts, first.link);
    return true;
  };

  const isPaused = (): boolean => {
    const { waitMs } = pace;
    if (waitMs === 0) return false;
    pause ??= timer(waitMs).subscribe(() => {
      pause = undefined;
      pump();
    });
    return true;
  };

  const sendAlone = ({ request, subscriber }: BatchPart): void => {
    outstanding += 1;
    defer(() => transport(request))
      .pipe(
        tap(({ status }) => {
          if (!isOverloaded(status)) pace.succeeded();
        }),
        finalize(() => {
          outstanding -= 1;
          pump();
        }),
      )
      .subscribe(subscriber);
  };

  const sendTogether = (parts: readonly BatchPart[], link: string): void => {
    const { request: batch, keepaliveBytes } = batchRequest(requestsOf(parts), link, keepaliveTotal);
    // A connection reports when the batch is sent; until then its backoff may hold it back.
    let isSent = connection === NO_CONNECTION;
    const request: HttpRequest = {
      ...batch,
      onProgress: (progress) => {
        isSent = true;
        batch.onProgress?.(progress);
      },
    };
    const flight = new Subscription();
    const land = (deliver: () => void): void => {
      if (flight.closed) return;
      flight.unsubscribe();
      outstanding -= parts.length;
      keepaliveTotal -= keepaliveBytes;
      deliver();
      pump();
    };
    const onLeave = (): void => {
      // A request whose subscriber left before the batch was sent must not be in it.
      if (!isSent || parts.every(({ subscriber }) => subscriber.closed)) land(() => waitAgain(parts));
    };
    outstanding += parts.length;
    keepaliveTotal += keepaliveBytes;
    for (const part of parts) part.onLeave = onLeave;
    flight.add(
      defer(() => transport(request))
        .pipe(
          mergeMap((response) =>
            readText(response, 'batch', limits.responseBytes).pipe(
              tap({ error: () => failed() }),
              map((text) => ({ response, text })),
            ),
          ),
          take(1),
          throwIfEmpty(() => new NetworkError('no answer', request)),
        )
        .subscribe({
          next: ({ response, text }) => land(() => arrive(parts, response, text)),
          error: (error: unknown) => land(() => fail(parts, error)),
        }),
    );
  };

  const arrive = (parts: readonly BatchPart[], response: HttpResponse, text: string): void => {
    const asked = retryAfterMs(response.headers.get('retry-after'), asyncScheduler.now());
    switch (decideBatch(response.status, text, asked)) {
      case 'read': {
        pace.succeeded();
        let isRefused = true as boolean;
        let askedOfPart: string | undefined;
        const answers = answersOf(requestsOf(parts), response, text, limits.parts, (read) => {
          isRefused = read.every((part) => part === undefined || isUnavailable(part.status));
          askedOfPart = read[0]?.headers['retry-after'];
        });
        if (isRefused) failed(asked ?? retryAfterMs(askedOfPart, asyncScheduler.now()));
        else answered();
        for (const [index, { subscriber }] of parts.entries()) answers[index]?.subscribe(subscriber);
        break;
      }
      case 'halve':
        pace.refused(parts.length, asked);
        waitAgain(parts);
        break;
      case 'alone':
        for (const part of parts) part.goesAlone = true;
        waitAgain(parts);
        break;
      case 'share':
        for (const { request, subscriber } of parts) {
          of(sharedAnswer(request, response, text)).subscribe(subscriber);
        }
    }
  };

  const waitAgain = (parts: readonly BatchPart[]): void => {
    const staying = parts.filter(({ subscriber }) => !subscriber.closed);
    waiting = new Set([...staying, ...waiting].sort((a, b) => a.order - b.order));
  };

  const leave = (part: BatchPart): void => {
    waiting.delete(part);
    if (waiting.size === 0) {
      pause?.unsubscribe();
      pause = undefined;
    }
    part.onLeave?.();
  };

  flushed$.subscribe(pumpNow);
  return {
    send: (request, link, isUrgent) =>
      new Observable((subscriber) => {
        const part: BatchPart = {
          ...{ order: ++arrived, request, link, key: batchKey(request, link), subscriber },
          ...{ goesAlone: false, onLeave: undefined },
        };
        waiting.add(part);
        if (isUrgent && waiting.size === 1 && outstanding === 0) pumpNow();
        schedulePump();
        return () => leave(part);
      }),
  };
}
