import type { LiveApplication } from './liveApplication.ts';
import type { UcwaInternals } from './connect.ts';
import type { OwnEvents } from './ownEvents.ts';
import type { Created, SubscriptionKind } from './subscriptionKind.ts';

/**
 * How a subscription ended: the server said so (`deleted`), no longer knows it (`gone`), or has lost it together with
 * all else (`lost`), which a reset says; or it is to be replaced, because a late request can change it (`doubtful`).
 */
export type Ending = 'deleted' | 'gone' | 'lost' | 'doubtful';

/** What a stream is made of, and how it goes with its subscription on the server. */
export interface Stream<Made extends Created> {
  readonly internals: UcwaInternals;
  readonly kind: SubscriptionKind<Made>;
  readonly own: OwnEvents;
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
export const ENDED: Error = new Error('the subscription has ended');

/** When the server ends a subscription that nobody extends, in milliseconds of the scheduler's clock. */
export function expiryOf<Made extends Created>({ kind, madeAt }: Stream<Made>): number {
  return madeAt + kind.durationMinutes * 60_000;
}
