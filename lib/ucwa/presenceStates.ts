import { merge, Observable, Subject, switchMap, tap, timer } from 'rxjs';
import type { UcwaInternals } from './connect.ts';
import { contactQuestions } from './contactQuestions.ts';
import type { ContactRel } from './contactResources.ts';
import { contactStates } from './contactStates.ts';
import type { ContactPresence } from './contactState.ts';
import { eventDelayMs } from './eventDelay.ts';
import type { UcwaEvent } from './events.ts';
import { contactKey, filedUnder } from './filing.ts';
import { hrefKey } from './href.ts';
import { inquiries } from './inquiries.ts';
import { memberships } from './memberships.ts';
import { contactOf } from './ownEvents.ts';
import type { WatchedContacts } from './presenceStream.ts';
import { lossIn } from './reset.ts';
import type { ContactsSubscription } from './wantedContacts.ts';

/** How things stand after a change. */
export interface Standing {
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
 * well, is looked up in the memberships. After a reset everything is asked for again; until that is answered
 * the states stay as they were.
 *
 * @param rels The parts of the states that are wanted.
 */
export function presenceStates(
  { transport, pause, mediumSeconds }: UcwaInternals,
  { wanted, own, events$ }: WatchedContacts,
  rels: readonly ContactRel[],
): Observable<Standing> {
  return new Observable((subscriber) => {
    const states = contactStates(wanted.byKey);
    const asking = inquiries(MOST_AT_ONCE, pause);
    /** Emits when a contact may stay silent from now on. */
    const doubt = new Subject<void>();
    let listed = wanted.byKey;
    let made: ContactsSubscription | undefined;
    let base = '';

    const changed = (key: string): void =>
      subscriber.next({ states: states.byUri, changed: wanted.byKey.get(key) });
    const questions = contactQuestions({
      ...{ transport, inquiries: asking, states, rels, base: () => base, changed },
    });

    const relist = (): void => {
      const before = listed;
      listed = wanted.byKey;
      for (const key of new Set([...before.keys(), ...listed.keys()])) {
        if (!listed.has(key)) questions.forget(key);
        if (states.respell(key, listed.get(key))) changed(key);
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
            const key = address === undefined ? '' : contactKey(address);
            if (missing.has(key)) questions.contact(key, href);
          }
        }),
        tap({
          error: (error: unknown) =>
            silent().forEach((key) => {
              if (states.fail(key, 'contactPresence', error)) changed(key);
            }),
        }),
      );
      asking.ask('memberships', found$);
    };

    const take = (event: UcwaEvent): void => {
      const loss = lossIn(event);
      if (loss !== undefined) {
        if (loss === 'resync') questions.again();
        else questions.forgetAll();
        doubt.next();
      }
      const key = contactOf(own, filedUnder(event));
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
