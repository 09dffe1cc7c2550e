import { expect } from 'chai';
import { EMPTY } from 'rxjs';
import {
  connectExchange,
  type Exchange,
  pullNotifications,
  pushNotifications,
  streamingNotifications,
} from '../../../lib/ews/index.ts';
import type { ExchangeVersion } from '../../../lib/ews/protocol/version.ts';
import { ewsSimulator } from '../../../lib/testing/index.ts';

describe('An Exchange version', () => {
  const { url, transport, requests } = ewsSimulator();
  const inbox = { folders: ['inbox'], events: ['newMail'] } as const;
  const all = { allFolders: true, events: ['newMail'] } as const;
  const busy = { folders: ['calendar'], events: ['freeBusyChanged'] } as const;
  const callback = { callbackUrl: 'https://any.example/' };
  const sara = { smtpAddress: 'sara@contoso.com' };

  const features: readonly [what: string, use: (exchange: Exchange) => unknown, least: ExchangeVersion][] = [
    ['streamingNotifications', (exchange) => streamingNotifications(exchange, inbox), 'Exchange2010_SP1'],
    ['the event freeBusyChanged', (exchange) => pullNotifications(exchange, busy), 'Exchange2010_SP1'],
    ['allFolders', (exchange) => pullNotifications(exchange, all), 'Exchange2010'],
    ['allFolders', (exchange) => pushNotifications(exchange, { ...all, ...callback }, EMPTY), 'Exchange2010'],
    ['impersonate.smtpAddress', (exchange) => exchange.actingAs(sara), 'Exchange2010'],
    ['impersonate', (exchange) => exchange.actingAs({ principalName: 'sara' }), 'Exchange2007_SP1'],
  ];
  const before: Partial<Record<ExchangeVersion, ExchangeVersion>> = {
    Exchange2007_SP1: 'Exchange2007',
    Exchange2010: 'Exchange2007_SP1',
    Exchange2010_SP1: 'Exchange2010',
  };
  for (const [index, [what, use, least]] of features.entries()) {
    it(`before ${least} refuses ${what} (${index + 1})`, () => {
      const version = before[least]!;
      expect(() => use(connectExchange({ server: url, transport, version }))).to.throw(
        TypeError,
        `${what} needs the version ${least} or a later one, but connectExchange() has the version ${version}`,
      );
      use(connectExchange({ server: url, transport, version: least }));
      use(connectExchange({ server: url, transport }));
      expect(requests).to.deep.equal([]);
    });
  }

  it('before Exchange2010 still pulls and pushes from folders', () => {
    const exchange = connectExchange({ server: url, transport, version: 'Exchange2007' });
    pullNotifications(exchange, inbox);
    pushNotifications(exchange, { ...inbox, ...callback }, EMPTY);
  });
});
