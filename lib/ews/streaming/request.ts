import { asyncScheduler, map, Observable, type Subscription, tap, timer } from 'rxjs';
import { DecodeError, NetworkError, NO_RESPONSE } from '../../core/errors.ts';
import type { RequestProgress } from '../../core/transport/transport.ts';
import { getStreamingEventsEnvelope } from '../protocol/envelope.ts';
import { EwsError, type OperationIdentity, SoapFault } from '../protocol/errors.ts';
import type { GapReason } from '../protocol/events.ts';
import { decideFailure, type EwsAction } from '../protocol/failures.ts';
import type { Notification, ResponseMessage } from '../protocol/messages.ts';
import { soapStream } from '../protocol/soap.ts';
import type { StreamedMessage } from '../protocol/streamParser.ts';
import type { ServerSession } from '../session/session.ts';
import type { Member } from './member.ts';

/** A message of a stream, interpreted. */
export interface StreamUpdate {
  readonly notifications: readonly Notification[];
  /** The subscriptions that the server does not serve, and why. */
  readonly refused?: { readonly ids: readonly string[]; readonly error: EwsError };
  /** Events of every subscription may be missing. */
  readonly gap?: GapReason;
  /** Why the message could not be read. */
  readonly decodeError?: DecodeError;
  /** Why the server does not serve the request at all. */
  readonly error?: SoapFault | EwsError | DecodeError;
  /** Whether the server announces the end of the stream. Some servers continue all the same. */
  readonly isClosed: boolean;
}

/** Actions that concern the whole request, even if the response names subscriptions. */
const WHOLE_REQUEST: ReadonlySet<EwsAction> = new Set(['retry']);

/** Returns the meaning of a message. Each of its parts may be missing. */
export function interpretMessage(message: StreamedMessage, what: OperationIdentity): StreamUpdate {
  switch (message.type) {
    case 'unreadable':
      return { notifications: [], gap: 'unreadable', decodeError: message.problem, isClosed: false };
    case 'fault':
      return { notifications: [], error: new SoapFault(what, message), isClosed: false };
    default:
      return readResponse(message, what);
  }
}

function readResponse(message: ResponseMessage, what: OperationIdentity): StreamUpdate {
  const { operation, responseClass, notifications, errorSubscriptionIds: ids, connectionStatus } = message;
  const expected = `${what.operation}Response`;
  if (operation !== expected) {
    const problem = { path: '/Envelope/Body', expected, actual: operation };
    return {
      notifications: [],
      error: new DecodeError(`${what.operation} response`, problem),
      isClosed: false,
    };
  }
  const read = { notifications, isClosed: connectionStatus === 'Closed' };
  if (responseClass !== 'Error' && ids.length === 0) return read;
  // A subscription that is refused without a code does not exist.
  const responseCode = responseClass === 'Error' ? message.responseCode : 'ErrorSubscriptionNotFound';
  const error = new EwsError(what, { ...message, responseCode });
  const { action, gap } = decideFailure(error, { operation: 'GetStreamingEvents' });
  if (action === 'continue') return { ...read, gap: gap ?? 'eventsMissed' };
  if (ids.length === 0 || WHOLE_REQUEST.has(action)) return { ...read, error };
  // "Closed" applies to the named subscriptions: events for the others may follow.
  return { notifications, refused: { ids, error }, isClosed: false };
}

/** Options of {@link openStream}. */
interface OpenStream {
  /** At most 200. */
  readonly ids: readonly string[];
  /** How long the server keeps it open, from 1 to 30 minutes. */
  readonly connectionMinutes: number;
  readonly onProgress: (progress: RequestProgress) => void;
}

const OPERATION = 'GetStreamingEvents';
/** How long to wait after "Closed": some servers leave the socket open, and others continue. */
const CLOSE_WAIT_MS = 2000;

/**
 * Returns an Observable that sends GetStreamingEvents for each subscriber, and emits its messages as they
 * arrive.
 *
 * It completes with the body, or two seconds after the server has announced the end. It errors like {@link
 * soapStream}, and with a {@link NetworkError} if no envelope arrives for `silenceSeconds`.
 */
export function openStream(
  { stream, backoff, limits: { silenceSeconds }, url }: ServerSession,
  { ids, connectionMinutes, onProgress }: OpenStream,
): Observable<StreamUpdate> {
  const silenceMs = silenceSeconds * 1000;
  return new Observable((subscriber) => {
    /** The time of the last complete envelope: single bytes do not show that the server works. */
    let lastAt = 0;
    let hasResponded = false;
    let silence: Subscription | undefined;
    let closing: Subscription | undefined;

    const watch = (ms: number): void => {
      silence?.unsubscribe();
      silence = timer(ms).subscribe(() => {
        const left = lastAt + silenceMs - asyncScheduler.now();
        if (left > 0) watch(left);
        else {
          // It names subscriptions, which the server has accepted.
          const advice = hasResponded ? '' : '; if a proxy buffers it, use pullNotifications';
          const what = `no envelope on the stream for ${silenceSeconds} seconds${advice}`;
          const code = hasResponded ? undefined : NO_RESPONSE;
          const error = new NetworkError(what, { method: 'POST', url }, { code });
          // A server that accepts requests and sends nothing is down.
          if (!hasResponded) backoff.failed(undefined, error);
          subscriber.error(error);
        }
      });
    };

    const closeSoon = ({ isClosed }: StreamUpdate): void => {
      closing?.unsubscribe();
      closing = isClosed ? timer(CLOSE_WAIT_MS).subscribe(() => subscriber.complete()) : undefined;
    };

    subscriber.add(() => {
      silence?.unsubscribe();
      closing?.unsubscribe();
    });
    const message$ = stream(soapStream, {
      name: OPERATION,
      envelope: (head) => getStreamingEventsEnvelope(head, ids, connectionMinutes),
      onProgress: (progress) => {
        lastAt = asyncScheduler.now();
        // Until it is sent again, nothing can arrive.
        if (progress === 'sent') watch(silenceMs);
        else silence?.unsubscribe();
        onProgress(progress);
      },
    });
    message$
      .pipe(
        map((message) => {
          lastAt = asyncScheduler.now();
          hasResponded = true;
          return interpretMessage(message, { operation: OPERATION, url });
        }),
        tap(closeSoon),
      )
      .subscribe(subscriber);
  });
}

/**
 * The members whose GetStreamingEvents failed without a response.
 *
 * Such a request may still arrive, and replace the open one: then its events are lost, and no
 * message says which request it received. The member may be on another connection by then.
 */
export interface LostRequests {
  add(members: Iterable<Member>): void;
  /** Returns whether a lost request that names the member may still arrive. */
  mayArrive(member: Member): boolean;
  remove(member: Member): void;
}

/** Creates an empty {@link LostRequests}. A request may arrive for this many seconds. */
export function lostRequests(seconds: number): LostRequests {
  const untilOf = new Map<Member, number>();
  return {
    add: (members) => {
      const until = asyncScheduler.now() + seconds * 1000;
      for (const member of members) untilOf.set(member, until);
    },
    mayArrive: (member) => asyncScheduler.now() < (untilOf.get(member) ?? 0),
    remove: (member) => void untilOf.delete(member),
  };
}
