import { asyncScheduler, type Observable, Subject, Subscription, timer } from 'rxjs';
import type { DecodeError } from '../../core/errors.ts';
import type { ServerSession } from '../session/session.ts';
import type { Member } from './member.ts';
import { type HandoverState, isServing, stepAfterEnd, stepAfterMessage } from './handoverStep.ts';
import { openStream, type StreamUpdate } from './request.ts';

/** One GetStreamingEvents request. */
export interface StreamRequest {
  /** The first one is 1. */
  readonly number: number;
  /** By subscription id. */
  readonly members: ReadonlyMap<string, Member>;
  readonly openedAt: number;
  readonly hasResponded: boolean;
  /** Whether the server may have received it. */
  readonly mayHaveActed: boolean;
  /** Whether the last message said that the server closes it. */
  readonly isClosed: boolean;
  /** Whether a member has left: some servers end the request when that subscription is removed. */
  readonly hasLostMembers: boolean;
  /** Why the last message could not be read. */
  readonly decodeError: DecodeError | undefined;
}

/** An event of the requests of a connection, in order. */
export type HandoverEvent =
  /** A message has arrived, and all messages of the older request were emitted before. */
  | {
      readonly type: 'update';
      readonly request: StreamRequest;
      readonly update: StreamUpdate;
      /** Whether the message before could not be read. */
      readonly wasUnreadable: boolean;
    }
  /** The only request has ended. */
  | { readonly type: 'ended'; readonly request: StreamRequest; readonly error: unknown }
  /** A request could not replace the older one, which stays open. */
  | { readonly type: 'aborted'; readonly request: StreamRequest; readonly error: unknown }
  /** A request may have lost events, and no message says so. */
  | { readonly type: 'interrupted'; readonly request: StreamRequest }
  /** A request has failed without a response, and may still arrive. */
  | { readonly type: 'lost'; readonly request: StreamRequest }
  /** The new request has replaced the old one, and its backlog was emitted. */
  | { readonly type: 'completed' };

/** The requests of a connection: one, or two while the newer one replaces the older. */
interface Handover {
  readonly events$: Observable<HandoverEvent>;
  /** The newest request, if there is one. */
  readonly current: StreamRequest | undefined;
  /** The request that `current` is replacing, if there is one. */
  readonly previous: StreamRequest | undefined;
  /** Opens a request for the members; it replaces the open one, if there is one. */
  open(members: ReadonlyMap<string, Member>): void;
  /** Removes a member from all requests. */
  remove(member: Member): void;
  /** The same for a member whose subscription is about to be removed from the server. */
  leave(member: Member): void;
  /** Closes all requests, and emits nothing more of them. */
  stop(): void;
}

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

interface OpenRequest extends Mutable<StreamRequest> {
  readonly members: Map<string, Member>;
  readonly subscription: Subscription;
}

/** A message, or the end of its request. */
type Arrival =
  | { readonly request: OpenRequest; readonly update: StreamUpdate }
  | { readonly request: OpenRequest; readonly update?: undefined; readonly error: unknown };

/** How long the old request may take to end when the new one is served. */
const HANDOVER_MS = 5000;

/**
 * Creates the requests of a connection, each of which replaces the one before.
 *
 * When a second request names a subscription, the server ends the first one. Messages on the first may arrive
 * later all the same, so those of the second are buffered until the first has ended.
 */
export function handover(server: ServerSession): Handover {
  const events = new Subject<HandoverEvent>();
  const open = new Set<OpenRequest>();
  let current: OpenRequest | undefined;
  let previous: OpenRequest | undefined;
  /** Arrivals on the newest request, while the one before is open. */
  let backlog: Arrival[] = [];
  /** Whether the server serves the newest request, so that it has ended the one before. */
  let isReplaced = false;
  let isFlushing = false;
  let count = 0;
  let patience: Subscription | undefined;

  const close = (request: OpenRequest): void => {
    request.subscription.unsubscribe();
    open.delete(request);
  };

  const emit = (arrival: Arrival): void => {
    const { request, update } = arrival;
    if (!open.has(request)) return;
    if (update === undefined) {
      close(request);
      current = undefined;
      events.next({ type: 'ended', request, error: arrival.error });
    } else {
      const wasUnreadable = request.decodeError !== undefined;
      if (update.error === undefined) request.decodeError = update.decodeError;
      events.next({ type: 'update', request, update, wasUnreadable });
    }
  };

  const completeHandover = (old: OpenRequest, isInterrupted: boolean): void => {
    patience?.unsubscribe();
    close(old);
    if (isInterrupted) events.next({ type: 'interrupted', request: old });
    // Until the backlog is emitted, newer messages wait and no other request is opened: they would overtake
    // it.
    isFlushing = true;
    for (let next = backlog.shift(); next !== undefined; next = backlog.shift()) emit(next);
    isFlushing = false;
    previous = undefined;
    events.next({ type: 'completed' });
  };

  const abortHandover = (request: OpenRequest, old: OpenRequest, error: unknown): void => {
    patience?.unsubscribe();
    current = old;
    previous = undefined;
    for (const next of backlog.splice(0)) emit(next);
    close(request);
    events.next({ type: 'aborted', request, error });
  };

  const stateOn = (request: OpenRequest): HandoverState => ({
    on: previous === undefined ? 'only' : request === previous ? 'older' : 'newer',
    isReplaced,
    isFlushing,
  });

  /** Emits what has arrived, or moves the handover that it belongs to. */
  const arrived = (arrival: Arrival): void => {
    const { request, update } = arrival;
    const state = stateOn(request);
    const old = previous;
    const step = update === undefined ? stepAfterEnd(state) : stepAfterMessage(state, update);
    if (old === undefined || step === 'emit') {
      emit(arrival);
      return;
    }
    const error = update === undefined ? arrival.error : update.error;
    if (step === 'abort') {
      abortHandover(request, old, error);
      return;
    }
    if (step !== 'complete') {
      if (step === 'buffer' && backlog.length === 0 && !isFlushing)
        patience = timer(HANDOVER_MS).subscribe(() => completeHandover(old, !old.isClosed));
      if (update !== undefined) isReplaced ||= isServing(update);
      backlog.push(arrival);
    }
    if (step === 'bufferAndComplete') completeHandover(old, !old.isClosed);
    else if (step === 'complete')
      completeHandover(old, update === undefined && error !== undefined && !old.isClosed);
  };

  const received = (request: OpenRequest, update: StreamUpdate): void => {
    request.hasResponded = true;
    request.isClosed = update.isClosed;
    arrived({ request, update });
  };

  const ended = (request: OpenRequest, error: unknown): void => {
    if (error !== undefined && request.mayHaveActed && !request.hasResponded)
      events.next({ type: 'lost', request });
    arrived({ request, error });
  };

  const remove = (member: Member): OpenRequest[] =>
    [current, previous].filter((request): request is OpenRequest => {
      const isMember = request?.members.get(member.id) === member;
      if (isMember) request.members.delete(member.id);
      return isMember;
    });

  return {
    events$: events,
    get current() {
      return current;
    },
    get previous() {
      return previous;
    },
    open: (members) => {
      count += 1;
      const request: OpenRequest = {
        number: count,
        members: new Map(members),
        openedAt: asyncScheduler.now(),
        hasResponded: false,
        mayHaveActed: false,
        isClosed: false,
        hasLostMembers: false,
        decodeError: undefined,
        subscription: new Subscription(),
      };
      open.add(request);
      previous = current;
      current = request;
      backlog = [];
      isReplaced = false;
      const minutes = Array.from(members.values(), ({ connectionMinutes }) => connectionMinutes);
      const updates$ = openStream(server, {
        ids: [...members.keys()],
        connectionMinutes: Math.min(...minutes),
        onProgress: (progress) => (request.mayHaveActed = progress === 'sent'),
      });
      request.subscription.add(
        updates$.subscribe({
          next: (update) => received(request, update),
          error: (error: unknown) => ended(request, error),
          complete: () => ended(request, undefined),
        }),
      );
    },
    remove: (member) => void remove(member),
    leave: (member) => {
      for (const request of remove(member)) request.hasLostMembers = true;
    },
    stop: () => {
      patience?.unsubscribe();
      open.forEach(close);
      current = undefined;
      previous = undefined;
      backlog = [];
    },
  };
}
