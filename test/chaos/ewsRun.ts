import { merge, Subject, type Subscription } from 'rxjs';
import type { EwsEvent } from '../../lib/ews/protocol/events.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { streamingNotifications } from '../../lib/ews/streaming/streaming.ts';
import type { EwsSimulator } from '../../lib/testing/ews/simulator.ts';
import type { Random } from '../support/random/random.ts';
import type { Run, RunOptions } from './run.ts';
import { errorCount } from './errorCount.ts';
import { follower, type Follower, newTally } from './follower.ts';

const MAIL = { folders: ['inbox'], events: ['newMail'] } as const;

interface Watcher {
  readonly follower: Follower;
  readonly subscription: Subscription;
  isSubscribed: boolean;
}

/** Observes a mailbox, half by pull and half by streaming. */
export function ewsRun(server: EwsSimulator, random: Random, options: RunOptions): Run {
  const { origin, subscriptions } = options;
  const exchange = connectExchange({
    server: `${origin}${new URL(server.url).pathname}`,
    retry: { initialMs: 2, maxMs: 100 },
    limits: { silenceSeconds: 5 },
  });
  const tally = newTally();
  const errors = errorCount();
  const happened = new Subject<unknown>();
  const numbers = new Map<string, number>();
  const watchers = new Set<Watcher>();
  let unknown = 0;
  let started = 0;
  exchange.releases.outcomes$.subscribe(({ outcome }) => {
    if (outcome === 'Unknown') unknown += 1;
  });

  /** The subscriptions on the server at the last mail. */
  let reached = new Set<string>();
  /** The number of gaps before the last mail. */
  let gapsBefore = 0;

  const deliver = (): void => {
    reached = new Set(server.subscriptions.map(({ id }) => id));
    gapsBefore = tally.gaps;
    numbers.set(server.deliverMail(), numbers.size + 1);
  };

  const watch = (): void => {
    started += 1;
    const pollIntervalSeconds = Math.max(0.05, subscriptions / 250);
    const events$ =
      started % 2 === 0
        ? streamingNotifications(exchange, MAIL)
        : pullNotifications(exchange, { ...MAIL, pollIntervalSeconds });
    const followed = follower(tally);
    const watcher: Watcher = {
      follower: followed,
      isSubscribed: true,
      subscription: events$.subscribe({
        next: (event: EwsEvent) => {
          if (event.type === 'gap') followed.gap();
          if (event.type === 'newMail') followed.take(numbers.get(event.item?.id ?? '') ?? 0);
          happened.next(event);
        },
        error: (error: unknown) => {
          watcher.isSubscribed = false;
          watchers.delete(watcher);
          errors.note(error);
          happened.next(error);
        },
      }),
    };
    if (watcher.isSubscribed) watchers.add(watcher);
  };

  const leave = (watcher: Watcher): void => {
    watchers.delete(watcher);
    watcher.subscription.unsubscribe();
  };

  const fill = (): void => {
    for (let missing = subscriptions - watchers.size; missing > 0; missing -= 1) watch();
  };
  fill();

  return {
    tally,
    errors: errors.byName,
    requested$: exchange.activity$,
    changed$: merge(happened, exchange.activity$, exchange.releases.outcomes$),
    step: () => {
      // An error may have ended all of them.
      fill();
      if (random.oneIn(2)) deliver();
      if (random.oneIn(4)) leave(random.pick([...watchers]));
      fill();
    },
    finish: () => {
      fill();
      deliver();
    },
    disagreements: () => {
      // A newer subscription never gets the last mail, and a gap may have replaced it.
      if (tally.gaps > gapsBefore || server.subscriptions.some(({ id }) => !reached.has(id))) deliver();
      const behind = [...watchers].filter(({ follower: { last } }) => last < numbers.size).length;
      const held = server.subscriptions.length;
      return [
        ...(behind === 0 ? [] : [`${behind} did not get the last mail`]),
        ...(held >= watchers.size && held <= watchers.size + unknown
          ? []
          : [`the server holds ${held} for ${watchers.size}, and ${unknown} unknown`]),
      ];
    },
    close: () => {
      for (const watcher of watchers) leave(watcher);
      return exchange.close();
    },
    leftovers: () => [
      ...server.subscriptions.map(({ id }) => `subscription ${id}`),
      ...server.streams.map(() => 'an open stream'),
    ],
  };
}
