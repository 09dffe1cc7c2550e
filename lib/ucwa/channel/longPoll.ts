import { asyncScheduler, map, Observable, Subscription } from 'rxjs';
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

/** How the events of an application are asked for. */
export interface LongPollConfig {
  /** Without repetition, which the channel has itself, and with patience for a request that is held. */
  readonly transport: Transport;
  /** What the server is to be told; another object where that has changed. */
  readonly parameters: () => ChannelParameters;
  readonly ack: Acknowledgement;
  readonly onPGetReplaced: OnPGetReplaced;
  readonly pause: Pause;
  /** Whether a failure means that the server is elsewhere now: then the application is gone. */
  readonly hasMoved: ServerLocation['hasMoved'];
  /** Emits when a request that waits is to be sent again at once: it would not be answered, or not in time. */
  readonly resend$: Observable<unknown>;
}

/**
 * Whose turn it is to hand out batches. A batch can be what brings the next application about: what comes of that
 * one waits until all have been given the batch.
 */
export interface DeliveryLock {
  isLocked: boolean;
  /** Who goes on when the turn is free. */
  resume: () => void;
}

/** What ends the channel, and what that means for the application. */
interface Failure {
  readonly error: unknown;
  readonly then: 'fail' | 'markGone' | 'handOver';
}

/**
 * Returns an Observable of what the channel of one application brings, from where it was left. It never completes, and
 * errors with what does not pass; what else ends the channel is told to the application.
 *
 * @param first What stands before all that the server sends.
 */
export function longPoll(
  application: LiveApplication,
  config: LongPollConfig,
  first: readonly EventBatch[],
  turn: DeliveryLock,
): Observable<EventBatch> {
  return new Observable((subscriber) => {
    const queue: EventBatch[] = [...first];
    /** The request that waits for its answer, or the wait before the next one. */
    let asking = new Subscription();
    let outstanding: Cursor | undefined;
    /** Whether the server may still get the latest request, or has it. */
    let isInFlight = false;
    let wanted: Cursor | undefined = application.position ?? {
      url: absolute(application.events, application.self),
    };
    /** Where the channel goes on when all before it was processed, as long as that was not noted. */
    let reached = application.position === undefined ? wanted : undefined;
    let failure: Failure | undefined;
    let failures = 0;
    let pace = AT_ONCE;

    const wait = (cursor: Cursor, waitAs: number, error?: unknown): void => {
      asking = new Subscription();
      asking.add(
        config.pause(waitAs, error).subscribe(() => {
          wanted = cursor;
          pump();
        }),
      );
    };

    const answered = ({ cursor, batch }: CursorStep, heldMs: number): void => {
      reached = cursor;
      const isReset = batch.gap !== undefined;
      pace = nextPace(pace, { events: batch.events.length - (isReset ? 1 : 0), isReset, heldMs });
      // With its state the server has lost what it was told.
      if (batch.gap === 'resume') application.gets = { ...application.gets, parameters: undefined };
      if (batch.events.length > 0) queue.push(batch);
      // An idle answer ends no row of failures: a server may mix the two.
      if (pace.idle === 0 || pace.waitAs === 0) failures = 0;
      if (pace.waitAs === 0) wanted = cursor;
      else wait(cursor, pace.waitAs);
      pump();
    };

    const giveUp = (): void => {
      outstanding = undefined;
      if (isInFlight) application.gets = afterGivingUp(application.gets, asyncScheduler.now());
      isInFlight = false;
    };

    const failed = (error: unknown, cursor: Cursor): void => {
      const gets = isReplaced(error) ? afterReplacement(application.gets, asyncScheduler.now()) : undefined;
      if (gets !== undefined) {
        application.gets = gets;
        wanted = cursor;
        pump();
        return;
      }
      failures += 1;
      asking = new Subscription();
      asking.add(
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
      const isLeft = config.onPGetReplaced === 'newInstance' && isReplaced(error);
      failure = { error, then: isLeft ? 'handOver' : decision === 'gone' ? 'markGone' : 'fail' };
      pump();
    };

    /** Asking acknowledges what came before: where that is kept for the next process, it is saved first. */
    const acknowledge = (cursor: Cursor): void => {
      const { journal } = application;
      if (journal === undefined || config.ack === 'eager') {
        ask(cursor);
        return;
      }
      if (reached !== undefined) {
        application.position = reached;
        journal.reached({ ...journal.place, next: reached.url });
        reached = undefined;
      }
      asking = new Subscription();
      asking.add(
        journal.saved().subscribe({
          complete: () => ask(cursor),
          error: (error: unknown) => {
            failure = { error, then: 'fail' };
            pump();
          },
        }),
      );
    };

    const ask = (next: Cursor): void => {
      const [cursor, gets] = toSend(application.gets, next, config.parameters());
      application.gets = gets;
      application.position = cursor;
      outstanding = cursor;
      asking = new Subscription();
      const askedAt = asyncScheduler.now();
      asking.add(
        pendingGet(cursor, config, (progress) => (isInFlight = progress === 'sent')).subscribe({
          next: (step) => {
            outstanding = undefined;
            isInFlight = false;
            answered(step, asyncScheduler.now() - askedAt);
          },
          error: (error: unknown) => {
            isInFlight &&= error instanceof NetworkError;
            giveUp();
            failed(error, cursor);
          },
        }),
      );
    };

    /** What was not answered was not acknowledged: sent again, it brings the same. */
    const askAgain = (): void => {
      if (outstanding === undefined) return;
      asking.unsubscribe();
      wanted = outstanding;
      giveUp();
      pump();
    };

    const isOver = (): boolean => subscriber.closed;

    // One loop for all, so that neither an answer that comes at once nor one that comes while a batch is
    // being processed can overtake.
    const pump = (): void => {
      // While a request is sent, others may be that end this channel and begin the next one.
      if (isOver()) return;
      turn.resume = pump;
      if (turn.isLocked) return;
      turn.isLocked = true;
      while (!isOver()) {
        const batch = queue[0];
        if (wanted !== undefined && (batch === undefined || config.ack === 'eager')) {
          const cursor = wanted;
          wanted = undefined;
          acknowledge(cursor);
        } else if (batch !== undefined) {
          queue.shift();
          subscriber.next(batch);
        } else break;
      }
      turn.isLocked = false;
      if (turn.resume !== pump) turn.resume();
      if (failure !== undefined && !isOver()) {
        // What comes of that, a new application or its error, comes from there.
        if (failure.then === 'fail') subscriber.error(failure.error);
        else application[failure.then](failure.error);
      }
    };

    subscriber.add(() => {
      asking.unsubscribe();
      giveUp();
    });
    subscriber.add(config.resend$.subscribe(askAgain));
    pump();
  });
}

/** One pending GET. */
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
