import { expect } from 'chai';
import { throwError } from 'rxjs';
import { NetworkError } from '../lib/core/errors.ts';
import type { Transport } from '../lib/core/transport/transport.ts';
import { bearer } from '../lib/core/auth/auth.ts';
import { connectExchange, pullNotifications } from '../lib/ews/index.ts';
import { ewsSimulator, ucwaSimulator } from '../lib/testing/index.ts';
import { connectUcwa, existingApplication } from '../lib/ucwa/index.ts';
import { at, inVirtualTime } from './support/virtualTime.ts';

type Way = 'wait' | 'error';

/** The result of a stream whose server becomes reachable after five minutes. */
interface Result {
  error: unknown;
  isConnected: boolean;
}

const retry = { random: (): number => 1 };

/** A network that becomes available after five minutes. */
const late = (transport: Transport): { readonly transport: Transport; readonly up: () => void } => {
  let isUp = false;
  return {
    transport: (request) =>
      isUp ? transport(request) : throwError(() => new NetworkError('no network', request)),
    up: () => (isUp = true),
  };
};

const ucwa = (whenUnreachable: Way, kind: 'created' | 'given'): Result => {
  const server = ucwaSimulator();
  const made = connectUcwa({ server: server.url, auth: bearer('token'), transport: server.transport });
  const result: Result = { error: undefined, isConnected: false };
  inVirtualTime(() => {
    const { transport, up } = late(server.transport);
    let href = '';
    const kept = made.application$.subscribe(({ self }) => (href = self));
    const tried = connectUcwa({
      server: kind === 'created' ? server.url : existingApplication(href),
      auth: bearer('token'),
      transport,
      retry,
      whenUnreachable,
    }).application$.subscribe({
      next: () => (result.isConnected = true),
      error: (error: unknown) => (result.error = error),
    });
    at(300, up);
    at(340, () => {
      tried.unsubscribe();
      kept.unsubscribe();
    });
  });
  return result;
};

const ews = (whenUnreachable: Way): Result => {
  const server = ewsSimulator();
  const result: Result = { error: undefined, isConnected: false };
  inVirtualTime(() => {
    const { transport, up } = late(server.transport);
    const exchange = connectExchange({
      server: server.url,
      auth: bearer('token'),
      transport,
      retry,
      whenUnreachable,
    });
    const tried = pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe({
      error: (error: unknown) => (result.error = error),
    });
    at(300, up);
    at(340, () => {
      result.isConnected = server.subscriptions.length > 0;
      tried.unsubscribe();
    });
  });
  return result;
};

describe('whenUnreachable', () => {
  const cases: readonly [name: string, run: (way: Way) => Result][] = [
    ['UCWA, an application that is created', (way) => ucwa(way, 'created')],
    ['UCWA, an application that is given', (way) => ucwa(way, 'given')],
    ['EWS', ews],
  ];
  for (const [name, run] of cases) {
    it(`waits for the first connection: ${name}`, () => {
      expect(run('wait')).to.deep.equal({ error: undefined, isConnected: true });
    });

    it(`errors after the retries: ${name}`, () => {
      const { error, isConnected } = run('error');
      expect(error).to.be.an.instanceOf(NetworkError);
      expect(isConnected).to.equal(false);
    });
  }

  it('lets a new EWS stream wait if another stream has worked', () => {
    const server = ewsSimulator();
    let error: unknown;
    inVirtualTime(() => {
      let isUp = true;
      const exchange = connectExchange({
        server: server.url,
        transport: (request) =>
          isUp ? server.transport(request) : throwError(() => new NetworkError('no network', request)),
        retry,
      });
      const watch = () =>
        pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe({
          error: (cause: unknown) => (error = cause),
        });
      const first = watch();
      at(5, () => {
        isUp = false;
        first.unsubscribe();
      });
      let second = first;
      at(6, () => (second = watch()));
      at(300, () => (isUp = true));
      at(340, () => {
        expect(server.subscriptions).to.have.length(1);
        second.unsubscribe();
      });
    });
    expect(error).to.equal(undefined);
    expect(server.subscriptions).to.have.length(0);
  });

  it('accepts one of two words', () => {
    const whenUnreachable = 'never' as unknown as Way;
    expect(() => connectUcwa({ server: 'https://pool.example/', whenUnreachable })).to.throw(
      TypeError,
      'whenUnreachable',
    );
    expect(() => connectExchange({ server: 'https://mail.example/', whenUnreachable })).to.throw(
      TypeError,
      'whenUnreachable',
    );
  });
});
