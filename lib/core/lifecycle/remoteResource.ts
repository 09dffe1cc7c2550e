import {
  defer,
  EmptyError,
  Observable,
  type Subscriber,
  Subscription,
  take,
  takeUntil,
  throwIfEmpty,
} from 'rxjs';
import type { BackoffPolicy } from '../backoff/backoff.ts';
import { objectOption, type OptionNames } from '../options.ts';
import { decideRelease, GIVEN_UP, release, type ReleaseDecision, type ReleaseResult } from './release.ts';
import { releaseEntry, type ReleaseEntry, type ReleaseLedger } from './ledger.ts';
import type { RequestProgress } from '../transport/transport.ts';

/** What `use` tells about the resource while it is in use. */
export interface Lease {
  /** The server ended the resource: nothing will be sent to remove it. */
  readonly endedByServer: (detail?: ReleaseEntry['detail']) => void;
  /** The server will keep the resource until then, in milliseconds of the scheduler's clock. */
  readonly extendedTo: (expiresAt: number) => void;
}

/** How a resource that lives on a server is acquired, used and released. */
export interface RemoteResource<Handle, Value, Parent> {
  /** What it is, in the protocol's own words, for the ledger and for errors. */
  readonly resource: string;
  /** Where its end is written down. */
  readonly ledger: Pick<ReleaseLedger, 'begin' | 'record' | 'givenUp$'>;
  /**
   * What the resource lives in: emits it, and stays open while it is there. It is held from before the
   * acquire until after the release, so that a parent is removed after its children. Its error means that
   * it is gone, and the resource with it.
   */
  readonly within: Observable<Parent>;
  /**
   * Creates the resource and emits its one handle. `onProgress` must be handed on to the request that
   * creates: between `sent` and either `undone` or the handle, unsubscribing leaves the request alone.
   */
  readonly acquire: (parent: Parent, onProgress: (progress: RequestProgress) => void) => Observable<Handle>;
  /** The server's id or href of it. */
  readonly identify: (handle: Handle) => string;
  /** What the subscriber gets while the resource exists. */
  readonly use: (handle: Handle, lease: Lease, parent: Parent) => Observable<Value>;
  /** One attempt to remove it: emits at most one result. Completing without one means that it was removed. */
  readonly release: (handle: Handle, parent: Parent) => Observable<ReleaseResult>;
  /**
   * When the server removes it by itself, in milliseconds of the scheduler's clock: asked when its release
   * begins, unless the lease was extended.
   * @default never
   */
  readonly expiresAt?: (handle: Handle) => number;
  /** What to do when an attempt to release errors. @default decideRelease */
  readonly decide?: (error: unknown) => ReleaseDecision;
  /** The waits between attempts to release. */
  readonly backoff?: BackoffPolicy;
  /**
   * Returns an Observable that emits when the next attempt may be made, after so many failures in a row.
   * @default the waits of `backoff`
   */
  readonly pause?: (failures: number, error?: unknown) => Observable<unknown>;
  /** What becomes of it if the acquire's answer is lost, and what can be done: one sentence. */
  readonly ifLost: string;
}

const NAMES: OptionNames<RemoteResource<never, never, never>> = {
  resource: 1,
  ledger: 1,
  within: 1,
  acquire: 1,
  identify: 1,
  use: 1,
  release: 1,
  expiresAt: 1,
  decide: 1,
  backoff: 1,
  pause: 1,
  ifLost: 1,
};

/**
 * Returns an Observable that creates a resource on the server for each subscriber, mirrors what `use` makes
 * of it, and removes it when the subscription ends, however it ends.
 *
 * - Unsubscribing before the creating request is sent sends nothing. After it, the request is never aborted:
 *   its late answer is released at once.
 * - A resource is released once. The release is not bound to the subscription: it is tried again with
 *   backoff until the server's own expiry, or until its ledger is closed and has given up.
 * - Every outcome stands in the ledger. The Observable errors with what acquire, `use` or `within` error
 *   with, never with what a release errors with.
 */
export function remoteResource<Handle, Value, Parent>(
  config: RemoteResource<Handle, Value, Parent>,
): Observable<Value> {
  objectOption('config', config, NAMES);
  return new Observable<Value>((subscriber) => begin(config, subscriber));
}

/**
 * How far a resource has come. Each stage is a function of its own, so that thousands that are in use keep
 * nothing of how they were acquired.
 */
interface Holding {
  /** What to do when the subscriber leaves; undefined before there is a parent. */
  leave: (() => void) | undefined;
  /** What to note when the parent is gone. */
  parentGone: (() => void) | undefined;
  /** Holds the parent, until it is let go of. */
  within: Subscription | undefined;
  isLetGo: boolean;
}

function begin<Handle, Value, Parent>(
  config: RemoteResource<Handle, Value, Parent>,
  subscriber: Subscriber<Value>,
): void {
  const holding: Holding = { leave: undefined, parentGone: undefined, within: undefined, isLetGo: false };
  // Added before all else: the release begins before `use` lets go of what both need.
  subscriber.add(() => {
    if (holding.leave === undefined) letGo(holding);
    else holding.leave();
  });
  holding.within = config.within.subscribe({
    next: (parent) => {
      if (holding.leave === undefined && !subscriber.closed) acquire(config, subscriber, parent, holding);
    },
    error: (cause: unknown) => {
      holding.parentGone?.();
      subscriber.error(cause);
    },
    complete: () => {
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- throwIfEmpty adds half a kilobyte to each bundle
      if (holding.leave === undefined) subscriber.error(new EmptyError());
    },
  });
  // It may all have been over while that emitted.
  if (holding.isLetGo) holding.within.unsubscribe();
}

function letGo(holding: Holding): void {
  holding.isLetGo = true;
  holding.within?.unsubscribe();
}

function acquire<Handle, Value, Parent>(
  config: RemoteResource<Handle, Value, Parent>,
  subscriber: Subscriber<Value>,
  parent: Parent,
  holding: Holding,
): void {
  const { ledger, resource } = config;
  const acquiring = new Subscription();
  let answerIsOutstanding = false;
  let wasLeftOpen = false;
  let endAbandoned: (() => void) | undefined;

  const giveUp = (): void => {
    acquiring.unsubscribe();
    letGo(holding);
    endAbandoned?.();
  };

  const recordLost = (cause: unknown): void => {
    answerIsOutstanding = false;
    ledger.record({ outcome: 'Unknown', ...releaseEntry(resource, undefined), cause, hint: config.ifLost });
  };

  holding.leave = () => {
    if (!answerIsOutstanding) {
      giveUp();
      return;
    }
    endAbandoned = ledger.begin({ resource, id: undefined });
    acquiring.add(
      ledger.givenUp$.subscribe(() => {
        recordLost(new Error(GIVEN_UP));
        giveUp();
      }),
    );
  };

  const onProgress = (progress: RequestProgress): void => {
    if (progress === 'sent') {
      // Sent again while an answer is outstanding: that one is lost, and may have done it.
      wasLeftOpen ||= answerIsOutstanding;
      answerIsOutstanding = true;
    } else if (!wasLeftOpen) {
      answerIsOutstanding = false;
      // The server did not act, and nobody is left who wants another try.
      if (endAbandoned !== undefined) giveUp();
    }
  };

  const gaveUp$ = new Observable<void>((observer) => {
    acquiring.add(() => {
      observer.next();
    });
  });
  defer(() => config.acquire(parent, onProgress))
    .pipe(take(1), throwIfEmpty(), takeUntil(gaveUp$))
    .subscribe({
      next: (handle) => {
        answerIsOutstanding = false;
        hold(config, subscriber, parent, holding, handle);
        endAbandoned?.();
        acquiring.unsubscribe();
      },
      error: (cause: unknown) => {
        if (answerIsOutstanding) recordLost(cause);
        subscriber.error(cause);
        giveUp();
      },
    });
}

function hold<Handle, Value, Parent>(
  config: RemoteResource<Handle, Value, Parent>,
  subscriber: Subscriber<Value>,
  parent: Parent,
  holding: Holding,
  handle: Handle,
): void {
  const { ledger, resource } = config;
  const id = config.identify(handle);
  let extendedTo: number | undefined;
  let isGone = false;

  const endedByServer: Lease['endedByServer'] = (detail) => {
    if (isGone || subscriber.closed) return;
    isGone = true;
    ledger.record({ outcome: 'EndedByServer', ...releaseEntry(resource, id, detail) });
  };

  const leave = (): void => {
    if (isGone) {
      letGo(holding);
      return;
    }
    const plan = {
      resource,
      id,
      expiresAt: extendedTo ?? config.expiresAt?.(handle),
      attempt: () => config.release(handle, parent),
      decide: config.decide ?? decideRelease,
      backoff: config.backoff,
      pause: config.pause,
    };
    release(ledger, plan, () => letGo(holding));
  };

  holding.leave = leave;
  holding.parentGone = endedByServer;
  if (subscriber.closed) {
    leave();
    return;
  }
  const lease: Lease = { endedByServer, extendedTo: (time) => (extendedTo = time) };
  // Subscribing with the subscriber itself stops `use` at once, even in the middle of a synchronous burst.
  defer(() => config.use(handle, lease, parent)).subscribe(subscriber);
}
