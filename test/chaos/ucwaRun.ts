import { merge, Subject, type Subscription } from 'rxjs';
import type { UcwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import type { Random } from '../support/random/random.ts';
import type { Run, RunOptions } from './run.ts';
import { errorCount } from './errorCount.ts';
import { follower, newTally } from './follower.ts';
import { bearer } from '../../lib/core/auth/auth.ts';

/** Observes contacts, each with its own subscription, and all events of the channel. */
export function ucwaRun(server: UcwaSimulator, random: Random, options: RunOptions): Run {
  const { origin, subscriptions } = options;
  const ucwa = connectUcwa({
    server: `${origin}${new URL(server.url).pathname}`,
    auth: bearer('token'),
    retry: { initialMs: 2, maxMs: 100, retries: 10 },
  });
  const tally = newTally();
  const errors = errorCount();
  const happened = new Subject<unknown>();
  const watching = new Map<string, Subscription>();
  let sent = 0;
  let started = 0;
  let unknown = 0;
  let channel = follower(tally);
  ucwa.releases.outcomes$.subscribe(({ outcome }) => {
    if (outcome === 'Unknown') unknown += 1;
  });

  /** The number of gaps before the last event. */
  let gapsBefore = 0;

  const emit = (): void => {
    gapsBefore = tally.gaps;
    sent += 1;
    server.emit({ type: 'updated', link: { rel: 'number', href: `/numbers/${sent}` } });
  };

  const follow = (): Subscription =>
    ucwa.events$.subscribe({
      next: ({ type, link: { rel, href } }) => {
        if (type === 'gap') channel.gap();
        if (rel === 'number') channel.take(Number(href.slice(href.lastIndexOf('/') + 1)));
        happened.next(type);
      },
      error: (error: unknown) => {
        errors.note(error);
        channel.gap();
        channel = follower(tally);
        following = follow();
        happened.next(error);
      },
    });
  let following = follow();

  const watch = (): void => {
    started += 1;
    const uri = `sip:c${started}@contoso.com`;
    const ended = (error: unknown): void => {
      watching.delete(uri);
      errors.note(error);
      happened.next(error);
    };
    const subscription = presence(ucwa, { uris: [uri] }).subscribe({ error: ended });
    if (!subscription.closed) watching.set(uri, subscription);
  };

  const leave = (uri: string): void => {
    watching.get(uri)?.unsubscribe();
    watching.delete(uri);
  };

  const fill = (): void => {
    for (let missing = subscriptions - watching.size; missing > 0; missing -= 1) watch();
  };
  fill();

  return {
    tally,
    errors: errors.byName,
    requested$: ucwa.activity$,
    changed$: merge(happened, ucwa.activity$, ucwa.releases.outcomes$),
    step: () => {
      // An error may have ended all of them.
      fill();
      emit();
      const uri = random.pick([...watching.keys()]);
      if (random.oneIn(4)) server.setPresence(uri, { availability: random.pick(['Online', 'Busy', 'Away']) });
      if (random.oneIn(4)) leave(uri);
      if (random.oneIn(200)) server.reset(random.pick(['resume', 'resync']));
      fill();
    },
    finish: () => {
      fill();
      emit();
    },
    disagreements: () => {
      // A gap may have replaced the last event.
      if (tally.gaps > gapsBefore) emit();
      const held = new Set(server.presenceSubscriptions.flatMap(({ uris }) => uris));
      const missing = [...watching.keys()].filter((uri) => !held.has(uri)).length;
      const over = server.presenceSubscriptions.length - watching.size;
      return [
        ...(channel.last === sent ? [] : [`event ${channel.last} of ${sent} was the last`]),
        ...(missing === 0 ? [] : [`${missing} are not subscribed to on the server`]),
        ...(over <= unknown ? [] : [`the server holds ${over} too many, and ${unknown} are unknown`]),
      ];
    },
    close: () => {
      for (const uri of [...watching.keys()]) leave(uri);
      following.unsubscribe();
      return ucwa.close();
    },
    leftovers: () => [
      ...server.presenceSubscriptions.map(({ id }) => `presenceSubscription ${id}`),
      ...server.applications.map(({ id }) => `application ${id}`),
    ],
  };
}
