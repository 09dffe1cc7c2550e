import { first, type Observable, Subscription, take } from 'rxjs';
import type { Releases } from '../../../lib/core/lifecycle/ledger.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { pullNotifications } from '../../../lib/ews/pull/pull.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';

/**
 * A process that subscribes on a server, unsubscribes in the given way, and has nothing else to do.
 *
 * It prints the result as JSON.
 */
const [what, how, url = ''] = process.argv.slice(2);
const folders = { folders: ['inbox'], events: ['newMail'] } as const;

interface Watching {
  readonly connection: Pick<Releases, 'close' | 'drain'> & {
    readonly activity$: Observable<{ readonly status?: number | undefined }>;
  };
  readonly events$: Observable<unknown>;
}

function watching(): Watching {
  if (what === 'ucwa') {
    const ucwa = connectUcwa({ server: url, auth: bearer('secret') });
    return { connection: ucwa, events$: presence(ucwa, { uris: ['sip:sara@contoso.com'] }) };
  }
  const exchange = connectExchange({ server: url, auth: bearer('secret') });
  const events$ =
    what === 'pull' ? pullNotifications(exchange, folders) : streamingNotifications(exchange, folders);
  return { connection: exchange, events$ };
}

const { connection, events$ } = watching();
const print = (value: unknown): void => console.log(JSON.stringify(value));

if (how === 'backoff' || how === 'backoff, close') {
  const all = new Subscription();
  // In the backoff before the next attempt.
  connection.activity$.pipe(first(({ status }) => status === 503)).subscribe(() => {
    setImmediate(() => {
      all.unsubscribe();
      if (how === 'backoff') print('left');
      else void connection.close({ timeoutMs: 100 }).then(() => print('left'));
    });
  });
  all.add(events$.subscribe());
} else {
  events$.pipe(take(1)).subscribe({
    complete: () => {
      if (how === 'unsubscribe') print('left');
      if (how === 'drain') void connection.drain().then(({ clean }) => print(clean));
      if (how === 'close') {
        void connection.close({ timeoutMs: 100 }).then(({ clean, pending = [], outcomes }) =>
          print({
            clean,
            pending: pending.map(({ resource }) => resource),
            outcomes: outcomes.map(({ resource, outcome }) => `${resource} ${outcome}`),
          }),
        );
      }
    },
  });
}
