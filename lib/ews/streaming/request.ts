import { asyncScheduler, map, Observable, type Subscription, tap, timer } from 'rxjs';
import { DecodeError, NetworkError } from '../../core/errors.ts';
import type { RequestProgress } from '../../core/transport/transport.ts';
import { getStreamingEventsEnvelope } from '../protocol/envelope.ts';
import { EwsError, type OperationIdentity, SoapFault } from '../protocol/errors.ts';
import type { GapReason } from '../protocol/events.ts';
import { decideFailure, type EwsAction } from '../protocol/failures.ts';
import type { Notification, ResponseMessage } from '../protocol/messages.ts';
import type { StreamedMessage } from '../protocol/streamParser.ts';
import type { ServerSession } from '../session/session.ts';

/** What a message of a connection says. */
export interface StreamUpdate {
  readonly notifications: readonly Notification[];
  /** The subscriptions that the server does not serve, and why. */
  readonly refused?: { readonly ids: readonly string[]; readonly error: EwsError };
  /** Events of every subscription may be missing here. */
  readonly gap?: GapReason;
  /** Why it could not be read. */
  readonly decodeError?: DecodeError;
  /** Why the server does not serve the connection as a whole. */
  readonly error?: SoapFault | EwsError | DecodeError;
  /** Whether the server says that this is the end. There are servers that go on all the same. */
  readonly isClosed: boolean;
}

/** What the whole connection has to bear, whichever subscriptions are named along with it. */
const OF_THE_WHOLE: ReadonlySet<EwsAction> = new Set(['retry']);

/** Reads a message of a connection: each part may be there or not, and is taken for itself. */
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
  // What is refused without a code is not there.
  const responseCode = responseClass === 'Error' ? message.responseCode : 'ErrorSubscriptionNotFound';
  const error = new EwsError(what, { ...message, responseCode });
  const { action, gap } = decideFailure(error, { operation: 'GetStreamingEvents' });
  if (action === 'continue') return { ...read, gap: gap ?? 'eventsMissed' };
  if (ids.length === 0 || OF_THE_WHOLE.has(action)) return { ...read, error };
  // That it is closed counts for those that are named: what the others get may follow.
  return { notifications, refused: { ids, error }, isClosed: false };
}

/** What a hanging request asks for. */
interface OpenStream {
  /** At most 200. */
  readonly ids: readonly string[];
  /** How long the server keeps it open, from 1 to 30 minutes. */
  readonly connectionMinutes: number;
  readonly onProgress: (progress: RequestProgress) => void;
}

const OPERATION = 'GetStreamingEvents';
/** There are servers that leave the socket open behind their last word, and others that go on behind "Closed". */
const CLOSED_PATIENCE_MS = 2000;

/**
 * Returns an Observable that opens a connection for each subscriber, emits what its messages say as they arrive, and
 * completes when it ends: with the body, or where the server has said that it is closed and then nothing.
 *
 * It errors like {@link soapStream}, and with a {@link NetworkError} when no envelope comes for `silenceSeconds`.
 */
export function openStream(
  { stream, backoff, limits: { silenceSeconds }, url }: ServerSession,
  { ids, connectionMinutes, onProgress }: OpenStream,
): Observable<StreamUpdate> {
  const silenceMs = silenceSeconds * 1000;
  return new Observable((subscriber) => {
    /** When the last whole envelope came: single bytes do not show that the server still has something to say. */
    let heardAt = 0;
    let isHeard = false;
    let silence: Subscription | undefined;
    let patience: Subscription | undefined;

    const listen = (ms: number): void => {
      silence?.unsubscribe();
      silence = timer(ms).subscribe(() => {
        const left = heardAt + silenceMs - asyncScheduler.now();
        if (left > 0) listen(left);
        else {
          // A server that accepts requests and then says nothing is down, too.
          if (!isHeard) backoff.failed();
          const what = `no envelope on the stream for ${silenceSeconds} seconds`;
          subscriber.error(new NetworkError(what, { method: 'POST', url }));
        }
      });
    };

    const noteClosed = ({ isClosed }: StreamUpdate): void => {
      patience?.unsubscribe();
      patience = isClosed ? timer(CLOSED_PATIENCE_MS).subscribe(() => subscriber.complete()) : undefined;
    };

    subscriber.add(() => {
      silence?.unsubscribe();
      patience?.unsubscribe();
    });
    const message$ = stream({
      name: OPERATION,
      envelope: (head) => getStreamingEventsEnvelope(head, ids, connectionMinutes),
      onProgress: (progress) => {
        heardAt = asyncScheduler.now();
        // Until it is sent again there is nobody to be heard.
        if (progress === 'sent') listen(silenceMs);
        else silence?.unsubscribe();
        onProgress(progress);
      },
    });
    message$
      .pipe(
        map((message) => {
          heardAt = asyncScheduler.now();
          isHeard = true;
          return interpretMessage(message, { operation: OPERATION, url });
        }),
        tap(noteClosed),
      )
      .subscribe(subscriber);
  });
}
