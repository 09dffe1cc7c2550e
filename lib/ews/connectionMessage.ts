import { DecodeError } from '../core/errors.ts';
import { decide, type DecisionAction } from './decision.ts';
import { EwsError, type OperationIdentity, SoapFault } from './errors.ts';
import type { GapReason } from './events.ts';
import type { StreamedMessage } from './streamingParser.ts';
import type { Notification, ResponseMessage } from './wire.ts';

/** What a message of a connection says. */
export interface Reading {
  readonly notifications: readonly Notification[];
  /** The subscriptions that the server does not serve, and why. */
  readonly refused?: { readonly ids: readonly string[]; readonly error: EwsError };
  /** Events of every subscription may be missing here. */
  readonly gap?: GapReason;
  /** Why it could not be read. */
  readonly problem?: DecodeError;
  /** Why the server does not serve the connection as a whole. */
  readonly error?: SoapFault | EwsError | DecodeError;
  /** Whether the server says that this is the end. There are servers that go on all the same. */
  readonly isClosed: boolean;
}

/** What the whole connection has to bear, whichever subscriptions are named along with it. */
const OF_THE_WHOLE: ReadonlySet<DecisionAction> = new Set(['backOff']);

/** Reads a message of a connection: each part may be there or not, and is taken for itself. */
export function readMessage(message: StreamedMessage, what: OperationIdentity): Reading {
  switch (message.type) {
    case 'unreadable':
      return { notifications: [], gap: 'unreadable', problem: message.problem, isClosed: false };
    case 'fault':
      return { notifications: [], error: new SoapFault(what, message), isClosed: false };
    default:
      return readResponse(message, what);
  }
}

function readResponse(message: ResponseMessage, what: OperationIdentity): Reading {
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
  const { action, gap } = decide(error, { operation: 'GetStreamingEvents' });
  if (action === 'goOn') return { ...read, gap: gap ?? 'eventsMissed' };
  if (ids.length === 0 || OF_THE_WHOLE.has(action)) return { ...read, error };
  // That it is closed counts for those that are named: what the others get may follow.
  return { notifications, refused: { ids, error }, isClosed: false };
}
