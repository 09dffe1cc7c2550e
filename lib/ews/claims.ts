/** One subscription's right to its id. */
export interface Claim {
  /**
   * Says that the server gave this id to this subscription. Whoever had the id before is told: the server
   * has forgotten that one.
   *
   * @param onLost Called when the server gives the same id to another subscription. It must not throw.
   * @returns Whether another had it until now, which may have been handed events of this one.
   */
  take(subscriptionId: string, onLost: () => void): boolean;
  /** Whether the id is still this subscription's. */
  holds(subscriptionId: string): boolean;
  /** Lets go of the id. */
  drop(): void;
}

/** Who has which subscription id. */
export interface Claims {
  open(): Claim;
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
  const holders = new Map<string, { readonly claim: Claim; readonly onLost: () => void }>();
  return {
    isTaken: (subscriptionId) => holders.has(subscriptionId),
    open: () => {
      const claim: Claim = {
        take: (subscriptionId, onLost) => {
          const before = holders.get(subscriptionId);
          holders.set(subscriptionId, { claim, onLost });
          before?.onLost();
          return before !== undefined;
        },
        holds: (subscriptionId) => holders.get(subscriptionId)?.claim === claim,
        drop: () => {
          for (const [id, holder] of holders) if (holder.claim === claim) holders.delete(id);
        },
      };
      return claim;
    },
  };
}
