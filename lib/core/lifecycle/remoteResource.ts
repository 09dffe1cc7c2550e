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
import type { RequestProgress } from '../transport/transport.ts';
import { type ReleaseLedger } from './ledger.ts';
import { releaseEntry, type ReleaseEntry } from './releaseOutcome.ts';
import { decideRelease, GIVEN_UP, release, type ReleaseDecision, type ReleaseResult } from './release.ts';

/** Reports from `use` about the resource. @inline */
export interface Lease {
  /** The server has ended the resource: no request to remove it will be sent. */
  readonly endedByServer: (detail?: ReleaseEntry['detail']) => void;
  /** The server keeps the resource until then, in milliseconds of the scheduler's clock. */
  readonly extendedTo: (expiresAt: number) => void;
}

/** How a resource on a server is acquired, used and released. */
export interface RemoteResource<Handle, Value, Parent> {
  /** The protocol's name of the resource, for the ledger and for errors. */
  readonly resource: string;
  /** The ledger that records its outcome. */
  readonly ledger: Pick<ReleaseLedger, 'begin' | 'record' | 'givenUp$'>;
  /**
   * Emits the resource that contains this one, and stays open as long as that exists.
   *
   * It is subscribed to from before the acquire until after the release, so that a parent is released after
   * its children. An error means that the parent is gone, and this resource with it.
   */
  readonly parent$: Observable<Parent>;
  /**
   * Creates the resource and emits its one handle.
   *
   * Pass `onProgress` to the request that creates it. From `sent` until either `notProcessed` or the handle,
   * unsubscribing does not abort the request.
   */
  readonly acquire: (parent: Parent, onProgress: (progress: RequestProgress) => void) => Observable<Handle>;
  /** Returns the server's id or href of the resource. */
  readonly identify: (handle: Handle) => string;
  /** Returns what the subscriber receives while the resource exists. */
  readonly use: (handle: Handle, lease: Lease, parent: Parent) => Observable<Value>;
  /** Makes one attempt to remove the resource. It emits at most one result; without one, it was removed. */
  readonly release: (handle: Handle, parent: Parent) => Observable<ReleaseResult>;
  /**
   * Returns when the server removes the resource on its own, in milliseconds of the scheduler's clock. Called
   * when the release begins, unless the lease was extended.
   * @default never
   */
  readonly expiresAt?: (handle: Handle) => number;
  /**
   * Decides about the error of an attempt to release.
   * @default `alreadyGone` for 404 and 410, `retry` for transient failures, otherwise `fail`
   */
  readonly decide?: (error: unknown) => ReleaseDecision;
  /** The waits between attempts to release. */
  readonly backoff?: BackoffPolicy;
  /**
   * Returns an Observable that emits when the next attempt may be made, after so many failures in a row.
   * @default the waits of `backoff`
   */
  readonly pause?: (failures: number, error?: unknown) => Observable<unknown>;
  /** The fate of the resource if the response to its creation is lost, and a remedy: one sentence. */
  readonly unknownHint: string;
}

const NAMES: OptionNames<RemoteResource<never, never, never>> = {
  resource: 1,
  ledger: 1,
  parent$: 1,
  acquire: 1,
  identify: 1,
  use: 1,
  release: 1,
  expiresAt: 1,
  decide: 1,
  backoff: 1,
  pause: 1,
  unknownHint: 1,
};

/**
 * Returns an Observable that creates a resource on a server, and removes it after use.
 *
 * Each subscriber has its own resource.
 *
 * - It emits what `use` emits. However the subscription ends, the resource is released, once.
 * - Unsubscribing before the creating request is sent sends nothing. Afterwards the request is not aborted,
 *   and its late response is released immediately.
 * - The release is not bound to the subscription. It is retried with backoff until the server's own expiry,
 *   or until the ledger is closed and has given up.
 * - The ledger records every outcome. The Observable errors if `acquire`, `use` or `parent$` errors, and
 *   never because of a release.
 *
 * @throws TypeError for a property that is not known.
 *
 * @example
 * ```ts
 * import { EMPTY, NEVER, of, startWith } from 'rxjs';
 * import { releaseLedger, remoteResource } from 'rxchange';
 *
 * const ledger = releaseLedger();
 * const lock$ = remoteResource({
 *   ...{ resource: 'lock', ledger, parent$: NEVER.pipe(startWith('https://locks.example/')) },
 *   acquire: (server, onProgress) => {
 *     onProgress('sent');
 *     return of(`${server}42`); // the response to the request that creates it
 *   },
 *   identify: (href) => href,
 *   use: (href) => NEVER.pipe(startWith(href)),
 *   release: () => EMPTY, // the request that removes it
 *   unknownHint: 'It expires after an hour.',
 * });
 * lock$.subscribe((href) => console.log(href)).unsubscribe();
 * // prints: https://locks.example/42
 * const { clean, outcomes } = await ledger.drain();
 * console.log(clean, outcomes.map(({ outcome }) => outcome).join(', '));
 * // prints: true Released
 * ```
 */
export function remoteResource<Handle, Value, Parent>(
  config: RemoteResource<Handle, Value, Parent>,
): Observable<Value> {
  objectOption('config', config, NAMES);
  return new Observable<Value>((subscriber) => begin(config, subscriber));
}

/**
 * The stage of a resource. Each stage has a function of its own, so that thousands of resources in use keep
 * nothing of how they were acquired.
 */
interface Stage {
  /** Called when the subscription ends; undefined before there is a parent. */
  end: (() => void) | undefined;
  /** Called when the parent is gone. */
  parentGone: (() => void) | undefined;
  /** The subscription to the parent. */
  parent: Subscription | undefined;
  isParentReleased: boolean;
}

function begin<Handle, Value, Parent>(
  config: RemoteResource<Handle, Value, Parent>,
  subscriber: Subscriber<Value>,
): void {
  const stage: Stage = { end: undefined, parentGone: undefined, parent: undefined, isParentReleased: false };
  // Added first: the release begins before `use` releases what both need.
  subscriber.add(() => {
    if (stage.end === undefined) releaseParent(stage);
    else stage.end();
  });
  stage.parent = config.parent$.subscribe({
    next: (parent) => {
      if (stage.end === undefined && !subscriber.closed) acquire(config, subscriber, parent, stage);
    },
    error: (cause: unknown) => {
      stage.parentGone?.();
      subscriber.error(cause);
    },
    complete: () => {
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- throwIfEmpty adds half a kilobyte
      if (stage.end === undefined) subscriber.error(new EmptyError());
    },
  });
  // The parent may have emitted synchronously, and the subscription may be over.
  if (stage.isParentReleased) stage.parent.unsubscribe();
}

function releaseParent(stage: Stage): void {
  stage.isParentReleased = true;
  stage.parent?.unsubscribe();
}

function acquire<Handle, Value, Parent>(
  config: RemoteResource<Handle, Value, Parent>,
  subscriber: Subscriber<Value>,
  parent: Parent,
  stage: Stage,
): void {
  const { ledger, resource } = config;
  const acquiring = new Subscription();
  let isResponsePending = false;
  let isEarlierAttemptPending = false;
  let endPending: (() => void) | undefined;

  const abandon = (): void => {
    acquiring.unsubscribe();
    releaseParent(stage);
    endPending?.();
  };

  const recordUnknown = (cause: unknown): void => {
    isResponsePending = false;
    const hint = config.unknownHint;
    ledger.record({ outcome: 'Unknown', ...releaseEntry(resource, undefined), cause, hint });
  };

  stage.end = () => {
    if (!isResponsePending) {
      abandon();
      return;
    }
    endPending = ledger.begin({ resource, id: undefined });
    acquiring.add(
      ledger.givenUp$.subscribe(() => {
        recordUnknown(new Error(GIVEN_UP));
        abandon();
      }),
    );
  };

  const onProgress = (progress: RequestProgress): void => {
    if (progress === 'sent') {
      // Sent again while a response is pending: that response is lost, and the server may have acted.
      isEarlierAttemptPending ||= isResponsePending;
      isResponsePending = true;
    } else if (!isEarlierAttemptPending) {
      isResponsePending = false;
      // The server did not act, and there is no subscriber for another attempt.
      if (endPending !== undefined) abandon();
    }
  };

  const abandoned$ = new Observable<void>((observer) => {
    acquiring.add(() => {
      observer.next();
    });
  });
  defer(() => config.acquire(parent, onProgress))
    .pipe(take(1), throwIfEmpty(), takeUntil(abandoned$))
    .subscribe({
      next: (handle) => {
        isResponsePending = false;
        hold(config, subscriber, parent, stage, handle);
        endPending?.();
        acquiring.unsubscribe();
      },
      error: (cause: unknown) => {
        if (isResponsePending) recordUnknown(cause);
        subscriber.error(cause);
        abandon();
      },
    });
}

function hold<Handle, Value, Parent>(
  config: RemoteResource<Handle, Value, Parent>,
  subscriber: Subscriber<Value>,
  parent: Parent,
  stage: Stage,
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

  const end = (): void => {
    if (isGone) {
      releaseParent(stage);
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
    release(ledger, plan, () => releaseParent(stage));
  };

  stage.end = end;
  stage.parentGone = endedByServer;
  if (subscriber.closed) {
    end();
    return;
  }
  const lease: Lease = { endedByServer, extendedTo: (time) => (extendedTo = time) };
  // Subscribing the subscriber itself stops `use` immediately, even in a synchronous burst.
  defer(() => config.use(handle, lease, parent)).subscribe(subscriber);
}
