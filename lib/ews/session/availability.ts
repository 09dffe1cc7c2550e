import { defer, type MonoTypeOperatorFunction, tap } from 'rxjs';
import { retryAfterOf } from '../../core/backoff/backoff.ts';
import type { ConnectionBackoff, Verdict } from '../../core/backoff/connectionBackoff.ts';
import { DecodeError, HttpError, NetworkError } from '../../core/errors.ts';
import { isUnavailable } from '../../core/backoff/outage.ts';
import type { HttpResponse } from '../../core/transport/transport.ts';
import { EwsError, type OperationIdentity, SoapFault } from '../protocol/errors.ts';
import { blankResponse, isXml } from '../protocol/soap.ts';
import type { StreamedMessage } from '../protocol/streamParser.ts';
import type { EwsMessage } from '../protocol/messages.ts';

type Refusal = SoapFault | EwsError;

const BUSY = 'ErrorServerBusy';

/** Returns the verdict of a response's head about the server; for a SOAP envelope the body decides. */
export function verdict({ status, headers }: HttpResponse): Verdict {
  if (status !== 200 && status !== 500) return isUnavailable(status) ? 'fails' : 'answers';
  const contentType = headers.get('content-type');
  return contentType === undefined || isXml(contentType) ? 'unclear' : 'fails';
}

/**
 * Returns an operator that mirrors the messages of a response, and notes in the backoff whether the server
 * answered.
 *
 * A response without a readable message is a failure. So is `ErrorServerBusy` if all requests of the
 * connection use one budget. Each impersonated user has a separate budget, so that `ErrorServerBusy` for one
 * says nothing about the others.
 *
 * @see [EWS] EWS throttling in Exchange
 */
export function notingAvailability<Message extends StreamedMessage>(
  { answered, failed }: ConnectionBackoff,
  hasOneBudget: () => boolean,
  what: OperationIdentity,
): MonoTypeOperatorFunction<Message> {
  const isBusy = (error: Refusal | undefined): boolean => error?.code === BUSY && hasOneBudget();
  return (messages$) =>
    defer(() => {
      let isHeard = false;
      let problem: unknown;
      return messages$.pipe(
        tap({
          next: (message) => {
            if (message.type === 'unreadable') {
              ({ problem } = message);
              return;
            }
            const refusal = refusalIn(message, what);
            if (isBusy(refusal)) failed(retryAfterOf(refusal), refusal);
            else if (!isHeard) answered();
            isHeard = true;
          },
          error: (error: unknown) => {
            const isRefusal = error instanceof SoapFault || error instanceof EwsError;
            if (isRefusal && !isBusy(error)) answered();
            else if (isRefusal || (!isHeard && isUnread(error))) failed(retryAfterOf(error), error);
          },
          complete: () => {
            if (!isHeard) failed(undefined, problem ?? blankResponse({ method: 'POST', url: what.url }));
          },
        }),
      );
    });
}

/** The error that a message of a stream carries. */
function refusalIn(message: EwsMessage, what: OperationIdentity): Refusal | undefined {
  if (message.type === 'fault') return new SoapFault(what, message);
  return message.responseClass === 'Error' ? new EwsError(what, message) : undefined;
}

/**
 * Whether there was no SOAP in a response that could have brought it; the gate itself sees other failures.
 */
function isUnread(error: unknown): boolean {
  if (error instanceof DecodeError || error instanceof NetworkError) return true;
  return error instanceof HttpError && error.status === 500;
}
