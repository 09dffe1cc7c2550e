import { asyncScheduler } from 'rxjs';
import type { ContactPart, SimulatedContacts } from './contacts.ts';
import { eventQueue, type EventQueueOptions, type SimulatedEvent } from './eventQueue.ts';
import {
  type ApplicationIdentity,
  type StoredSubscription,
  publishedPresence,
  type SimulatedApplication,
} from './model.ts';
import { subscriptionResource } from './resources.ts';

/** The options of an application. */
export interface ApplicationOptions extends Omit<EventQueueOptions, 'href' | 'expireDue'> {
  /** Seconds of the server between the `updated` event of a subscription and its expiry. */
  readonly warningSeconds: number;
  readonly contacts: SimulatedContacts;
}

const MAX_MINUTES = 30;

/** Creates an application. */
export function simulatedApplication(
  id: string,
  href: string,
  identity: ApplicationIdentity,
  options: ApplicationOptions,
): SimulatedApplication {
  const people = { rel: 'people', href: `${href}/people` };
  const subscriptions = new Map<string, StoredSubscription>();
  /** The number of subscriptions with each contact. */
  const subscriptionCounts = new Map<string, number>();
  const { contacts, secondMs } = options;
  const minuteMs = 60 * secondMs;
  const warningMs = options.warningSeconds * secondMs;

  const nextDue = (): number | undefined => {
    const times = [...subscriptions.values()].map(({ expiresAt, isWarned }) =>
      isWarned ? expiresAt : expiresAt - warningMs,
    );
    return times.length === 0 ? undefined : Math.min(...times);
  };

  const notify = (event: SimulatedEvent): void => queue.push(people, event, 'medium');

  const isWatched = (address: string): boolean => subscriptionCounts.has(address);

  const contactEvent = (type: 'added' | 'deleted', address: string): SimulatedEvent => ({
    link: { rel: 'contact', href: application.contactHref(address) },
    in: { rel: 'subscribedContacts', href: `${people.href}/subscribedContacts` },
    type,
  });

  const subscriptionEvent = (type: string, subscriptionId: string): SimulatedEvent => ({
    link: { rel: 'presenceSubscription', href: application.subscriptionHref(subscriptionId) },
    ...(type === 'deleted'
      ? {}
      : { _embedded: { presenceSubscription: subscriptionResource(application, subscriptionId) } }),
    type,
  });

  const notifyParts = (address: string, parts: readonly ContactPart[]): void => {
    const contactHref = application.contactHref(address);
    for (const part of parts) notify(contacts.updatedEvent(part, address, contactHref));
  };

  const notifyKnown = (address: string): void => notifyParts(address, contacts.knownParts(address));

  const addMembers = (subscription: StoredSubscription, addresses: readonly string[]): string[] => {
    const fresh = [...new Set(addresses)].filter((address) => !subscription.members.has(address));
    for (const address of fresh) {
      // The collection has each contact once, even if it is in several subscriptions.
      if (!isWatched(address)) notify(contactEvent('added', address));
      subscription.members.add(address);
      subscriptionCounts.set(address, (subscriptionCounts.get(address) ?? 0) + 1);
    }
    return fresh;
  };

  const removeMember = (subscription: StoredSubscription, address: string): void => {
    subscription.members.delete(address);
    const left = (subscriptionCounts.get(address) ?? 0) - 1;
    if (left > 0) subscriptionCounts.set(address, left);
    else subscriptionCounts.delete(address);
    if (!isWatched(address)) notify(contactEvent('deleted', address));
  };

  const remove = (subscription: StoredSubscription): void => {
    subscriptions.delete(subscription.id);
    for (const address of [...subscription.members]) removeMember(subscription, address);
    notify(subscriptionEvent('deleted', subscription.id));
  };

  const expireDue = (): void => {
    const now = asyncScheduler.now();
    if ((application.contactsAndGroupsExpiresAt ?? Infinity) <= now)
      application.contactsAndGroupsExpiresAt = undefined;
    for (const subscription of [...subscriptions.values()]) {
      if (subscription.expiresAt <= now) remove(subscription);
      else if (!subscription.isWarned && subscription.expiresAt - warningMs <= now) {
        subscription.isWarned = true;
        notify(subscriptionEvent('updated', subscription.id));
      }
    }
  };

  const queue = eventQueue({
    ...options,
    href: `${href}/events`,
    expireDue: () => {
      expireDue();
      return nextDue();
    },
  });

  const application: SimulatedApplication = {
    id,
    href,
    identity,
    queue,
    subscriptions,
    published: publishedPresence(minuteMs),
    subscriptionHref: (subscriptionId) => `${people.href}/presenceSubscriptions/${subscriptionId}`,
    contactHref: (address) => `${people.href}/${contacts.segmentOf(address)}`,
    subscribe: (subscriptionId, addresses, minutes, isOfGroup) => {
      const subscription: StoredSubscription = {
        id: subscriptionId,
        members: new Set(),
        isOfGroup,
        expiresAt: asyncScheduler.now() + minutes * minuteMs,
        isWarned: false,
      };
      subscriptions.set(subscriptionId, subscription);
      const fresh = addMembers(subscription, addresses);
      notify(subscriptionEvent('added', subscriptionId));
      fresh.forEach(notifyKnown);
      return subscription;
    },
    addMembers: (subscription, addresses) => addMembers(subscription, addresses).forEach(notifyKnown),
    removeMember,
    extend: (subscription, minutes) => {
      const now = asyncScheduler.now();
      const extended = subscription.expiresAt + minutes * minuteMs;
      subscription.expiresAt = Math.min(extended, now + MAX_MINUTES * minuteMs);
      subscription.isWarned = false;
    },
    remove,
    notifyContactChanged: (address, parts) => {
      if (isWatched(address)) notifyParts(address, parts);
    },
    notifyMeChanged: () => {
      const me = { rel: 'me', href: `${href}/me` };
      queue.push(me, { link: me, type: 'updated' }, 'high');
    },
    contactsAndGroupsExpiresAt: undefined,
    refreshContactsAndGroups: (minutes) => {
      const now = asyncScheduler.now();
      const extended = (application.contactsAndGroupsExpiresAt ?? now) + minutes * minuteMs;
      application.contactsAndGroupsExpiresAt = Math.min(extended, now + MAX_MINUTES * minuteMs);
    },
    dropSubscriptions: () => {
      subscriptions.clear();
      subscriptionCounts.clear();
      application.contactsAndGroupsExpiresAt = undefined;
    },
    expireDue,
  };
  return application;
}
