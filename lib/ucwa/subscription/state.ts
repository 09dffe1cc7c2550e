import type { LiveApplication } from '../application/liveApplication.ts';
import type { UcwaSession } from '../session/session.ts';
import type { EventFilter } from './eventFilter.ts';
import type { Created, SubscriptionType } from './subscriptionType.ts';

/**
 * How a subscription ended: the server said so (`deleted`), no longer knows it (`gone`), or has lost it together with
 * all else (`lost`), which a gap reports; or it is to be replaced, because a late request can change it (`doubtful`).
 */
export type Ending = 'deleted' | 'gone' | 'lost' | 'doubtful';

/** What a stream is made of, and how it goes with its subscription on the server. */
export interface SubscriptionState<Made extends Created> {
  readonly internals: UcwaSession;
  readonly kind: SubscriptionType<Made>;
  readonly own: EventFilter;
  /** The application that it is on, or was to be. */
  application: LiveApplication | undefined;
  /** Why it could not be created. */
  refusal: { readonly error: unknown } | undefined;
  /** Its href, once it was there. */
  self: string | undefined;
  madeAt: number;
  /** How the one before it ended, until it is there itself. */
  ending: Ending | undefined;
}

/** The error of the Observable of a subscription that has ended: its stream says how. */
export const SUBSCRIPTION_ENDED: Error = new Error('the subscription has ended');

/** When the server ends a subscription that nobody extends, in milliseconds of the scheduler's clock. */
export function expiryOf<Made extends Created>({ kind, madeAt }: SubscriptionState<Made>): number {
  return madeAt + kind.durationMinutes * 60_000;
}
