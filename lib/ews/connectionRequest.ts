import { asyncScheduler, map, Observable, type Subscription, tap, timer } from 'rxjs';
import { NetworkError } from '../core/errors.ts';
import type { RequestProgress } from '../core/transport.ts';
import { readMessage, type Reading } from './connectionMessage.ts';
import { getStreamingEventsEnvelope } from './envelope.ts';
import type { ServiceInternals } from './serviceInternals.ts';

/** What a hanging request asks for. */
export interface HangingRequest {
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
export function hangingRequest(
  { stream, backoff, limits: { silenceSeconds }, url }: ServiceInternals,
  { ids, connectionMinutes, onProgress }: HangingRequest,
): Observable<Reading> {
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

    const noteClosed = ({ isClosed }: Reading): void => {
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
          return readMessage(message, { operation: OPERATION, url });
        }),
        tap(noteClosed),
      )
      .subscribe(subscriber);
  });
}
