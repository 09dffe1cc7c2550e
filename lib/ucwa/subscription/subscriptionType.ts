import type { Observable } from 'rxjs';
import type { RequestProgress, HttpRequest } from '../../core/transport/transport.ts';
import { linkOf, type LiveApplication } from '../application/liveApplication.ts';
import type { KeyedEvent } from '../channel/eventRouter.ts';
import type { DecodedResponse, UcwaRequest } from '../protocol/request.ts';
import type { UcwaSession } from '../session/session.ts';
import type { EventSource } from './eventSource.ts';
import type { OnLost } from './recreation.ts';
import { hrefOf, type PresenceSubscriptionResource } from '../protocol/resource.ts';

/** A subscription that was created on the server. */
export interface Created {
  /** Absolute. */
  readonly self: string;
  /** The link to its memberships, absolute; undefined if there is none. */
  readonly memberships: string | undefined;
  /** The link that adds contacts, absolute; undefined if there is none. */
  readonly addTo: string | undefined;
}

/** An emission of a stream: a subscription that was created, or one of its events. */
export type SubscriptionSignal<Made extends Created> =
  | { readonly made: Made; readonly application: LiveApplication; readonly event?: undefined }
  | (KeyedEvent & { readonly made?: undefined });

/** The configuration of a stream of subscriptions. */
export interface StreamConfig<Made extends Created, Value> {
  readonly session: UcwaSession;
  readonly type: SubscriptionType<Made>;
  readonly source: EventSource;
  readonly onLost: OnLost;
  /** Returns the value to emit for a signal; undefined for none. */
  readonly select: (signal: SubscriptionSignal<Made>) => Value | undefined;
}

/** The requests that create, extend and remove subscriptions of one type. */
export interface SubscriptionType<Made extends Created = Created> {
  /** The name of the resource in the protocol. */
  readonly resource: string;
  /** The time after which the server ends a subscription that is not extended. */
  readonly durationMinutes: number;
  /** Whether the event channel announces that a subscription was created and removed. */
  readonly isAnnounced: boolean;
  readonly create: (
    application: LiveApplication,
    onProgress: (progress: RequestProgress) => void,
  ) => Observable<Made>;
  /** Returns the request that extends a subscription. Sending it twice is harmless. */
  readonly extend: (made: Made, durationMinutes: number) => UcwaRequest;
  /** Returns the request that removes a subscription. */
  readonly remove: (made: Made) => UcwaRequest;
  /**
   * Returns an Observable that keeps the subscription up to date; undefined if there is nothing to update.
   *
   * It emits if the subscription has to be replaced, because a lost request may still arrive and change it.
   * It errors if the server refuses an update.
   */
  readonly update?: (made: Made) => Observable<unknown> | undefined;
}

/** Returns the links of a presenceSubscription in a response. */
export function presenceSubscriptionIn({
  value,
  url,
}: DecodedResponse<PresenceSubscriptionResource>): Created {
  const link = (rel: string): string | undefined =>
    hrefOf(value, rel) === undefined ? undefined : linkOf(value, rel, url);
  return {
    self: linkOf(value, 'self', url),
    memberships: link('memberships'),
    addTo: link('addToPresenceSubscription'),
  };
}

/** Returns the href with the duration of a subscription in its query. */
export function withDuration(href: string, durationMinutes: number): string {
  const url = new URL(href);
  url.searchParams.set('duration', String(durationMinutes));
  return url.href;
}

/**
 * Returns the request that extends a presence subscription: an empty POST to its own href.
 *
 * @see [MS-UCWA] ExtendAPresenceSubscription
 */
export function extendPresence({ self }: Created, durationMinutes: number): UcwaRequest {
  return { method: 'POST', url: withDuration(self, durationMinutes) };
}

/**
 * Returns the request that removes a presence subscription.
 *
 * @see [MS-UCWA] DeleteAPresenceSubscription
 */
export function removePresence({ self }: Created): UcwaRequest {
  return { method: 'DELETE', url: self };
}

/**
 * Returns an `onProgress` that calls `onLost` when a request is repeated although an earlier one got no
 * response.
 *
 * The earlier one may still arrive, for as long as `LATE_MS`.
 */
export function reportLost(onLost: () => void): NonNullable<HttpRequest['onProgress']> {
  let isUnanswered = false;
  return (progress) => {
    if (progress === 'sent' && isUnanswered) onLost();
    isUnanswered = progress === 'sent';
  };
}
