import { expect } from 'chai';
import { defer, of, throwError, timer } from 'rxjs';
import { HttpError, TokenError } from '../../../lib/core/errors.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { connected, record } from '../connected.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';

const NOT_FOUND = { code: 'NotFound', subcode: 'ApplicationNotFound' };

describe('a token provider that errors with an HttpError 404', () => {
  const notFound = new HttpError(404, { method: 'GET', url: 'https://sts.contoso.com/' }, NOT_FOUND);

  it('does not end the application', () => {
    let isBroken = false;
    const issued$ = of({ token: 'token', expiresInSeconds: 60 });
    const token = (): typeof issued$ => defer(() => (isBroken ? throwError(() => notFound) : issued$));
    const { ucwa, server, outcomeLines } = connected({}, { auth: bearer(token) });
    inVirtualTime(() => {
      const kept = record(ucwa.events$);
      timer(100_000).subscribe(() => {
        isBroken = true;
        server.emit({ type: 'updated', link: { rel: 'me', href: '/me' } });
      });
      timer(101_000).subscribe(() => {
        expect(kept.error).to.be.instanceOf(TokenError);
        isBroken = false;
      });
    });
    expect(outcomeLines()).to.deep.equal(['application Released']);
    expect(server.requests.filter(({ method }) => method === 'POST')).to.have.length(1);
  });

  it('does not count as the end of a subscription that is released', () => {
    let isBroken = false;
    const issued$ = of({ token: 'token', expiresInSeconds: 60 });
    const token = (): typeof issued$ => defer(() => (isBroken ? throwError(() => notFound) : issued$));
    const { ucwa, server, outcomes } = connected({}, { auth: bearer(token) });
    inVirtualTime(() => {
      const kept = record(presence(ucwa, { uris: ['sip:sara@contoso.com'] }));
      timer(100_000).subscribe(() => {
        isBroken = true;
        kept.subscription.unsubscribe();
      });
      timer(101_000).subscribe(() => (isBroken = false));
    });
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Released', 'Released']);
    expect(server.presenceSubscriptions).to.deep.equal([]);
  });
});
