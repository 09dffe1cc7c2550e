import { asyncScheduler, map, Observable, Subscription, timer } from 'rxjs';
import type { StreamReport } from '../../core/connectionStatus.ts';
import { NetworkError } from '../../core/errors.ts';
import type { RequestProgress, Transport } from '../../core/transport/transport.ts';
import type { Pause } from '../../core/backoff/backoff.ts';
import { AT_ONCE, nextPace } from './channelPace.ts';
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
import { afterGivingUp, afterReplacement, toSend } from '../application/pendingGets.ts';
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
}

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

/** The error that ends the channel, and its consequence for the application. */
interface Failure {
  readonly error: unknown;
  readonly then: 'fail' | 'markGone' | 'handOver';
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
  return new Observable((subscriber) => {
    const queue: EventBatch[] = [...first];
    /** The pending request, or the wait before the next one. */
    let polling = new Subscription();
    let outstanding: Cursor | undefined;
    /** Whether the last request may have reached the server, or may still. */
    let isInFlight = false;
    let next: Cursor | undefined = application.position ?? {
      url: absolute(application.events, application.self),
    };
    /** The position to save once all batches before it were processed. */
    let reached = application.position === undefined ? next : undefined;
    let failure: Failure | undefined;
    let failures = 0;
    let pace = AT_ONCE;
    /** How long a request has to be pending before it is trusted, in milliseconds. */
    let trustedAfterMs = first.length > 0 ? 1 : 0;
    let trust = Subscription.EMPTY;

    const wait = (cursor: Cursor, waitAs: number, error?: unknown): void => {
      polling = new Subscription();
      polling.add(
        config.pause(waitAs, error).subscribe(() => {
          next = cursor;
          pump();
        }),
      );
    };

    const answered = ({ cursor, batch }: CursorStep, waitedMs: number): void => {
      trustedAfterMs = 0;
      report('current');
      reached = cursor;
      const isGap = batch.gap !== undefined;
      pace = nextPace(pace, { events: batch.events.length - (isGap ? 1 : 0), isGap, waitedMs });
      // The server has lost the parameters together with its state.
      if (batch.gap === 'resume') application.gets = { ...application.gets, parameters: undefined };
      if (batch.events.length > 0) queue.push(batch);
      // An idle response does not end a row of failures: a server may alternate.
      if (pace.idle === 0 || pace.waitAs === 0) failures = 0;
      if (pace.waitAs === 0) next = cursor;
      else wait(cursor, pace.waitAs);
      pump();
    };

    const giveUp = (): void => {
      outstanding = undefined;
      if (isInFlight) application.gets = afterGivingUp(application.gets, asyncScheduler.now());
      isInFlight = false;
    };

    const failed = (error: unknown, cursor: Cursor, waitedMs: number): void => {
      const gets = isReplaced(error) ? afterReplacement(application.gets, asyncScheduler.now()) : undefined;
      if (gets !== undefined) {
        application.gets = gets;
        next = cursor;
        pump();
        return;
      }
      failures += 1;
      trustedAfterMs = Math.max(1000, 2 * waitedMs);
      trust.unsubscribe();
      report('behind');
      polling = new Subscription();
      polling.add(
        config.hasMoved(error).subscribe({
          next: (hasMoved) => decided(hasMoved ? 'gone' : decide('channel', error, failures), error, cursor),
          error: (cause: unknown) => decided('retry', cause, cursor),
        }),
      );
    };

    const decided = (decision: UcwaDecision, error: unknown, cursor: Cursor): void => {
      if (decision === 'retry') {
        wait(cursor, failures, error);
        return;
      }
      const isHandedOver = config.onPGetReplaced === 'newInstance' && isReplaced(error);
      failure = { error, then: isHandedOver ? 'handOver' : decision === 'gone' ? 'markGone' : 'fail' };
      pump();
    };

    /** A request acknowledges the last batch, so a position to keep is saved first. */
    const acknowledge = (cursor: Cursor): void => {
      const { journal } = application;
      if (journal === undefined || config.ack === 'eager') {
        poll(cursor);
        return;
      }
      if (reached !== undefined) {
        application.position = reached;
        journal.advance({ ...journal.position, next: reached.url });
        reached = undefined;
      }
      polling = new Subscription();
      polling.add(
        journal.saved().subscribe({
          complete: () => poll(cursor),
          error: (error: unknown) => {
            failure = { error, then: 'fail' };
            pump();
          },
        }),
      );
    };

    const poll = (position: Cursor): void => {
      const [cursor, gets] = toSend(application.gets, position, config.parameters());
      application.gets = gets;
      application.position = cursor;
      outstanding = cursor;
      polling = new Subscription();
      let sentAt = asyncScheduler.now();
      const onProgress = (progress: RequestProgress): void => {
        isInFlight = progress === 'sent';
        if (!isInFlight) return;
        sentAt = asyncScheduler.now();
        if (trustedAfterMs === 0) report('current');
        else polling.add((trust = timer(trustedAfterMs).subscribe(() => report('current'))));
      };
      polling.add(
        pendingGet(cursor, config, onProgress).subscribe({
          next: (step) => {
            outstanding = undefined;
            isInFlight = false;
            answered(step, asyncScheduler.now() - sentAt);
          },
          error: (error: unknown) => {
            isInFlight &&= error instanceof NetworkError;
            giveUp();
            failed(error, cursor, asyncScheduler.now() - sentAt);
          },
        }),
      );
    };

    /** A request without a response acknowledged nothing, so repeating it returns the same events. */
    const resend = (): void => {
      if (outstanding === undefined) return;
      polling.unsubscribe();
      next = outstanding;
      giveUp();
      pump();
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
        const batch = queue[0];
        if (next !== undefined && (batch === undefined || config.ack === 'eager')) {
          const cursor = next;
          next = undefined;
          acknowledge(cursor);
        } else if (batch !== undefined) {
          queue.shift();
          subscriber.next(batch);
        } else break;
      }
      lock.isLocked = false;
      if (lock.resume !== pump) lock.resume();
      if (failure !== undefined && !isOver()) {
        // `application$` then emits the replacement, or errors.
        if (failure.then === 'fail') subscriber.error(failure.error);
        else application[failure.then](failure.error);
      }
    };

    subscriber.add(() => {
      polling.unsubscribe();
      giveUp();
    });
    subscriber.add(config.resend$.subscribe(resend));
    pump();
  });
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
