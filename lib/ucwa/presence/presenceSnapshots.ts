import { merge, Observable, Subject, switchMap, tap, timer } from 'rxjs';
import { contactUriKey, keysOf } from '../channel/eventKeys.ts';
import type { UcwaSession } from '../session/session.ts';
import { gapReasonOf, type UcwaEvent } from '../protocol/events.ts';
import { hrefKey } from '../protocol/href.ts';
import { contactOf } from '../subscription/eventFilter.ts';
import { eventDelayMs } from '../subscription/lease.ts';
import { memberships } from '../subscription/memberships.ts';
import type { ContactPresence, ContactRel } from './contactState.ts';
import type { WatchedContacts } from './presence.ts';
import { presenceFetcher } from './presenceFetcher.ts';
import { presenceStore } from './presenceStore.ts';
import { requestQueue } from './requestQueue.ts';
import type { ContactsSubscription } from './watchedContacts.ts';

/** How things stand after a change. */
export interface PresenceSnapshot {
  /** The states by URI, as the URIs were written. It goes on changing. */
  readonly states: ReadonlyMap<string, ContactPresence>;
  /** Whose state is another now; undefined where somebody has left. */
  readonly changed: string | undefined;
}

/** How many resources are asked for at a time; a user may have 100 requests outstanding. [batch_ref] */
const MOST_AT_ONCE = 80;

/**
 * Returns an Observable that asks for the states of contacts, asks again for what changes, and emits on every
 * change of a state.
 *
 * The links come with the events. A contact of which none comes, such as one that another subscription has as
 * well, is looked up in the memberships. After a gap everything is asked for again; until that is answered
 * the states stay as they were.
 *
 * @param rels The parts of the states that are wanted.
 */
export function presenceSnapshots(
  { transport, pause, mediumSeconds }: UcwaSession,
  { wanted, own, events$ }: WatchedContacts,
  rels: readonly ContactRel[],
): Observable<PresenceSnapshot> {
  return new Observable((subscriber) => {
    const states = presenceStore(wanted.byKey);
    const asking = requestQueue(MOST_AT_ONCE, pause);
    /** Emits when a contact may stay silent from now on. */
    const doubt = new Subject<void>();
    let listed = wanted.byKey;
    let made: ContactsSubscription | undefined;
    let base = '';

    const changed = (key: string): void =>
      subscriber.next({ states: states.byUri, changed: wanted.byKey.get(key) });
    const questions = presenceFetcher({
      ...{ transport, inquiries: asking, states, rels, base: () => base, changed },
    });

    const relist = (): void => {
      const before = listed;
      listed = wanted.byKey;
      for (const key of new Set([...before.keys(), ...listed.keys()])) {
        if (!listed.has(key)) questions.forget(key);
        if (states.rename(key, listed.get(key))) changed(key);
      }
    };

    const lookUp = ({ has, self, memberships: url }: ContactsSubscription): void => {
      const silent = (): string[] => [...listed.keys()].filter((key) => questions.isSilent(key));
      // Those that are still being added are not among the members yet.
      if (has !== undefined && silent().some((key) => !has.has(key))) doubt.next();
      if (url === undefined || silent().length === 0) return;
      const found$ = memberships(transport, url, hrefKey(self)).pipe(
        tap((found) => {
          const missing = new Set(silent());
          for (const { address, href } of found) {
            const key = address === undefined ? '' : contactUriKey(address);
            if (missing.has(key)) questions.contact(key, href);
          }
        }),
        tap({
          error: (error: unknown) =>
            silent().forEach((key) => {
              if (states.setError(key, 'contactPresence', error)) changed(key);
            }),
        }),
      );
      asking.enqueue('memberships', found$);
    };

    const take = (event: UcwaEvent): void => {
      const loss = gapReasonOf(event);
      if (loss !== undefined) {
        if (loss === 'resync') questions.again();
        else questions.forgetAll();
        doubt.next();
      }
      const key = contactOf(own, keysOf(event));
      if (key === undefined || event.type === 'deleted') return;
      const { link, resource } = event;
      const rel = rels.find((one) => one === link.rel);
      if (rel !== undefined) questions.part(key, rel, link.href, resource);
      const home = link.rel === 'contact' ? link : event.in;
      // The presence alone needs no other links than its own.
      if (rels.length > 1 && home?.rel === 'contact')
        questions.contact(key, home.href, home === link ? resource : undefined);
    };

    // What is asked is over before the subscription is removed that it is asked for.
    subscriber.add(() => asking.forgetAll());
    wanted.made = (subscription, { self }): void => {
      made = subscription;
      base = self;
      doubt.next();
    };
    subscriber.add(wanted.changed$.subscribe(relist));
    subscriber.add(
      merge(doubt, wanted.changed$)
        .pipe(switchMap(() => timer(eventDelayMs(mediumSeconds()))))
        .subscribe(() => {
          if (made !== undefined) lookUp(made);
        }),
    );
    subscriber.add(
      events$.subscribe({
        next: take,
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    );
  });
}
