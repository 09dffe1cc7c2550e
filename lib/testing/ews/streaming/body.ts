import { delay, Observable, type Subscriber } from 'rxjs';
import { NetworkError, type RequestIdentity } from '../../../core/errors.ts';

/** The body of one answer that a simulated server goes on writing. */
export interface EwsStreamBody {
  readonly body$: Observable<Uint8Array>;
  /** Whether somebody reads it: a server notices that nobody does when it writes. */
  readonly isRead: boolean;
  readonly isStalled: boolean;
  write(text: string): void;
  /** Ends it: properly, or with a connection that breaks. */
  end(how: 'complete' | 'reset'): void;
  /** Lets the connection die: nothing comes any more, not even an end. */
  stall(): void;
}

/** How a body is sent. */
interface EwsStreamBodyOptions {
  /** How large the pieces are at most that a text comes in, in bytes. */
  readonly chunkBytes: number;
  readonly latencyMs: number;
  readonly identity: RequestIdentity;
  /** Called when the reader has left. */
  readonly onUnsubscribe: () => void;
}

/** Creates the body of an answer, which is empty yet. */
export function ewsStreamBody({
  chunkBytes,
  latencyMs,
  identity,
  onUnsubscribe,
}: EwsStreamBodyOptions): EwsStreamBody {
  /** What was written while nobody had taken the body up. */
  const unread: Uint8Array[] = [];
  let reader: Subscriber<Uint8Array> | undefined;
  let isStalled = false;
  let isOver = false;

  const body$ = new Observable<Uint8Array>((subscriber) => {
    // What is written because of a chunk waits for its turn here, too.
    for (let next = unread.shift(); next !== undefined; next = unread.shift()) subscriber.next(next);
    if (isOver) subscriber.complete();
    reader = subscriber;
    return () => {
      reader = undefined;
      // Over a dead connection that is noticed only later.
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
        reader?.error(new NetworkError('the answer broke off', identity, { code: 'ECONNRESET' }));
      }
      reader?.complete();
    },
    stall: () => {
      isStalled = true;
    },
  };
}
