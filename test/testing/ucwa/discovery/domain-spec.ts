import { expect } from 'chai';
import { filter, firstValueFrom, timer } from 'rxjs';
import { serve } from '../../../../lib/testing/http/serve.ts';
import {
  ucwaDomain,
  type UcwaDomain,
  type UcwaDomainOptions,
} from '../../../../lib/testing/ucwa/discovery/domain.ts';
import { connectUcwa } from '../../../../lib/ucwa/connect.ts';
import { type Ucwa } from '../../../../lib/ucwa/session/session.ts';
import { presence } from '../../../../lib/ucwa/presence/presence.ts';
import { password } from '../../../../lib/ucwa/auth/signIn.ts';
import { ofRel } from '../../../../operators/ofRel.ts';
import { inVirtualTime } from '../../../support/virtualTime.ts';
import { discovered } from '../../../../lib/ucwa/discovery/discovered.ts';

const SARA = 'sip:sara@contoso.com';
const HOUR = 3_600_000;
const signIn = password({ username: 'lene@contoso.com', password: 's3cret' });

interface Watched {
  readonly hosts: UcwaDomain;
  readonly ucwa: Ucwa;
}

function connected(options: UcwaDomainOptions = {}): Watched {
  const hosts = ucwaDomain({ mediumSeconds: 0, users: { 'lene@contoso.com': 's3cret' }, ...options });
  const ucwa = connectUcwa({ server: discovered('contoso.com'), auth: signIn, transport: hosts.transport });
  return { hosts, ucwa };
}

const statusesOf = ({ requests }: UcwaDomain, path: string): (number | undefined)[] =>
  requests.filter((request) => request.path === path).map(({ status }) => status);

describe('ucwaDomain', () => {
  it('links from the domain to a pool that accepts its tokens', async () => {
    const { hosts, ucwa } = connected();
    const watching = presence(ucwa, { uris: [SARA] }).subscribe();
    expect(hosts.tokens.map(({ origin, identity }) => [origin, identity])).to.deep.equal([
      ['https://lyncweb.contoso.com', 'lene@contoso.com'],
      ['https://pool1.contoso.com', 'lene@contoso.com'],
    ]);
    expect(hosts.pool.presenceSubscriptions.map(({ uris }) => uris)).to.deep.equal([[SARA]]);
    expect(hosts.pool.requests.every(({ status }) => status !== 401)).to.equal(true);
    watching.unsubscribe();
    await ucwa.drain();
    expect(hosts.pool.applications).to.deep.equal([]);
    expect(JSON.stringify(hosts.requests)).not.to.contain('s3cret');
  });

  it('accepts a token until it expires, and none of another origin', () => {
    const { hosts } = connected({ tokenSeconds: 60 });
    const statusWith = (token: string): number | undefined => {
      let status: number | undefined;
      const request = { method: 'POST', url: hosts.pool.url, headers: { authorization: `Bearer ${token}` } };
      hosts.transport(request).subscribe((response) => (status = response.status));
      return status;
    };
    const issue = (origin: string): void => {
      const body = 'grant_type=password&username=lene%40contoso.com&password=s3cret';
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      hosts
        .transport({ method: 'POST', url: `${origin}/WebTicket/oauthtoken`, headers, body })
        .subscribe(({ status }) => expect(status).to.equal(200));
    };
    inVirtualTime(() => {
      issue('https://lyncweb.contoso.com');
      let isFound = false;
      connectUcwa({ server: discovered('contoso.com'), auth: signIn, transport: hosts.transport })
        .application$.subscribe(() => (isFound = true))
        .unsubscribe();
      expect(isFound).to.equal(true);
      const pools = hosts.tokens.findIndex(({ origin }) => origin === 'https://pool1.contoso.com') + 1;
      const ofPool = `cwt=AAEB${String(pools).padStart(4, '0')}`;
      expect(statusWith('cwt=AAEB0001')).to.equal(401);
      expect(statusWith('none')).to.equal(401);
      expect(statusWith(ofPool)).not.to.equal(401);
      timer(59_999).subscribe(() => expect(statusWith(ofPool)).not.to.equal(401));
      timer(60_000).subscribe(() => expect(statusWith(ofPool)).to.equal(401));
    });
  });

  it('serves a client through many expired tokens, and after a revocation', () => {
    const { hosts, ucwa } = connected();
    inVirtualTime(() => {
      const watching = presence(ucwa, { uris: [SARA] }).subscribe();
      timer(4 * HOUR).subscribe(() => hosts.revokeTokens());
      timer(23 * HOUR).subscribe(() => {
        expect(hosts.pool.presenceSubscriptions).to.have.length(1);
        watching.unsubscribe();
      });
    });
    expect(hosts.pool.applications).to.deep.equal([]);
    expect(hosts.tokens.length).to.be.within(5, 10);
  });

  it('moves the pool: 502 from the old one, discovery names another', () => {
    const { hosts, ucwa } = connected();
    const old = hosts.pool;
    inVirtualTime(() => {
      let recorded = 0;
      const watching = presence(ucwa, { uris: [SARA] })
        .pipe(ofRel('contactPresence'))
        .subscribe(() => (recorded += 1));
      hosts.setPresence(SARA, { availability: 'Away' });
      timer(HOUR).subscribe(() => hosts.movePool());
      timer(2 * HOUR).subscribe(() => {
        expect(hosts.pool).not.to.equal(old);
        expect(hosts.pool.url).to.equal('https://pool2.contoso.com/ucwa/2/applications');
        expect(hosts.pool.presenceSubscriptions).to.have.length(1);
        expect(old.applications).to.deep.equal([]);
        const before = recorded;
        hosts.setPresence(SARA, { availability: 'Busy' });
        timer(1000).subscribe(() => {
          expect(recorded).to.equal(before + 1);
          watching.unsubscribe();
        });
      });
    });
    expect(hosts.requests.some(({ status }) => status === 502)).to.equal(true);
    expect(hosts.pool.applications).to.deep.equal([]);
  });

  it('keeps the state of contacts in the new pool', () => {
    const hosts = ucwaDomain({ anyToken: true });
    hosts.setPresence(SARA, { note: 'Here' });
    hosts.movePool();
    const headers = { authorization: 'Bearer any', 'content-type': 'application/json' };
    const identity = JSON.stringify({ culture: 'en-us', endpointId: '1', userAgent: 'spec' });
    hosts.transport({ method: 'POST', url: hosts.pool.url, headers, body: identity }).subscribe();
    const url = `${hosts.pool.url}/101/people/sara@contoso.com/note`;
    let body = '';
    hosts.transport({ method: 'GET', url, headers }).subscribe(({ status, body$ }) => {
      expect(status).to.equal(200);
      body$.subscribe((chunk) => (body += new TextDecoder().decode(chunk)));
    });
    expect(body).to.contain('"message":"Here"');
  });

  it('serves all hosts on one port', async () => {
    const hosts = ucwaDomain({ mediumSeconds: 0.01 });
    const served = await serve(hosts.transport);
    const ucwa = connectUcwa({
      ...{ server: discovered('contoso.com', { urls: [`${served.origin}/`] }), auth: signIn },
      retry: { initialMs: 5 },
    });
    const events$ = presence(ucwa, { uris: [SARA] });
    const first = firstValueFrom(events$.pipe(ofRel('contactPresence')));
    await first;
    const again = firstValueFrom(events$.pipe(filter(({ type }) => type === 'gap')));
    const watched = firstValueFrom(events$.pipe(ofRel('contactPresence')));
    await watched;
    hosts.movePool();
    await again;
    expect(new URL(hosts.pool.url).pathname).to.equal('/ucwa/2/applications');
    await ucwa.close();
    await served.close();
    expect(statusesOf(hosts, '/ucwa/2/applications')).to.include(201);
    expect(hosts.pool.presenceSubscriptions).to.deep.equal([]);
    expect(hosts.pool.applications).to.deep.equal([]);
  });

  it('speeds up its time, including that of tokens', () => {
    const { hosts, ucwa } = connected({ speed: 100 });
    inVirtualTime(() => {
      const start = hosts.tokens.length;
      const asking = ucwa.application$.subscribe();
      expect(hosts.tokens.slice(start).map(({ expiresAt }) => expiresAt)).to.deep.equal([288_000, 288_000]);
      asking.unsubscribe();
    });
  });

  it('throws for invalid options', () => {
    expect(() => ucwaDomain({ speed: 0 })).to.throw(TypeError, 'speed must be');
    expect(() => ucwaDomain({ latencyMs: -1 })).to.throw(TypeError, 'latencyMs must be');
    expect(() => ucwaDomain({ tokenSeconds: 0 })).to.throw(TypeError, 'tokenSeconds must be');
  });
});
