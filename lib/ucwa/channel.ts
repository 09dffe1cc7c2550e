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
} from 'rxjs';
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
import type { Pause } from './pause.ts';
import { requestJson } from './request.ts';
import { recreationEvent } from './reset.ts';

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
  readonly pause: Pause;
}

/** An empty answer that comes sooner was not held at all. */
const HELD_AT_LEAST_MS = 1000;

/**
 * Returns an Observable of what the event channel brings, one long poll that all subscribers share: it runs
 * while anybody is subscribed, and goes on where it was left.
 *
 * Answers without events are not emitted. What passes by itself is waited for, with backoff, at the same
 * cursor. When the application is gone and made again, a batch with a `reset` event stands at that place, and
 * the new channel follows. It errors with what does not pass, and with what ends the application.
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
      .pipe(
        switchMap((application, index) =>
          longPoll(application, config, index === 0 ? [] : [recreation(application)]).pipe(takeUntil(left)),
        ),
      )
      .subscribe(subscriber);
  });
}

/** Stands in the stream where one application ends and the one that was made in its place begins. */
function recreation({ self, events }: LiveApplication): EventBatch {
  return {
    next: events,
    reset: 'recreated',
    events: [recreationEvent({ rel: 'application', href: self }, self)],
  };
}

/** @param first What stands before all that the server sends. */
function longPoll(
  application: LiveApplication,
  config: ChannelConfig,
  first: readonly EventBatch[],
): Observable<EventBatch> {
  return new Observable((subscriber) => {
    const queue: EventBatch[] = [...first];
    const asking = new Subscription();
    let wanted: Cursor | undefined =
      application.place ?? firstCursor(application.events, application.self, config.parameters);
    let failure: { readonly error: unknown; readonly isGone: boolean } | undefined;
    let failures = 0;
    let isPumping = false;

    const wait = (cursor: Cursor, error?: unknown): void => {
      asking.add(
        config.pause(failures, error).subscribe(() => {
          wanted = cursor;
          pump();
        }),
      );
    };

    const answered = ({ cursor, batch }: Step, heldMs: number): void => {
      if (batch.events.length === 0 && heldMs < HELD_AT_LEAST_MS) {
        failures += 1;
        wait(cursor);
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
        wait(cursor, error);
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
        // What comes of that, a new application or its error, comes from there.
        if (failure.isGone) application.lose(failure.error);
        else subscriber.error(failure.error);
      }
    };

    subscriber.add(asking);
    pump();
  });
}

/** One pending GET. */
function pendingGet(cursor: Cursor, { transport, parameters }: ChannelConfig): Observable<Step> {
  const request = { method: 'GET', url: cursor.url };
  return requestJson(transport, request, eventsResponseCodec, 'event channel response').pipe(
    map(({ value }) => advance(cursor, value, parameters)),
  );
}
