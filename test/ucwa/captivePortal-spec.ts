import { expect } from 'chai';
import { of } from 'rxjs';
import type { Transport } from '../../lib/core/transport/transport.ts';
import type { UcwaOptions } from '../../lib/ucwa/options.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { response } from '../support/responses.ts';
import { at, inVirtualTime } from '../support/virtualTime.ts';
import { record } from './connected.ts';

const page = (): ReturnType<Transport> =>
  of(response(200, { headers: { 'content-type': 'text/html' }, body: ['<html>Welcome</html>'] }));
const blank = (): ReturnType<Transport> => of(response(200, { body: ['\r\n'] }));

const uris = ['sip:sara@contoso.com'];

for (const [name, portal] of [
  ['web page', page],
  ['blank response', blank],
] as const) {
  describe(`a ${name} in place of each response`, () => {
    it('never ends a stream that was live', () => {
      const server = ucwaSimulator({ mediumSeconds: 0 });
      let isBetween = false;
      const ucwa = connectUcwa({
        ...{ server: server.url, auth: bearer('token') },
        transport: (request) => (isBetween ? portal() : server.transport(request)),
      });
      inVirtualTime(() => {
        const watching = record(presence(ucwa, { uris }));
        at(10, () => {
          isBetween = true;
          // The pending request breaks, so that the next one meets the portal.
          server.restart();
        });
        at(600, () => (isBetween = false));
        at(640, () => server.setPresence('sip:sara@contoso.com', { availability: 'Busy' }));
        at(700, () => {
          expect(watching.error).to.equal(undefined);
          expect(watching.values.at(-1)).to.equal('updated contactPresence');
          watching.subscription.unsubscribe();
        });
      });
      expect(server.applications).to.deep.equal([]);
    });
  });
}

describe('a web page at the first connection', () => {
  const first = (options: Partial<UcwaOptions>): { error: unknown; isConnected: boolean } => {
    const server = ucwaSimulator();
    const result = { error: undefined as unknown, isConnected: false };
    let isBetween = true;
    const ucwa = connectUcwa({
      ...{ server: server.url, auth: bearer('token'), ...options },
      transport: (request) => (isBetween ? page() : server.transport(request)),
    });
    inVirtualTime(() => {
      const using = ucwa.application$.subscribe({
        next: () => (result.isConnected = true),
        error: (error: unknown) => (result.error = error),
      });
      at(300, () => (isBetween = false));
      at(340, () => using.unsubscribe());
    });
    return result;
  };

  it('is an error after the retries, with the cause', () => {
    const { error } = first({ whenUnreachable: 'error' });
    expect(String(error)).to.match(/NetworkError.*web page.*login page or a captive portal/);
  });

  it('is waited for if the connection waits', () => {
    expect(first({ whenUnreachable: 'wait' })).to.deep.equal({ error: undefined, isConnected: true });
  });
});
