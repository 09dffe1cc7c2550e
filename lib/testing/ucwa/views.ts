import type { StoredSubscription, SimulatedApplication } from './model.ts';

/** An application on the simulated server. @inline */
export interface SimulatedApplicationState {
  /** Such as `101`. */
  readonly id: string;
  /** Relative to the server. */
  readonly href: string;
  /**
   * The availability that others see now; after four minutes without reported activity it is `Away`.
   * @default absent: makeMeAvailable was not called
   */
  readonly availability?: string;
}

/** A presence subscription on the simulated server. @inline */
export interface SimulatedPresenceSubscription {
  /** Such as `97b6bd66`. */
  readonly id: string;
  /** Relative to the server. */
  readonly href: string;
  /** The id of its application. */
  readonly applicationId: string;
  /** Its contacts, in lower case. */
  readonly uris: readonly string[];
  /** In milliseconds of the scheduler's clock. */
  readonly expiresAt: number;
}

/** A subscription to the user's contacts and groups on the simulated server. @inline */
export interface SimulatedContactsAndGroups {
  /** The id of its application. */
  readonly applicationId: string;
  /** In milliseconds of the scheduler's clock. */
  readonly expiresAt: number;
}

/** Returns the public view of an application. */
export function applicationState({ id, href, published }: SimulatedApplication): SimulatedApplicationState {
  const { availability } = published;
  return { id, href, ...(availability === undefined ? {} : { availability }) };
}

/** Returns the public views of the presence subscriptions of an application. */
export function subscriptionStates(application: SimulatedApplication): SimulatedPresenceSubscription[] {
  return [...application.subscriptions.values()].map(({ id, members, expiresAt }: StoredSubscription) => ({
    id,
    href: application.subscriptionHref(id),
    applicationId: application.id,
    uris: [...members].map((address) => `sip:${address}`),
    expiresAt,
  }));
}

/** Returns the public view of the subscription to contacts and groups, if there is one. */
export function contactsAndGroupsStates({
  id,
  contactsAndGroupsExpiresAt: expiresAt,
}: SimulatedApplication): SimulatedContactsAndGroups[] {
  return expiresAt === undefined ? [] : [{ applicationId: id, expiresAt }];
}
