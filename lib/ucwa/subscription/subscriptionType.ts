import type { Observable } from 'rxjs';
import type { RequestProgress } from '../../core/transport/transport.ts';
import { linkOf, type LiveApplication } from '../application/liveApplication.ts';
import type { Answered, UcwaRequest } from '../protocol/request.ts';
import { hrefOf, type PresenceSubscriptionResource } from '../protocol/resource.ts';

/** A subscription as it was created on the server. */
export interface Created {
  /** Absolute. */
  readonly self: string;
  /** Where its memberships are, absolute; undefined where it has none. */
  readonly memberships: string | undefined;
  /** Where contacts are added, absolute; undefined where they cannot be. */
  readonly addTo: string | undefined;
}

/** What is the same in all subscriptions of a kind: how they are made, kept and removed. */
export interface SubscriptionType<Made extends Created = Created> {
  /** In the protocol's own word. */
  readonly resource: string;
  /** How long the server keeps one that it hears nothing of. */
  readonly durationMinutes: number;
  /** Whether the event channel tells that one was created and removed. */
  readonly isAnnounced: boolean;
  readonly create: (
    application: LiveApplication,
    onProgress: (progress: RequestProgress) => void,
  ) => Observable<Made>;
  /** The request that extends it; sending it twice does no harm. */
  readonly extend: (made: Made, durationMinutes: number) => UcwaRequest;
  /** The request that removes it. */
  readonly remove: (made: Made) => UcwaRequest;
  /**
   * Brings it up to date while it is there: errors with what is refused, emits nothing. Undefined where it is, and
   * stays so. It errors with `ENDED` if a request that was lost can arrive and change it: it is replaced then.
   */
  readonly update?: (made: Made) => Observable<never> | undefined;
}

/** What an answer says of a presence subscription. */
export function presenceSubscriptionIn({ value, url }: Answered<PresenceSubscriptionResource>): Created {
  const link = (rel: string): string | undefined =>
    hrefOf(value, rel) === undefined ? undefined : linkOf(value, rel, url);
  return {
    self: linkOf(value, 'self', url),
    memberships: link('memberships'),
    addTo: link('addToPresenceSubscription'),
  };
}

/** The href with the time that a subscription is to last in its query, beside what is there. */
export function withDuration(href: string, durationMinutes: number): string {
  const url = new URL(href);
  url.searchParams.set('duration', String(durationMinutes));
  return url.href;
}

/** What extends a presence subscription: an empty POST to itself. [ExtendAPresenceSubscription] */
export function extendPresence({ self }: Created, durationMinutes: number): UcwaRequest {
  return { method: 'POST', url: withDuration(self, durationMinutes) };
}

/** What removes a presence subscription. [DeleteAPresenceSubscription] */
export function removePresence({ self }: Created): UcwaRequest {
  return { method: 'DELETE', url: self };
}
