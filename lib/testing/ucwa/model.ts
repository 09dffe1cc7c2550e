import { asyncScheduler } from 'rxjs';
import type { ContactPart } from './contacts.ts';
import type { EventQueue } from './eventQueue.ts';

/** The properties with which a client creates an application. */
export interface ApplicationIdentity {
  readonly culture: string;
  readonly endpointId: string;
  readonly userAgent: string;
  readonly instanceId?: string;
}

/** Returns whether two clients share one application. @see [MS-UCWA] MultiTabSupport */
export function isSameIdentity(one: ApplicationIdentity, other: ApplicationIdentity): boolean {
  return (['culture', 'endpointId', 'userAgent', 'instanceId'] as const).every(
    (name) => one[name] === other[name],
  );
}

/** A presence subscription on the server. */
export interface StoredSubscription {
  readonly id: string;
  /** The addresses, in lower case and without `sip:`. */
  readonly members: Set<string>;
  /** Whether it is that of a group, which accepts no members. */
  readonly isOfGroup: boolean;
  expiresAt: number;
  isWarned: boolean;
}

/** An application on the server, with its subscriptions. */
export interface SimulatedApplication {
  readonly id: string;
  readonly href: string;
  readonly identity: ApplicationIdentity;
  readonly queue: EventQueue;
  readonly subscriptions: ReadonlyMap<string, StoredSubscription>;
  readonly published: PublishedPresence;
  /** The expiry of the subscription to the user's contacts and groups; undefined while there is none. */
  contactsAndGroupsExpiresAt: number | undefined;
  subscriptionHref(id: string): string;
  contactHref(address: string): string;
  subscribe(
    id: string,
    addresses: readonly string[],
    minutes: number,
    isOfGroup: boolean,
  ): StoredSubscription;
  /** Starts or refreshes the subscription to the user's contacts and groups. */
  refreshContactsAndGroups(minutes: number): void;
  addMembers(subscription: StoredSubscription, addresses: readonly string[]): void;
  removeMember(subscription: StoredSubscription, address: string): void;
  /** Adds to the remaining time, up to 30 minutes. */
  extend(subscription: StoredSubscription, minutes: number): void;
  /** Removes a subscription and its contacts, with events. */
  remove(subscription: StoredSubscription): void;
  /** Sends events about the changed resources of a contact, if it is in a subscription. */
  notifyContactChanged(address: string, parts: readonly ContactPart[]): void;
  /** Sends an `updated` event for `me`. */
  readonly notifyMeChanged: () => void;
  /** Removes all subscriptions without events; only `resume` reports it. */
  dropSubscriptions(): void;
  /** Removes expired subscriptions, and sends `updated` for those that expire soon. */
  expireDue(): void;
}

/** The availability that the user publishes. */
interface PublishedPresence {
  /** Starts publishing this availability. */
  signIn(availability: string): void;
  /** Reports activity of the user. */
  report(): void;
  /** The availability that others see now; undefined before `signIn`. */
  readonly availability: string | undefined;
}

/** After four minutes without reported activity, the documented server lowers the availability. */
const ACTIVE_MINUTES = 4;

/** Creates a user who publishes nothing yet. @param minuteMs The length of a minute of the server */
export function publishedPresence(minuteMs: number): PublishedPresence {
  let signedInAs: string | undefined;
  let activeAt = 0;
  const report = (): void => {
    activeAt = asyncScheduler.now();
  };
  return {
    report,
    signIn: (availability) => {
      signedInAs = availability;
      report();
    },
    get availability() {
      const isIdle = asyncScheduler.now() - activeAt > ACTIVE_MINUTES * minuteMs;
      return signedInAs !== undefined && isIdle ? 'Away' : signedInAs;
    },
  };
}
