import { expect } from 'chai';
import { mergeMap, type Observable, retry as again, throwError, timer } from 'rxjs';
import { NetworkError } from '../lib/core/errors.ts';
import type { DrainReport, Releases } from '../lib/core/lifecycle/ledger.ts';
import type { Transport } from '../lib/core/transport/transport.ts';
import { pullNotifications } from '../lib/ews/pull/pull.ts';
import { connectExchange } from '../lib/ews/connect.ts';
import { ewsSimulator } from '../lib/testing/ews/simulator.ts';
import { ucwaSimulator } from '../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../lib/ucwa/connect.ts';
import { presence } from '../lib/ucwa/presence/presence.ts';
import { at, inVirtualTime } from './support/virtualTime.ts';
import { bearer } from '../lib/core/auth/auth.ts';

interface Watching {
  readonly connection: Pick<Releases, 'close'>;
  readonly stream$: Observable<unknown>;
}

/** The longest possible waits. */
const retry = { random: (): number => 0.999 };

const SIBLINGS: Readonly<Record<string, (withFaults: (transport: Transport) => Transport) => Watching>> = {
  UCWA: (withFaults) => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    const transport = withFaults(server.transport);
    const connection = connectUcwa({ server: server.url, auth: bearer('secret'), transport, retry });
    // A request that fails, and is retried.
    at(50, () => connection.get({ href: '/down' }).pipe(again()).subscribe());
    return { connection, stream$: presence(connection, { uris: ['sip:sara@contoso.com'] }) };
  },
  EWS: (withFaults) => {
    const server = ewsSimulator();
    const transport = withFaults(server.transport);
    const connection = connectExchange({ server: server.url, transport, retry });
    return {
      connection,
      stream$: pullNotifications(connection, { folders: ['inbox'], events: ['newMail'] }),
    };
  },
};

describe('close()', () => {
  for (const [name, watching] of Object.entries(SIBLINGS)) {
    for (const isLeft of [false, true]) {
      it(`releases on ${name} at once after an outage${isLeft ? ', also an earlier release' : ''}`, async () => {
        let report: Promise<DrainReport> | undefined;
        inVirtualTime(() => {
          let isDown = false;
          const { connection, stream$ } = watching((transport) => (request) => {
            if (!isDown) return transport(request);
            return timer(20).pipe(mergeMap(() => throwError(() => new NetworkError('no answer', request))));
          });
          const subscription = stream$.subscribe();
          at(10, () => (isDown = true));
          at(100, () => {
            if (isLeft) subscription.unsubscribe();
          });
          at(129, () => (isDown = false));
          at(130, () => {
            report = connection.close({ timeoutMs: 1000 });
          });
        });
        expect((await report)?.clean).to.equal(true);
      });
    }
  }
});
