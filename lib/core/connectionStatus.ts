import { asyncScheduler, type Observable, ReplaySubject } from 'rxjs';

/**
 * Why a connection waits.
 *
 * - `network`: the server cannot be reached, or something between it and the client responds instead.
 * - `server`: the server responds with errors.
 * - `throttled`: the server asks to wait.
 * - `signIn`: no token can be had.
 * - `starved`: a request got no byte of a response in time, as in a browser whose connections are all in use,
 *   a stream behind a proxy that buffers responses, or the server allows no more open responses.
 *
 * @inline
 */
export type WaitingReason = 'network' | 'server' | 'throttled' | 'signIn' | 'starved';

/**
 * Whether the data of a connection is current.
 *
 * - `idle`: nothing is subscribed to.
 * - `connecting`: the data is not complete yet, or has to be fetched again.
 * - `live`: every change is received.
 * - `waiting`: changes may be missed; the connection tries again at `retryAt`, or is trying now.
 * - `closed`: `close()` was called.
 */
export type ConnectionStatus =
  | { readonly state: 'idle' }
  | { readonly state: 'connecting' }
  | { readonly state: 'live'; readonly since: Date }
  | {
      readonly state: 'waiting';
      readonly since: Date;
      readonly reason: WaitingReason;
      /** The last failure. */
      readonly error: unknown;
      /** How many attempts have failed in a row, from 1. */
      readonly attempt: number;
      /** When the next attempt is sent; earlier if the platform comes online. */
      readonly retryAt?: Date;
    }
  | { readonly state: 'closed' };

type Failure = Omit<Extract<ConnectionStatus, { readonly state: 'waiting' }>, 'state' | 'since'>;

/** The condition of one stream: `behind` until its data is complete, and after it may have missed changes. */
export type StreamCondition = 'behind' | 'current';

/** The condition of a connection, of which its status is the visible part. */
export interface ConnectionCondition {
  readonly status: ConnectionStatus;
  /** How many streams are in each condition. */
  readonly streams: Readonly<Record<StreamCondition, number>>;
  /** The last failure; undefined after a success. */
  readonly failure?: Failure | undefined;
}

/** An input of {@link conditionAfter}. */
export type StatusInput =
  /** A stream has begun (without `from`), changed its condition, or ended (without `to`). */
  | {
      readonly type: 'stream';
      readonly from?: StreamCondition | undefined;
      readonly to?: StreamCondition | undefined;
    }
  | ({ readonly type: 'failed' } & Failure)
  /** The server works. */
  | { readonly type: 'succeeded' }
  | { readonly type: 'closed' };

/** An input that concerns the whole connection. */
export type ConnectionInput = Exclude<StatusInput, { readonly type: 'stream' }>;

/** The condition before the first stream. */
export const IDLE: ConnectionCondition = { status: { state: 'idle' }, streams: { behind: 0, current: 0 } };

/**
 * Returns the condition after an input: a pure function.
 *
 * A stream that begins does not end `live`: the others are still current. A failure of the server while all
 * streams are current changes nothing, because it concerns a single request.
 *
 * @param now In milliseconds.
 */
export function conditionAfter(
  before: ConnectionCondition,
  input: StatusInput,
  now: number,
): ConnectionCondition {
  const { state } = before.status;
  if (state === 'closed') return before;
  switch (input.type) {
    case 'closed':
      return { ...before, status: { state: 'closed' } };
    case 'failed': {
      const { type: _, ...failure } = input;
      return withStatus({ ...before, failure }, false, now);
    }
    case 'succeeded':
      return before.failure === undefined
        ? before
        : withStatus({ ...before, failure: undefined }, false, now);
    case 'stream': {
      const { from, to } = input;
      const isLost = from === 'current' && to === 'behind';
      const count = (one: StreamCondition): number =>
        before.streams[one] + (to === one ? 1 : 0) - (from === one ? 1 : 0);
      const streams = { behind: count('behind'), current: count('current') };
      // A stream that has caught up proves more than an earlier failure. A failure of a stream ends with it.
      const isLastWaiting = to === undefined && streams.current > 0 && before.failure?.reason !== 'network';
      const isOver = streams.behind === 0 && (to === 'current' || isLastWaiting);
      const failure = isOver ? undefined : before.failure;
      return withStatus({ ...before, streams, failure }, state === 'live' && !isLost, now);
    }
  }
}

function withStatus(after: ConnectionCondition, staysLive: boolean, now: number): ConnectionCondition {
  const { status, streams, failure } = after;
  const be = (next: ConnectionStatus): ConnectionCondition => ({ ...after, status: next });
  if (streams.behind + streams.current === 0) return status.state === 'idle' ? after : be({ state: 'idle' });
  if (failure !== undefined && (streams.behind > 0 || failure.reason === 'network')) {
    if (isShown(failure, status)) return after;
    const since = status.state === 'waiting' ? status.since : new Date(now);
    return be({ state: 'waiting', since, ...failure });
  }
  if (staysLive) return after;
  if (streams.behind > 0) return status.state === 'connecting' ? after : be({ state: 'connecting' });
  return status.state === 'live' ? after : be({ state: 'live', since: new Date(now) });
}

/** Returns whether a status shows a failure. Many streams that fail together change it once. */
function isShown({ reason, attempt, retryAt }: Failure, status: ConnectionStatus): boolean {
  return (
    status.state === 'waiting' &&
    status.reason === reason &&
    status.attempt === attempt &&
    status.retryAt?.getTime() === retryAt?.getTime()
  );
}

/** Reports the condition of one stream; `undefined` is its end, after which reports have no effect. */
export type StreamReport = (condition: StreamCondition | undefined) => void;

/** Determines the status of one connection. */
export interface StatusTracker {
  /** Emits the status: on subscription, and on every change. Completes after `closed`, and never errors. */
  readonly status$: Observable<ConnectionStatus>;
  /** Records a failure or a success of a request, or that the connection is closed. */
  readonly record: (input: ConnectionInput) => void;
  /** Records a stream, whose data is incomplete until it is reported as `current`. */
  readonly begin: () => StreamReport;
}

/** Creates the tracker of one connection. */
export function statusTracker(): StatusTracker {
  const statuses = new ReplaySubject<ConnectionStatus>(1);
  let condition = IDLE;
  let emitted = condition.status;
  let isEmitting = false;
  statuses.next(emitted);

  const update = (input: StatusInput): void => {
    condition = conditionAfter(condition, input, asyncScheduler.now());
    // A subscriber may cause the next change: all subscribers receive it after this one.
    if (isEmitting) return;
    isEmitting = true;
    while (emitted !== condition.status) statuses.next((emitted = condition.status));
    isEmitting = false;
    if (emitted.state === 'closed') statuses.complete();
  };

  return {
    status$: statuses.asObservable(),
    record: update,
    begin: () => {
      let from: StreamCondition | undefined = 'behind';
      update({ type: 'stream', to: from });
      return (to) => {
        if (to === from || from === undefined) return;
        const change = { from, to };
        from = to;
        update({ type: 'stream', ...change });
      };
    },
  };
}
