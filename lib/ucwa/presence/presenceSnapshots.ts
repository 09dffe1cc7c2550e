import { merge, Observable, Subject, switchMap, tap, timer } from 'rxjs';
import { contactUriKey, type KeyedEvent } from '../channel/eventRouter.ts';
import { gapReasonOf } from '../protocol/events.ts';
import { hrefKey } from '../protocol/href.ts';
import type { UcwaSession } from '../session/session.ts';
import { eventDelayMs } from '../subscription/eventSource.ts';
import { contactOf } from '../subscription/eventFilter.ts';
import { memberships } from '../subscription/memberships.ts';
import { type ContactPresence, type ContactRel, presenceStore } from './contactState.ts';
import type { PresenceSignals } from './presence.ts';
import { presenceFetcher } from './presenceFetcher.ts';
import { requestQueue } from './requestQueue.ts';
import type { ContactsSubscription } from './watchedContacts.ts';

/** The states of all contacts after a change. */
export interface PresenceSnapshot {
  /** The states by URI, as the caller wrote the URIs. The Map keeps changing. */
  readonly states: ReadonlyMap<string, ContactPresence>;
  /** The URI whose state changed; undefined if a contact has left. */
  readonly changed: string | undefined;
}

/**
 * The number of resources that are requested at a time: a user may have 100 requests outstanding. [batch_ref]
 */
const CONCURRENT_REQUESTS = 80;

/**
 * Returns an Observable that requests the states of contacts, keeps them current, and emits after each
 * change.
 *
 * Events carry the links to the states. A contact without events, such as one that another subscription also
 * has, is looked up in the memberships. After a gap all states are requested again, and kept until the
 * responses arrive.
 *
 * @param rels The parts of the states.
 */
export function presenceSnapshots(
  { transport, pause, mediumSeconds, status }: UcwaSession,
  { contacts, source, signals }: PresenceSignals,
  rels: readonly ContactRel[],
): Observable<PresenceSnapshot> {
  return new Observable((subscriber) => {
    const states = presenceStore(contacts.byKey);
    const report = status.begin();
    const requests = requestQueue(CONCURRENT_REQUESTS, pause, (change) =>
      change === 'failed' ? report('behind') : reportIfComplete(),
    );
    /** Whether contacts without events were looked up. */
    let isLookedUp = false;
    /** Emits when contacts may remain without events. */
    const uncertain = new Subject<void>();
    let listed = contacts.byKey;
    let active: ContactsSubscription | undefined;
    let base = '';

    const changed = (key: string): void =>
      subscriber.next({ states: states.byUri, changed: contacts.byKey.get(key) });
    const fetcher = presenceFetcher({ transport, requests, states, rels, base: () => base, changed });

    const reportIfComplete = (): void => {
      if (requests.isEmpty && (isLookedUp || fetcher.linked >= listed.size)) report('current');
    };

    const relist = (): void => {
      const before = listed;
      listed = contacts.byKey;
      for (const key of new Set([...before.keys(), ...listed.keys()])) {
        if (!listed.has(key)) fetcher.remove(key);
        if (states.rename(key, listed.get(key))) changed(key);
      }
    };

    const lookUp = ({ members, self, memberships: url }: ContactsSubscription): void => {
      const silent = (): string[] => [...listed.keys()].filter((key) => fetcher.hasNoLink(key));
      // Contacts that are still being added are not members yet.
      if (members !== undefined && silent().some((key) => !members.has(key))) uncertain.next();
      isLookedUp = url === undefined || silent().length === 0;
      if (isLookedUp) reportIfComplete();
      if (url === undefined || isLookedUp) return;
      const found$ = memberships(transport, url, hrefKey(self)).pipe(
        tap({
          complete: () => (isLookedUp = true),
          next: (found) => {
            const missing = new Set(silent());
            for (const { address, href } of found) {
              const key = address === undefined ? '' : contactUriKey(address);
              if (missing.has(key)) fetcher.fetchContact(key, href);
            }
          },
          error: (error: unknown) => {
            isLookedUp = true;
            silent().forEach((key) => {
              if (states.setError(key, 'contactPresence', error)) changed(key);
            });
          },
        }),
      );
      requests.enqueue('memberships', found$);
    };

    const process = ({ event, keys }: KeyedEvent): void => {
      const reason = gapReasonOf(event);
      if (reason !== undefined) {
        isLookedUp = false;
        report('behind');
        if (reason === 'resync') fetcher.refetchAll();
        else fetcher.removeAll();
        uncertain.next();
      }
      const key = contactOf(source.filter, keys);
      if (key === undefined || event.type === 'deleted') return;
      const { link, resource } = event;
      const rel = rels.find((one) => one === link.rel);
      if (rel !== undefined) fetcher.fetchPart(key, rel, link.href, resource);
      const contact = link.rel === 'contact' ? link : event.in;
      // The presence alone needs no other link than its own.
      if (rels.length > 1 && contact?.rel === 'contact')
        fetcher.fetchContact(key, contact.href, contact === link ? resource : undefined);
      reportIfComplete();
    };

    // Requests end before the subscription that they depend on is removed.
    subscriber.add(() => {
      report(undefined);
      requests.cancelAll();
    });
    subscriber.add(contacts.changed$.subscribe(relist));
    subscriber.add(
      merge(uncertain, contacts.changed$)
        .pipe(switchMap(() => timer(eventDelayMs(mediumSeconds()))))
        .subscribe(() => {
          if (active !== undefined) lookUp(active);
        }),
    );
    subscriber.add(
      signals((signal) => signal).subscribe({
        next: (signal) => {
          if (signal.event !== undefined) {
            process(signal);
            return;
          }
          active = signal.made;
          base = signal.application.self;
          uncertain.next();
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    );
  });
}
