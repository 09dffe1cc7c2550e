import { EMPTY, merge, type Observable, Subject } from 'rxjs';

/** One subscription's right to its id: a record for the {@link Claims}, for there may be thousands. */
export interface Claim {
  /** What it holds, unless another subscription has got that since. */
  id: string | undefined;
  /** Called when the server gives the same id to another subscription. It must not throw. */
  lost: (() => void) | undefined;
}

/** Who has which subscription id. */
export interface Claims {
  open(): Claim;
  /**
   * Says that the server gave this id to this subscription. Whoever had the id before is told: the server
   * has forgotten that one.
   *
   * @returns Whether another had it until now, which may have been handed events of this one.
   */
  take(claim: Claim, subscriptionId: string): boolean;
  /** Whether the id is still this subscription's. */
  holds(claim: Claim, subscriptionId: string): boolean;
  /** Lets go of the id. */
  drop(claim: Claim): void;
  /** Whether a subscription has the id. */
  isTaken(subscriptionId: string): boolean;
  /**
   * Says that the server may be giving out an id, any id, just now.
   *
   * @returns To be called when the id was taken, or when none will come.
   */
  awaitId(): () => void;
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
export function idClaims(): Claims {
  const holders = new Map<string, Claim>();
  const awaited = new Set<Subject<never>>();
  const holds = (claim: Claim, subscriptionId: string): boolean => holders.get(subscriptionId) === claim;
  return {
    isTaken: (subscriptionId) => holders.has(subscriptionId),
    open: () => ({ id: undefined, lost: undefined }),
    take: (claim, subscriptionId) => {
      const before = holders.get(subscriptionId);
      holders.set(subscriptionId, claim);
      claim.id = subscriptionId;
      before?.lost?.();
      return before !== undefined;
    },
    holds,
    drop: (claim) => {
      if (claim.id !== undefined && holds(claim, claim.id)) holders.delete(claim.id);
    },
    awaitId: () => {
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
