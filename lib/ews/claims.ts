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
}

/**
 * Creates the register of the subscription ids of one service.
 *
 * There are servers whose ids start again when they restart. Without this, the events of a new subscription
 * would go to an old one that has the same id, and the old one's Unsubscribe would remove the new one.
 */
export function idClaims(): Claims {
  const holders = new Map<string, Claim>();
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
  };
}
