import { type Observable, Subscription } from 'rxjs';

/** Called with what ends the event channel. It must not throw. */
export type OnChannelError = (error: unknown) => void;

/** Keeps the event channel open for those who listen at the dispatch: by one subscription for all of them. */
export interface ChannelRefCount {
  /** Keeps it open from now on, until it ends. */
  readonly acquire: (failed: OnChannelError) => void;
  readonly release: (failed: OnChannelError) => void;
}

/** Creates what keeps a channel open. */
export function channelRefCount(channel$: Observable<unknown>): ChannelRefCount {
  const listeners = new Set<OnChannelError>();
  let open = Subscription.EMPTY;

  return {
    acquire: (failed) => {
      listeners.add(failed);
      if (listeners.size > 1) return;
      open = new Subscription();
      open.add(
        channel$.subscribe({
          error: (error: unknown) => {
            const all = [...listeners];
            // Before they are told: who comes because of that opens it anew.
            listeners.clear();
            for (const one of all) one(error);
          },
        }),
      );
    },
    release: (failed) => {
      if (listeners.delete(failed) && listeners.size === 0) open.unsubscribe();
    },
  };
}
