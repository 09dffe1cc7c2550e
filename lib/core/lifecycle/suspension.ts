import { BehaviorSubject, filter, Observable, type Subscriber } from 'rxjs';
import type { ConnectionBackoff } from '../backoff/connectionBackoff.ts';
import type { ReleaseLedger } from './ledger.ts';

/** The internal error of a resource that is released because its connection is suspended. */
export class SuspendedError extends Error {
  constructor() {
    super('the connection is suspended');
  }
}

/** The suspension of a connection: its resources are released, and other requests wait. */
export interface Suspension {
  readonly isSuspended: boolean;
  /** Emits when the connection is suspended, and on subscription if it is. */
  readonly suspended$: Observable<unknown>;
  readonly suspend: () => void;
  readonly resume: () => void;
  /** Errors the subscriber of a resource with a {@link SuspendedError} when the connection is suspended. */
  readonly track: (subscriber: Subscriber<never>) => void;
  /** While the connection is suspended, the backoff lets releases pass, and queues all other requests. */
  readonly attach: (backoff: Pick<ConnectionBackoff, 'leave'>) => void;
}

/**
 * Returns an Observable that mirrors the source, and errors with a {@link SuspendedError} when the connection
 * is suspended.
 */
export function untilSuspended<Value>(
  { track }: Pick<Suspension, 'track'>,
  source: Observable<Value>,
): Observable<Value> {
  return new Observable((subscriber) => {
    track(subscriber);
    source.subscribe(subscriber);
  });
}

/** Creates the suspension of a connection. */
export function suspension(ledger: Pick<ReleaseLedger, 'isClosed' | 'flush' | 'flushed$'>): Suspension {
  const state = new BehaviorSubject(false);
  const resources = new Set<Subscriber<never>>();

  return {
    get isSuspended() {
      return state.value;
    },
    suspended$: state.pipe(filter(Boolean)),
    suspend: () => {
      if (state.value || ledger.isClosed) return;
      state.next(true);
      for (const resource of resources) resource.error(new SuspendedError());
      ledger.flush();
    },
    resume: () => {
      if (state.value) state.next(false);
    },
    track: (resource) => {
      if (state.value) {
        resource.error(new SuspendedError());
        return;
      }
      resources.add(resource);
      resource.add(() => resources.delete(resource));
    },
    attach: ({ leave }) => {
      state.subscribe((isSuspended) => {
        // After it, releases that have failed are sent first.
        leave(true);
        if (!isSuspended) leave(false);
      });
      ledger.flushed$.subscribe(() => {
        if (!state.value) leave(false);
      });
    },
  };
}
