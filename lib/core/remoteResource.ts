import { defer, Observable, type Subscriber, Subscription, take, takeUntil, throwIfEmpty } from 'rxjs';
import type { BackoffPolicy } from './backoff.ts';
import { decideRelease, release, type ReleaseDecision, type ReleaseResult } from './release.ts';
import { releaseEntry, type ReleaseEntry, type ReleaseLedger } from './releases.ts';
import type { RequestProgress } from './transport.ts';

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
  readonly ledger: Pick<ReleaseLedger, 'begin' | 'record'>;
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
  /** What becomes of it if the acquire's answer is lost, and what can be done: one sentence. */
  readonly ifLost: string;
}

/**
 * Returns an Observable that creates a resource on the server for each subscriber, mirrors what `use` makes
 * of it, and removes it when the subscription ends, however it ends.
 *
 * - Unsubscribing before the creating request is sent sends nothing. After it, the request is never aborted:
 *   its late answer is released at once.
 * - A resource is released once. The release is not bound to the subscription: it is tried again with
 *   backoff until the server's own expiry.
 * - Every outcome stands in the ledger. The Observable errors with what acquire, `use` or `within` error
 *   with, never with what a release errors with.
 */
export function remoteResource<Handle, Value, Parent>(
  config: RemoteResource<Handle, Value, Parent>,
): Observable<Value> {
  return new Observable<Value>((subscriber) => begin(config, subscriber));
}

function begin<Handle, Value, Parent>(
  config: RemoteResource<Handle, Value, Parent>,
  subscriber: Subscriber<Value>,
): void {
  const { ledger, resource } = config;
  const holding = new Subscription();
  const acquiring = new Subscription();
  let hasParent = false;
  let answerIsOutstanding = false;
  let wasLeftOpen = false;
  let endAbandoned: (() => void) | undefined;
  let onParentGone = (): void => undefined;

  const giveUp = (): void => {
    acquiring.unsubscribe();
    holding.unsubscribe();
    endAbandoned?.();
  };

  let onTeardown = (): void => {
    if (answerIsOutstanding) endAbandoned = ledger.begin({ resource, id: undefined });
    else giveUp();
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

  const acquired = (handle: Handle, parent: Parent): void => {
    answerIsOutstanding = false;
    const id = config.identify(handle);
    let extendedTo: number | undefined;
    let isGone = false;
    const lease: Lease = {
      endedByServer: (detail) => {
        if (isGone || subscriber.closed) return;
        isGone = true;
        ledger.record({ outcome: 'EndedByServer', ...releaseEntry(resource, id, detail) });
      },
      extendedTo: (time) => (extendedTo = time),
    };
    onParentGone = lease.endedByServer;
    onTeardown = (): void => {
      if (isGone) {
        giveUp();
        return;
      }
      const plan = {
        resource,
        id,
        expiresAt: extendedTo ?? config.expiresAt?.(handle),
        attempt: () => config.release(handle, parent),
        decide: config.decide ?? decideRelease,
        backoff: config.backoff,
      };
      release(ledger, plan, giveUp);
    };
    // Subscribing with the subscriber itself stops `use` at once, even in the middle of a synchronous burst.
    if (!subscriber.closed) defer(() => config.use(handle, lease, parent)).subscribe(subscriber);
    else {
      onTeardown();
      endAbandoned?.();
    }
  };

  const acquireFailed = (cause: unknown): void => {
    if (answerIsOutstanding) {
      answerIsOutstanding = false;
      ledger.record({ outcome: 'Unknown', ...releaseEntry(resource, undefined), cause, hint: config.ifLost });
    }
    subscriber.error(cause);
    giveUp();
  };

  const acquire = (parent: Parent): void => {
    const gaveUp$ = new Observable<void>((observer) => {
      acquiring.add(() => {
        observer.next();
      });
    });
    defer(() => config.acquire(parent, onProgress))
      .pipe(take(1), throwIfEmpty(), takeUntil(gaveUp$))
      .subscribe({
        next: (handle) => {
          acquired(handle, parent);
        },
        error: acquireFailed,
      });
  };

  // Added before all else: the release begins before `use` lets go of what both need.
  subscriber.add(() => {
    onTeardown();
  });
  holding.add(
    config.within.pipe(throwIfEmpty()).subscribe({
      next: (parent) => {
        if (hasParent || subscriber.closed) return;
        hasParent = true;
        acquire(parent);
      },
      error: (cause: unknown) => {
        onParentGone();
        subscriber.error(cause);
      },
    }),
  );
}
