import { asyncScheduler, EMPTY, merge, type Observable, Subject } from 'rxjs';

/** The ownership of an id by one subscription: a plain record, because there may be thousands. */
export interface Ownership {
  /** The id that was assigned; another subscription may own it by now. */
  id: string | undefined;
  /** When the id was assigned, in milliseconds of the scheduler's clock. */
  assignedAt: number;
  /** Called when the server gives the same id to another subscription. It must not throw. */
  lost: (() => void) | undefined;
}

/**
 * The relation of a newly assigned id to its previous owner.
 *
 * - `none`: there was no owner.
 * - `forgotten`: the server has forgotten the older subscription, which may have received events of the new
 *   one.
 * - `disputed`: the id was assigned to the other while this response was under way, so its owner is unknown.
 */
export type PreviousOwner = 'none' | 'forgotten' | 'disputed';

/** The owners of the subscription ids at one server. */
export interface SubscriptionIds {
  /** Returns an ownership without an id. */
  open(): Ownership;
  /**
   * Records that the server gave this id to a subscription, and notifies the previous owner, which may be
   * gone.
   *
   * @param requestedAt When the id was requested, in milliseconds of the scheduler's clock.
   */
  assign(owner: Ownership, subscriptionId: string, requestedAt: number): PreviousOwner;
  /** Returns whether a subscription still owns an id. */
  owns(owner: Ownership, subscriptionId: string): boolean;
  /** Removes an ownership. */
  drop(owner: Ownership): void;
  /**
   * Records the owner of an id that an earlier process has left, unless a subscription of this one owns it.
   */
  adopt(owner: Ownership, subscriptionId: string): void;
  /**
   * Records that the server may be assigning an id, of any value.
   *
   * @returns A function to call when the id was assigned, or when none will be.
   */
  expectId(): () => void;
  /** Whether an id is expected. */
  readonly isAwaitingId: boolean;
  /**
   * Returns an Observable that completes when the ids that are expected now were assigned, or will not be.
   */
  settled(): Observable<never>;
}

/**
 * Creates the register of the subscription ids at one server.
 *
 * There are servers that reuse ids after a restart. Without the register, the events of a new subscription
 * would go to an old one with the same id, and the Unsubscribe of the old one would remove the new one.
 */
export function subscriptionIds(): SubscriptionIds {
  const owners = new Map<string, Ownership>();
  const expected = new Set<Subject<never>>();
  const owns = (owner: Ownership, subscriptionId: string): boolean => owners.get(subscriptionId) === owner;
  return {
    open: () => ({ id: undefined, assignedAt: -Infinity, lost: undefined }),
    assign: (owner, subscriptionId, requestedAt) => {
      const previous = owners.get(subscriptionId);
      owners.set(subscriptionId, owner);
      owner.id = subscriptionId;
      owner.assignedAt = asyncScheduler.now();
      previous?.lost?.();
      if (previous === undefined) return 'none';
      return previous.assignedAt < requestedAt ? 'forgotten' : 'disputed';
    },
    owns,
    adopt: (owner, subscriptionId) => {
      if (owners.has(subscriptionId)) return;
      owners.set(subscriptionId, owner);
      owner.id = subscriptionId;
    },
    drop: (owner) => {
      if (owner.id !== undefined && owns(owner, owner.id)) owners.delete(owner.id);
    },
    expectId: () => {
      const id$ = new Subject<never>();
      expected.add(id$);
      return () => {
        expected.delete(id$);
        id$.complete();
      };
    },
    get isAwaitingId() {
      return expected.size > 0;
    },
    settled: () => (expected.size === 0 ? EMPTY : merge(...expected)),
  };
}
