import {
  asyncScheduler,
  finalize,
  map,
  Observable,
  share,
  Subject,
  Subscription,
  switchMap,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { askedWaitMs, backoff, type BackoffPolicy } from '../core/backoff.ts';
import type { Transport } from '../core/transport.ts';
import type { LiveApplication } from './application.ts';
import {
  advance,
  type ChannelParameters,
  type Cursor,
  type EventBatch,
  firstCursor,
  type Step,
} from './cursor.ts';
import { decide } from './decision.ts';
import type { Dispatch } from './dispatch.ts';
import { eventsResponseCodec } from './events.ts';
import { requestJson } from './request.ts';

/** When an answer of the channel is acknowledged, which is by asking for the next. */
export type Acknowledgement = 'eager' | 'processed';

/** How the event channel is read. */
export interface ChannelConfig {
  readonly application$: Observable<LiveApplication>;
  /** Without repetition, which the channel has itself, and with patience for a request that is held. */
  readonly transport: Transport;
  readonly dispatch: Dispatch;
  readonly parameters: ChannelParameters;
  readonly ack: Acknowledgement;
  readonly backoff: BackoffPolicy;
}

/** An empty answer that comes sooner was not held at all. */
const HELD_AT_LEAST_MS = 1000;

/**
 * Returns an Observable of what the event channel brings, one long poll that all subscribers share: it runs
 * while anybody is subscribed, and goes on where it was left.
 *
 * Answers without events are not emitted. What passes by itself is waited for, with backoff, at the same
 * cursor. It errors with what does not pass; when the application is gone, the application errors too.
 */
export function channel(config: ChannelConfig): Observable<EventBatch> {
  const { dispatch } = config;
  return polled(config).pipe(
    tap((batch) => dispatch.give(batch)),
    finalize(() => dispatch.close()),
    share(),
  );
}

function polled(config: ChannelConfig): Observable<EventBatch> {
  return new Observable((subscriber) => {
    const left = new Subject<void>();
    // Added before all else: the request that waits is over before the application is let go of.
    subscriber.add(() => left.next());
    config.dispatch.open();
    config.application$
      .pipe(switchMap((application) => longPoll(application, config).pipe(takeUntil(left))))
      .subscribe(subscriber);
  });
}

function longPoll(application: LiveApplication, config: ChannelConfig): Observable<EventBatch> {
  return new Observable((subscriber) => {
    const queue: EventBatch[] = [];
    const asking = new Subscription();
    let wanted: Cursor | undefined =
      application.place ?? firstCursor(application.events, application.self, config.parameters);
    let failure: { readonly error: unknown; readonly isGone: boolean } | undefined;
    let failures = 0;
    let isPumping = false;

    const wait = (ms: number, cursor: Cursor): void => {
      asking.add(
        timer(ms).subscribe(() => {
          wanted = cursor;
          pump();
        }),
      );
    };

    const answered = ({ cursor, batch }: Step, heldMs: number): void => {
      if (batch.events.length === 0 && heldMs < HELD_AT_LEAST_MS) {
        wait(backoff(++failures, config.backoff), cursor);
        return;
      }
      failures = 0;
      wanted = cursor;
      if (batch.events.length > 0) queue.push(batch);
      pump();
    };

    const failed = (error: unknown, cursor: Cursor): void => {
      const decision = decide('channel', error, ++failures);
      if (decision === 'retry') {
        wait(backoff(failures, config.backoff, askedWaitMs(error)), cursor);
        return;
      }
      failure = { error, isGone: decision === 'gone' };
      pump();
    };

    const ask = (cursor: Cursor): void => {
      application.place = cursor;
      const askedAt = asyncScheduler.now();
      asking.add(
        pendingGet(cursor, config).subscribe({
          next: (step) => answered(step, asyncScheduler.now() - askedAt),
          error: (error: unknown) => failed(error, cursor),
        }),
      );
    };

    // One loop for all, so that neither an answer that comes at once nor one that comes while a batch is
    // being processed can overtake.
    const pump = (): void => {
      if (isPumping) return;
      isPumping = true;
      while (!subscriber.closed) {
        const batch = queue[0];
        if (wanted !== undefined && (batch === undefined || config.ack === 'eager')) {
          const cursor = wanted;
          wanted = undefined;
          ask(cursor);
        } else if (batch !== undefined) {
          queue.shift();
          subscriber.next(batch);
        } else break;
      }
      isPumping = false;
      if (failure !== undefined && !subscriber.closed) {
        if (failure.isGone) application.lose(failure.error);
        subscriber.error(failure.error);
      }
    };

    subscriber.add(asking);
    pump();
  });
}

/** One pending GET. */
function pendingGet(cursor: Cursor, { transport }: ChannelConfig): Observable<Step> {
  const request = { method: 'GET', url: cursor.url };
  return requestJson(transport, request, eventsResponseCodec, 'event channel response').pipe(
    map(({ value }) => advance(cursor, value)),
  );
}
