import { type Observable, Subscription } from 'rxjs';

/** Receives the error that ends the event channel. It must not throw. */
export type OnChannelError = (error: unknown) => void;

/** Keeps the event channel open while it is in use, with one subscription for all users. */
export interface ChannelRefCount {
  /** Keeps the channel open until it is released or ends. Has no effect for a user that holds it. */
  readonly acquire: (onError: OnChannelError) => void;
  readonly release: (onError: OnChannelError) => void;
}

/** Creates a reference count of a channel. */
export function channelRefCount(channel$: Observable<unknown>): ChannelRefCount {
  const users = new Set<OnChannelError>();
  let open = Subscription.EMPTY;

  return {
    acquire: (onError) => {
      if (users.has(onError)) return;
      users.add(onError);
      if (users.size > 1) return;
      open = new Subscription();
      open.add(
        channel$.subscribe({
          error: (error: unknown) => {
            const all = [...users];
            // Before the calls: a user that acquires the channel because of the error opens it again.
            users.clear();
            for (const one of all) one(error);
          },
        }),
      );
    },
    release: (onError) => {
      if (users.delete(onError) && users.size === 0) open.unsubscribe();
    },
  };
}
