import type { Answered, UcwaRequest } from './request.ts';
import { linkOf } from './liveApplication.ts';
import type { Created } from './subscriptionKind.ts';
import { hrefOf, type PresenceSubscriptionResource } from './wire.ts';

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
