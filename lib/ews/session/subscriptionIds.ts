import { asyncScheduler, EMPTY, merge, type Observable, Subject } from 'rxjs';

/** One subscription's right to its id: a record for the {@link SubscriptionIds}, for there may be thousands. */
export interface Ownership {
  /** What it holds, unless another subscription has got that since. */
  id: string | undefined;
  /** When it was told of that, in milliseconds of the scheduler's clock. */
  toldAt: number;
  /** Called when the server gives the same id to another subscription. It must not throw. */
  lost: (() => void) | undefined;
}

/**
 * What becomes of who had an id until now, if there was one.
 *
 * - `none`: nobody had it.
 * - `forgotten`: the server has forgotten the older one, which may have been handed events of the new one.
 * - `disputed`: the other was given it while this answer was under way, so nobody knows whose it is.
 */
export type PreviousOwner = 'none' | 'forgotten' | 'disputed';

/** Who has which subscription id. */
export interface SubscriptionIds {
  open(): Ownership;
  /**
   * Says that the server gave this id to this subscription. Whoever had the id before is told, for it may be
   * gone.
   *
   * @param askedAt When the id was asked for, in milliseconds of the scheduler's clock.
   */
  assign(claim: Ownership, subscriptionId: string, askedAt: number): PreviousOwner;
  /** Whether the id is still this subscription's. */
  owns(claim: Ownership, subscriptionId: string): boolean;
  /** Lets go of the id. */
  drop(claim: Ownership): void;
  /** Takes the id of a process before, unless a subscription of this one has it by now. */
  adopt(claim: Ownership, subscriptionId: string): void;
  /**
   * Says that the server may be giving out an id, any id, just now.
   *
   * @returns To be called when the id was taken, or when none will come.
   */
  expectId(): () => void;
  /** Whether an id is awaited. */
  readonly isAwaitingId: boolean;
  /** Returns an Observable that completes when the ids that are awaited now have come, or will not. */
  settled(): Observable<never>;
}

/**
 * Creates the register of the subscription ids of one service.
 *
 * There are servers whose ids start again when they restart. Without this, the events of a new subscription
 * would go to an old one that has the same id, and the old one's Unsubscribe would remove the new one.
 */
export function subscriptionIds(): SubscriptionIds {
  const holders = new Map<string, Ownership>();
  const awaited = new Set<Subject<never>>();
  const holds = (claim: Ownership, subscriptionId: string): boolean => holders.get(subscriptionId) === claim;
  return {
    open: () => ({ id: undefined, toldAt: -Infinity, lost: undefined }),
    assign: (claim, subscriptionId, askedAt) => {
      const before = holders.get(subscriptionId);
      holders.set(subscriptionId, claim);
      claim.id = subscriptionId;
      claim.toldAt = asyncScheduler.now();
      before?.lost?.();
      if (before === undefined) return 'none';
      return before.toldAt < askedAt ? 'forgotten' : 'disputed';
    },
    owns: holds,
    adopt: (claim, subscriptionId) => {
      if (holders.has(subscriptionId)) return;
      holders.set(subscriptionId, claim);
      claim.id = subscriptionId;
    },
    drop: (claim) => {
      if (claim.id !== undefined && holds(claim, claim.id)) holders.delete(claim.id);
    },
    expectId: () => {
      const coming = new Subject<never>();
      awaited.add(coming);
      return () => {
        awaited.delete(coming);
        coming.complete();
      };
    },
    get isAwaitingId() {
      return awaited.size > 0;
    },
    settled: () => (awaited.size === 0 ? EMPTY : merge(...awaited)),
  };
}
