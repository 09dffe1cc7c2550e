import { delay, Observable, type Subscriber } from 'rxjs';
import { NetworkError, type RequestIdentity } from '../../../core/errors.ts';

/** A response body that a simulated server writes piece by piece. */
export interface EwsStreamBody {
  readonly body$: Observable<Uint8Array>;
  /** Whether it has a reader; a server notices that there is none only when it writes. */
  readonly isRead: boolean;
  readonly isStalled: boolean;
  write(text: string): void;
  /** Ends the body, or breaks the connection. */
  end(how: 'complete' | 'reset'): void;
  /** Stalls the connection: nothing arrives any more, not even the end. */
  stall(): void;
}

/** The options of a body. */
interface EwsStreamBodyOptions {
  /** The largest chunk in bytes. */
  readonly chunkBytes: number;
  readonly latencyMs: number;
  readonly identity: RequestIdentity;
  /** Called when the reader unsubscribes. */
  readonly onUnsubscribe: () => void;
}

/** Creates an empty body. */
export function ewsStreamBody({
  chunkBytes,
  latencyMs,
  identity,
  onUnsubscribe,
}: EwsStreamBodyOptions): EwsStreamBody {
  /** The chunks written before the first subscription. */
  const unread: Uint8Array[] = [];
  let reader: Subscriber<Uint8Array> | undefined;
  let isStalled = false;
  let isOver = false;

  const body$ = new Observable<Uint8Array>((subscriber) => {
    // A chunk written while another is emitted is queued here, too.
    for (let next = unread.shift(); next !== undefined; next = unread.shift()) subscriber.next(next);
    if (isOver) subscriber.complete();
    reader = subscriber;
    return () => {
      reader = undefined;
      // On a stalled connection, the server notices it only later.
      if (!isStalled) onUnsubscribe();
    };
  });

  return {
    body$: latencyMs === 0 ? body$ : body$.pipe(delay(latencyMs / 2)),
    get isRead() {
      return reader !== undefined;
    },
    get isStalled() {
      return isStalled;
    },
    write: (text) => {
      if (isStalled || isOver) return;
      const bytes = new TextEncoder().encode(text);
      for (let from = 0; from < bytes.length; from += chunkBytes) {
        const chunk = bytes.subarray(from, from + chunkBytes);
        if (reader === undefined) unread.push(chunk);
        else reader.next(chunk);
      }
    },
    end: (how) => {
      if (isStalled) return;
      isOver = true;
      if (how === 'reset') {
        reader?.error(new NetworkError('the response broke off', identity, { code: 'ECONNRESET' }));
      }
      reader?.complete();
    },
    stall: () => {
      isStalled = true;
    },
  };
}
