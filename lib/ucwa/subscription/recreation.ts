import type { UcwaDecision } from '../protocol/failures.ts';

/**
 * Specifies whether a stream continues with a new subscription after the server has ended its subscription.
 */
export type OnLost = 'recreate' | 'complete' | 'error';

/**
 * How a subscription ended before its stream did.
 *
 * - `deleted`: the server announced it.
 * - `gone`: the server does not know the subscription, but its application.
 * - `lost`: a gap reported it, for all subscriptions of the application.
 * - `suspended`: the connection was suspended, which removed its application; a gap reported it.
 * - `replaced`: this library replaces it, because a late request could still change it.
 */
export type Ending = 'deleted' | 'gone' | 'lost' | 'suspended' | 'replaced';

/** The internal error of one subscription: its stream decides what follows. */
export class SubscriptionEnded extends Error {
  readonly ending: Ending;
  readonly self: string;
  readonly createdAt: number;

  constructor(ending: Ending, self: string, createdAt: number) {
    super('the subscription has ended');
    this.ending = ending;
    this.self = self;
    this.createdAt = createdAt;
  }
}

/** How far a stream has come between two subscriptions. */
export interface RecreationState {
  /** How the last subscription ended; undefined before the first was created. */
  readonly ending: Ending | undefined;
  /** Subscriptions in a row that were refused, or ended soon. */
  readonly failures: number;
}

/** The reaction of a stream to the end of a subscription. */
export type RecreationStep =
  /** Creates the next one, after the wait for that many failures in a row; 0 is at once. */
  | { readonly type: 'create'; readonly afterFailures: number }
  /** Creates the next one after the removal of the last: the server may not accept both. */
  | { readonly type: 'awaitRemoval' }
  | { readonly type: 'complete' }
  | { readonly type: 'fail'; readonly because: string };

/** A subscription that ends sooner counts as a failure, in milliseconds. */
const MIN_LIFETIME_MS = 60_000;

const CAUSES: Readonly<Record<Exclude<Ending, 'suspended' | 'replaced'>, string>> = {
  deleted: 'its time was over, or another client has removed it',
  gone: 'the server no longer knows it',
  lost: 'the server has lost the state of the application, or the application',
};

/** The state of a stream before its first subscription. */
export const INITIAL: RecreationState = { ending: undefined, failures: 0 };

/** Returns the next state and step after a subscription ended: a pure function. */
export function afterEnding(
  { failures: before }: RecreationState,
  ending: Ending,
  lifetimeMs: number,
  onLost: OnLost,
): readonly [RecreationState, RecreationStep] {
  if (ending === 'replaced') return [{ ending, failures: before }, { type: 'awaitRemoval' }];
  if (ending === 'suspended')
    return [
      { ending, failures: before },
      { type: 'create', afterFailures: 0 },
    ];
  const failures = lifetimeMs < MIN_LIFETIME_MS ? before + 1 : 0;
  const state = { ending, failures };
  if (onLost === 'complete') return [state, { type: 'complete' }];
  if (onLost === 'error') return [state, { type: 'fail', because: CAUSES[ending] }];
  return [state, { type: 'create', afterFailures: Math.max(0, failures - 1) }];
}

/**
 * Returns the next state after a creation failed, for another attempt; undefined if the stream fails: a pure
 * function.
 */
export function afterRefusal(
  { ending, failures }: RecreationState,
  decision: UcwaDecision,
): RecreationState | undefined {
  // The caller decides whether to try the first one again; a stream that has begun continues.
  return decision === 'retry' && ending !== undefined ? { ending, failures: failures + 1 } : undefined;
}

/** Whether a subscription takes the place of one whose end no gap has reported. */
export function isReplacement({ ending }: RecreationState): boolean {
  return ending !== undefined && ending !== 'lost' && ending !== 'suspended';
}
