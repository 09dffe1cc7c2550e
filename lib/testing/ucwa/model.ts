import { asyncScheduler } from 'rxjs';
import type { ContactPart } from './contacts.ts';
import type { EventQueue } from './eventQueue.ts';

/** What a client told of itself when it created an application. */
export interface ApplicationIdentity {
  readonly culture: string;
  readonly endpointId: string;
  readonly userAgent: string;
  readonly instanceId?: string;
}

/** Whether two clients told the same of themselves: their applications are one. [MultiTabSupport] */
export function isSameIdentity(one: ApplicationIdentity, other: ApplicationIdentity): boolean {
  return (['culture', 'endpointId', 'userAgent', 'instanceId'] as const).every(
    (name) => one[name] === other[name],
  );
}

/** A presence subscription that the server holds. */
export interface StoredSubscription {
  readonly id: string;
  /** The addresses, in lower case and without `sip:`. */
  readonly members: Set<string>;
  /** Whether it is that of a group, to which nobody can be added. */
  readonly isOfGroup: boolean;
  expiresAt: number;
  isWarned: boolean;
}

/** One application that the server holds, with everything on it. */
export interface SimulatedApplication {
  readonly id: string;
  readonly href: string;
  readonly identity: ApplicationIdentity;
  readonly queue: EventQueue;
  readonly subscriptions: ReadonlyMap<string, StoredSubscription>;
  readonly published: PublishedPresence;
  /** When the subscription to the user's contacts and groups ends; undefined while there is none. */
  contactsAndGroupsExpiresAt: number | undefined;
  subscriptionHref(id: string): string;
  contactHref(address: string): string;
  subscribe(
    id: string,
    addresses: readonly string[],
    minutes: number,
    isOfGroup: boolean,
  ): StoredSubscription;
  /** Starts the subscription to the user's contacts and groups, or refreshes it. */
  refreshContactsAndGroups(minutes: number): void;
  addMembers(subscription: StoredSubscription, addresses: readonly string[]): void;
  removeMember(subscription: StoredSubscription, address: string): void;
  /** The remaining time grows, up to 30 minutes. */
  extend(subscription: StoredSubscription, minutes: number): void;
  /** Removes the subscription and its contacts, and tells so. */
  remove(subscription: StoredSubscription): void;
  /** Tells of what has changed of a contact, if somebody watches it. */
  notifyContactChanged(address: string, parts: readonly ContactPart[]): void;
  /** Tells that the user's own resource is another now. */
  readonly notifyMeChanged: () => void;
  /** Lets go of all subscriptions without a word: only the channel tells, by `resume`. */
  dropSubscriptions(): void;
  /** Lets every subscription expire that is over by now, and warns of those that soon are. */
  expireDue(): void;
}

/** What the user of an application lets others see. */
interface PublishedPresence {
  /** Starts it, as this. */
  signIn(availability: string): void;
  /** Says that the user is there. */
  report(): void;
  /** What others see by now; undefined until it is started. */
  readonly availability: string | undefined;
}

/** The documentation says that who does not report for four minutes gets a less available status. */
const ACTIVE_MINUTES = 4;

/** Creates what a new application publishes: nothing. @param minuteMs How long a minute of the server lasts. */
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
