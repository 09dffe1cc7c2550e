import {
  asyncScheduler,
  EMPTY,
  map,
  mergeMap,
  Observable,
  type Observer,
  retry,
  Subscription,
  timer,
} from 'rxjs';
import type { StreamReport } from '../../core/connectionStatus.ts';
import type { RequestProgress, Transport } from '../../core/transport/transport.ts';
import type { Pause } from '../../core/backoff/backoff.ts';
import {
  type Acknowledgement,
  advance,
  type ChannelParameters,
  type Cursor,
  type EventBatch,
  type CursorStep,
} from '../protocol/cursor.ts';
import { decide, type UcwaDecision, isReplaced, type OnPGetReplaced } from '../protocol/failures.ts';
import { eventsResponseCodec } from '../protocol/events.ts';
import { absolute } from '../protocol/href.ts';
import type { LiveApplication } from '../application/liveApplication.ts';
import type { ServerLocation } from '../discovery/location.ts';
import { toSend } from '../application/pendingGets.ts';
import { firstPoll, pollAfter, type PollInput } from './pollState.ts';
import { requestJson } from '../protocol/request.ts';

/** The configuration of a long poll. */
export interface LongPollConfig {
  /** A transport without retries, whose timeout exceeds that of a pending request. */
  readonly transport: Transport;
  /** Returns the parameters for the server; another object after a change. */
  readonly parameters: () => ChannelParameters;
  readonly ack: Acknowledgement;
  readonly onPGetReplaced: OnPGetReplaced;
  readonly pause: Pause;
  /** Whether a failure means that the server has moved: then the application is gone. */
  readonly hasMoved: ServerLocation['hasMoved'];
  /** Emits when a pending request has to be sent again, because its response would be late or lost. */
  readonly resend$: Observable<unknown>;
  /** Emits if the server works: at once without an outage, or when it responds to a GET of this URL. */
  readonly check: (url: string) => Observable<unknown>;
}

/** A request that was sent this long before the server responds again may be lost. */
const LOST_AFTER_MS = 10_000;

/**
 * A lock around the delivery of batches.
 *
 * A subscriber may cause the next application while it receives a batch: its channel waits until all have
 * received it.
 */
export interface DeliveryLock {
  isLocked: boolean;
  /** Continues the channel that waits for the lock. */
  resume: () => void;
}

/**
 * Returns an Observable of the batches of one application, from its last cursor. It never completes.
 *
 * It errors with permanent failures. If the application is gone, or belongs to another client, it marks the
 * application.
 *
 * @param first Batches to emit first.
 * @param report Reports whether events are received.
 */
export function longPoll(
  application: LiveApplication,
  config: LongPollConfig,
  first: readonly EventBatch[],
  lock: DeliveryLock,
  report: StreamReport,
): Observable<EventBatch> {
  const { position, gets, journal } = application;
  const start: Cursor = position ?? { url: absolute(application.events, application.self) };
  return new Observable((subscriber) => {
    let state = firstPoll(start, position !== undefined, gets, first);
    /** The pending request, or the wait before the next one. */
    let running = new Subscription();
    let trust = Subscription.EMPTY;

    const change = (input: PollInput): void => {
      state = pollAfter(state, input, asyncScheduler.now());
      application.gets = state.gets;
    };

    /** Subscribes to what ends the current stage, which may end it at once. */
    const run = <Value>(source$: Observable<Value>, observer: Partial<Observer<Value>>): void => {
      running = new Subscription();
      running.add(source$.subscribe(observer));
    };

    const wait = (): void => {
      const { stage } = state;
      if (stage.type !== 'waiting') return;
      run(config.pause(stage.failures, stage.error), {
        next: () => {
          change({ type: 'waited' });
          pump();
        },
      });
    };

    const failed = (error: unknown): void => {
      change({ type: 'failed', error });
      trust.unsubscribe();
      if (state.stage.type !== 'failed') {
        pump();
        return;
      }
      report('behind');
      const { failures } = state;
      const isLeft = config.onPGetReplaced === 'newInstance' && isReplaced(error);
      const decided = (decision: UcwaDecision, cause: unknown): void => {
        change({ type: 'decided', decision, error: cause, isLeft });
        wait();
        pump();
      };
      run(config.hasMoved(error), {
        next: (hasMoved) => decided(hasMoved ? 'gone' : decide('channel', error, failures), error),
        error: (cause: unknown) => decided('retry', cause),
      });
    };

    /** A request acknowledges the last batch, so a position to keep is saved first. */
    const acknowledge = (cursor: Cursor): void => {
      if (journal === undefined || config.ack === 'eager') {
        poll(cursor);
        return;
      }
      const { unsaved } = state;
      if (unsaved !== undefined) {
        application.position = unsaved;
        journal.advance({ ...journal.position, next: unsaved.url });
      }
      change({ type: 'saving' });
      run(journal.saved(), {
        complete: () => poll(cursor),
        error: (error: unknown) => {
          change({ type: 'notSaved', error });
          pump();
        },
      });
    };

    const onProgress = (progress: RequestProgress): void => {
      change({ type: 'progressed', progress });
      if (progress !== 'sent') return;
      if (state.trustedAfterMs === 0) report('current');
      else trustSoon(state.trustedAfterMs);
    };

    const trustSoon = (afterMs: number): void => {
      trust.unsubscribe();
      const resendAt = asyncScheduler.now() + afterMs + LOST_AFTER_MS;
      trust = timer(afterMs)
        .pipe(mergeMap(() => proof(application.self, config)))
        .subscribe({
          next: () => {
            report('current');
            if (asyncScheduler.now() > resendAt) resend();
          },
          error: () => undefined,
        });
    };

    const poll = (after: Cursor): void => {
      const [cursor, sent] = toSend(state.gets, after, config.parameters());
      change({ type: 'requested', cursor, gets: sent });
      application.position = cursor;
      run(pendingGet(cursor, config, onProgress), {
        next: (step) => {
          change({ type: 'responded', step });
          trust.unsubscribe();
          report('current');
          wait();
          pump();
        },
        error: failed,
      });
    };

    /** A request without a response acknowledged nothing, so repeating it returns the same events. */
    const resend = (): void => {
      if (state.stage.type !== 'pending') return;
      stop();
      pump();
    };

    const stop = (): void => {
      running.unsubscribe();
      trust.unsubscribe();
      change({ type: 'aborted' });
    };

    const isOver = (): boolean => subscriber.closed;

    // One loop does everything, so that no response can overtake a batch that is being processed.
    const pump = (): void => {
      // Sending a request may have ended this channel and begun the next one.
      if (isOver()) return;
      lock.resume = pump;
      if (lock.isLocked) return;
      lock.isLocked = true;
      while (!isOver()) {
        const { stage, batches } = state;
        const [batch] = batches;
        if (stage.type === 'due' && (batch === undefined || config.ack === 'eager')) {
          acknowledge(stage.cursor);
        } else if (batch !== undefined) {
          change({ type: 'emitted' });
          subscriber.next(batch);
        } else break;
      }
      lock.isLocked = false;
      if (lock.resume !== pump) lock.resume();
      const { stage } = state;
      if (stage.type === 'ended' && !isOver()) {
        // `application$` then emits the replacement, or errors.
        if (stage.then === 'fail') subscriber.error(stage.error);
        else application[stage.then](stage.error);
      }
    };

    subscriber.add(stop);
    subscriber.add(config.resend$.subscribe(resend));
    pump();
  });
}

/**
 * Emits when the server works. A pending request does not prove that: its packets may be dropped.
 *
 * Permanent failures are left to that request.
 */
function proof(url: string, { check, pause }: LongPollConfig): Observable<unknown> {
  return check(url).pipe(
    retry({
      delay: (error, count) => (decide('channel', error, count) === 'retry' ? pause(count, error) : EMPTY),
    }),
  );
}

/** Sends one pending GET. */
function pendingGet(
  cursor: Cursor,
  { transport }: LongPollConfig,
  onProgress: (progress: RequestProgress) => void,
): Observable<CursorStep> {
  const request = { method: 'GET', url: cursor.url, onProgress };
  return requestJson(transport, request, eventsResponseCodec, 'event channel response').pipe(
    map(({ value }) => advance(cursor, value)),
  );
}
