import type { StoredSubscription, SimulatedApplication } from './model.ts';

/** An application that the simulated server holds. */
export interface SimulatedApplicationState {
  /** Such as `101`. */
  readonly id: string;
  /** Relative to the server. */
  readonly href: string;
  /**
   * What the user lets others see by now: after four minutes without a report of activity it is `Away`.
   * @default not there: makeMeAvailable was not called
   */
  readonly availability?: string;
}

/** A presence subscription that the simulated server holds. */
export interface SimulatedPresenceSubscription {
  /** Such as `97b6bd66`. */
  readonly id: string;
  /** Relative to the server. */
  readonly href: string;
  /** The application that it is on. */
  readonly applicationId: string;
  /** Its contacts, in lower case. */
  readonly uris: readonly string[];
  /** In milliseconds of the scheduler's clock. */
  readonly expiresAt: number;
}

/** A subscription to the user's contacts and groups that the simulated server holds. */
export interface SimulatedContactsAndGroups {
  /** The application that it is on. */
  readonly applicationId: string;
  /** In milliseconds of the scheduler's clock. */
  readonly expiresAt: number;
}

/** Shows an application. */
export function applicationState({ id, href, published }: SimulatedApplication): SimulatedApplicationState {
  const { availability } = published;
  return { id, href, ...(availability === undefined ? {} : { availability }) };
}

/** Shows the presence subscriptions of an application. */
export function subscriptionStates(application: SimulatedApplication): SimulatedPresenceSubscription[] {
  return [...application.subscriptions.values()].map(({ id, members, expiresAt }: StoredSubscription) => ({
    id,
    href: application.subscriptionHref(id),
    applicationId: application.id,
    uris: [...members].map((address) => `sip:${address}`),
    expiresAt,
  }));
}

/** Shows the subscription to contacts and groups of an application, where there is one. */
export function contactsAndGroupsStates({
  id,
  contactsAndGroupsExpiresAt: expiresAt,
}: SimulatedApplication): SimulatedContactsAndGroups[] {
  return expiresAt === undefined ? [] : [{ applicationId: id, expiresAt }];
}
