import { expect } from 'chai';
import { type Observable, timer } from 'rxjs';
import type { DrainReport, Releases } from '../lib/core/lifecycle/ledger.ts';
import { pullNotifications } from '../lib/ews/pull/pull.ts';
import { connectExchange } from '../lib/ews/connect.ts';
import { streamingNotifications } from '../lib/ews/streaming/streaming.ts';
import { ewsSimulator } from '../lib/testing/ews/simulator.ts';
import { ucwaSimulator } from '../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../lib/ucwa/connect.ts';
import { myContactsAndGroups } from '../lib/ucwa/presence/contactList.ts';
import { presence } from '../lib/ucwa/presence/presence.ts';
import { inVirtualTime } from './support/virtualTime.ts';
import { bearer } from '../lib/core/auth/auth.ts';

interface Kept {
  readonly connection: Pick<Releases, 'drain' | 'close'>;
  readonly stream$: Observable<unknown>;
  /** The number of resources on the server. */
  readonly held: () => number;
}

const GRACE = { graceSeconds: 3600 };
const LATENCY = { latencyMs: 50 };

function onUcwa(streamOf: (ucwa: ReturnType<typeof connectUcwa>) => Observable<unknown>): () => Kept {
  return () => {
    const server = ucwaSimulator({ mediumSeconds: 0, ...LATENCY });
    const ucwa = connectUcwa({
      ...{ server: server.url, auth: bearer('secret'), transport: server.transport },
      graceSeconds: 900,
    });
    return {
      connection: ucwa,
      stream$: streamOf(ucwa),
      held: () =>
        server.applications.length +
        server.presenceSubscriptions.length +
        server.contactsAndGroupsSubscriptions.length,
    };
  };
}

function onExchange(
  streamOf: (exchange: ReturnType<typeof connectExchange>) => Observable<unknown>,
): () => Kept {
  return () => {
    const server = ewsSimulator(LATENCY);
    const exchange = connectExchange({ server: server.url, transport: server.transport });
    return { connection: exchange, stream$: streamOf(exchange), held: () => server.subscriptions.length };
  };
}

const watched = { folders: ['inbox'], events: ['newMail'], ...GRACE } as const;

/** The resources with a grace period. */
const KEPT: Readonly<Record<string, () => Kept>> = {
  'the application alone': onUcwa((ucwa) => ucwa.application$),
  'a presence subscription': onUcwa((ucwa) => presence(ucwa, { uris: ['sip:sara@contoso.com'], ...GRACE })),
  'the contacts and groups': onUcwa((ucwa) => myContactsAndGroups(ucwa)),
  'a pull subscription': onExchange((exchange) => pullNotifications(exchange, watched)),
  'a streaming subscription': onExchange((exchange) => streamingNotifications(exchange, watched)),
};

describe('A grace period', () => {
  for (const [what, kept] of Object.entries(KEPT)) {
    for (const how of ['drain', 'close'] as const) {
      it(`of ${what} ends with ${how}, and leaves nothing`, async () => {
        const { connection, stream$, held } = kept();
        let report: Promise<DrainReport> | undefined;
        inVirtualTime(() => {
          const subscription = stream$.subscribe();
          timer(1000).subscribe(() => subscription.unsubscribe());
          timer(2000).subscribe(() => {
            expect(held()).not.to.equal(0);
            report = connection[how]();
          });
          timer(4000).subscribe(() => expect(held()).to.equal(0));
        });
        expect((await report)?.clean).to.equal(true);
      });

      it(`of ${what} does not start during ${how}`, async () => {
        const { connection, stream$, held } = kept();
        let report: Promise<DrainReport> | undefined;
        inVirtualTime(() => {
          const subscription = stream$.subscribe();
          timer(1000).subscribe(() => {
            expect(held()).not.to.equal(0);
            subscription.unsubscribe();
            report = connection[how]();
          });
          timer(3000).subscribe(() => expect(held()).to.equal(0));
        });
        expect((await report)?.clean).to.equal(true);
      });
    }

    it(`of ${what} does not exist while drain keeps the stream subscribed`, async () => {
      const { connection, stream$, held } = kept();
      let report: Promise<DrainReport> | undefined;
      inVirtualTime(() => {
        const subscription = stream$.subscribe();
        timer(1000).subscribe(() => void (report = connection.drain()));
        timer(3000).subscribe(() => {
          expect(held()).not.to.equal(0);
          subscription.unsubscribe();
          void connection.drain();
        });
        timer(5000).subscribe(() => expect(held()).to.equal(0));
      });
      expect((await report)?.clean).to.equal(true);
    });
  }
});
