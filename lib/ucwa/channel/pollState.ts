import { NetworkError } from '../../core/errors.ts';
import type { RequestProgress } from '../../core/transport/transport.ts';
import { afterGivingUp, afterReplacement, type PendingGets } from '../application/pendingGets.ts';
import type { Cursor, CursorStep, EventBatch } from '../protocol/cursor.ts';
import { isReplaced, type UcwaDecision } from '../protocol/failures.ts';
import { AT_ONCE, type ChannelPace, nextPace } from './channelPace.ts';

/**
 * The stage of a long poll.
 *
 * - `due`: the next request can be sent.
 * - `saving`: the position is saved before the request that acknowledges it.
 * - `pending`: a request has no response yet. If it is in flight, it has reached the server, or still may.
 * - `failed`: the consequence of a failure is being decided.
 * - `waiting`: the next request waits, as after that many failures in a row.
 * - `ended`: nothing is sent any more.
 */
export type PollStage =
  | { readonly type: 'due' | 'saving' | 'failed'; readonly cursor: Cursor }
  | {
      readonly type: 'pending';
      readonly cursor: Cursor;
      /** In milliseconds of the scheduler's clock. */
      readonly sentAt: number;
      readonly isInFlight: boolean;
    }
  | {
      readonly type: 'waiting';
      readonly cursor: Cursor;
      readonly failures: number;
      readonly error?: unknown;
    }
  | PollEnd;

/** The end of a long poll, and its consequence for the application. */
export interface PollEnd {
  readonly type: 'ended';
  readonly error: unknown;
  readonly then: 'fail' | 'markGone' | 'handOver';
}

/** The state of a long poll. */
export interface PollState {
  readonly stage: PollStage;
  /** The batches that were not emitted yet. */
  readonly batches: readonly EventBatch[];
  /** The position to save once all batches before it were processed. */
  readonly unsaved: Cursor | undefined;
  readonly gets: PendingGets;
  readonly pace: ChannelPace;
  /** Failures in a row. */
  readonly failures: number;
  /** How long a request has to be pending before the channel counts as current, in milliseconds. */
  readonly trustedAfterMs: number;
}

/** An input of {@link pollAfter}. */
export type PollInput =
  | { readonly type: 'emitted' }
  | { readonly type: 'saving' }
  | { readonly type: 'notSaved'; readonly error: unknown }
  | { readonly type: 'requested'; readonly cursor: Cursor; readonly gets: PendingGets }
  | { readonly type: 'progressed'; readonly progress: RequestProgress }
  | { readonly type: 'responded'; readonly step: CursorStep }
  | { readonly type: 'failed'; readonly error: unknown }
  | {
      readonly type: 'decided';
      readonly decision: UcwaDecision;
      readonly error: unknown;
      /** Whether the application is left to another client that reads its channel. */
      readonly isLeft: boolean;
    }
  | { readonly type: 'waited' }
  /** The pending request was aborted. */
  | { readonly type: 'aborted' };

/** Returns the first state: the next request is due. */
export function firstPoll(
  cursor: Cursor,
  isResumed: boolean,
  gets: PendingGets,
  batches: readonly EventBatch[],
): PollState {
  return {
    stage: { type: 'due', cursor },
    unsaved: isResumed ? undefined : cursor,
    ...{ batches, gets, pace: AT_ONCE, failures: 0 },
    // A gap is emitted before the channel counts as current.
    trustedAfterMs: batches.length > 0 ? 1 : 0,
  };
}

/**
 * Returns the state of a long poll after an input: a pure function.
 *
 * @param now In milliseconds of the scheduler's clock.
 */
export function pollAfter(state: PollState, input: PollInput, now: number): PollState {
  const { stage, gets } = state;
  if (input.type === 'emitted') return { ...state, batches: state.batches.slice(1) };
  if (stage.type === 'ended') return state;
  const { cursor } = stage;
  switch (input.type) {
    case 'saving':
      return { ...state, stage: { type: 'saving', cursor }, unsaved: undefined };
    case 'notSaved':
      return { ...state, stage: { type: 'ended', error: input.error, then: 'fail' } };
    case 'requested':
      return {
        ...state,
        gets: input.gets,
        stage: { type: 'pending', cursor: input.cursor, sentAt: now, isInFlight: false },
      };
    case 'decided':
      return { ...state, stage: afterDecision(input, cursor, state.failures) };
    case 'waited':
      return { ...state, stage: { type: 'due', cursor } };
    default:
  }
  if (stage.type !== 'pending') return state;
  switch (input.type) {
    case 'progressed': {
      const isInFlight = input.progress === 'sent';
      return { ...state, stage: { ...stage, isInFlight, sentAt: isInFlight ? now : stage.sentAt } };
    }
    case 'responded':
      return afterResponse(state, input.step, now - stage.sentAt);
    case 'aborted':
      return {
        ...state,
        stage: { type: 'due', cursor },
        gets: stage.isInFlight ? afterGivingUp(gets, now) : gets,
      };
    case 'failed': {
      const { error } = input;
      const isLost = stage.isInFlight && error instanceof NetworkError;
      const lost = isLost ? afterGivingUp(gets, now) : gets;
      const replaced = isReplaced(error) ? afterReplacement(lost, now) : undefined;
      if (replaced !== undefined) return { ...state, gets: replaced, stage: { type: 'due', cursor } };
      return {
        ...state,
        gets: lost,
        stage: { type: 'failed', cursor },
        failures: state.failures + 1,
        // The channel checks the network itself. A server that has failed late may do so again.
        trustedAfterMs: isLost ? 1000 : Math.max(1000, 2 * (now - stage.sentAt)),
      };
    }
  }
}

function afterResponse(before: PollState, { cursor, batch }: CursorStep, waitedMs: number): PollState {
  const isGap = batch.gap !== undefined;
  const { events } = batch;
  const pace = nextPace(before.pace, { events: events.length - (isGap ? 1 : 0), isGap, waitedMs });
  const { waitAs, idle } = pace;
  return {
    stage: waitAs === 0 ? { type: 'due', cursor } : { type: 'waiting', cursor, failures: waitAs },
    batches: events.length > 0 ? [...before.batches, batch] : before.batches,
    unsaved: cursor,
    // The server has lost the parameters together with its state.
    gets: batch.gap === 'resume' ? { ...before.gets, parameters: undefined } : before.gets,
    pace,
    // An idle response does not end a row of failures: a server may alternate.
    failures: idle === 0 || waitAs === 0 ? 0 : before.failures,
    trustedAfterMs: 0,
  };
}

function afterDecision(
  { decision, error, isLeft }: Extract<PollInput, { readonly type: 'decided' }>,
  cursor: Cursor,
  failures: number,
): PollStage {
  if (decision === 'retry') return { type: 'waiting', cursor, failures, error };
  return { type: 'ended', error, then: isLeft ? 'handOver' : decision === 'gone' ? 'markGone' : 'fail' };
}
