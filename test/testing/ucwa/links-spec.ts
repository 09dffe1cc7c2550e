import { expect } from 'chai';
import { mergeMap } from 'rxjs';
import { readText, type Transport } from '../../../lib/core/transport/transport.ts';
import { ucwaDomain } from '../../../lib/testing/ucwa/discovery/domain.ts';
import { ucwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';

const PLACES = ['group', 'me', 'people', 'presenceSubscription'];
const ADDRESSES = ['sara@contoso.com', '50%/a#c,d@contoso.com', 'é ü@contoso.com'];

interface Sent {
  /** Undefined while the request is pending. */
  readonly status: number | undefined;
  readonly body: unknown;
}

type Send = (method: string, url: string, body?: object) => Sent;

function sendTo(transport: Transport, tokenFor: (url: string) => string): Send {
  return (method, url, body) => {
    let status: number | undefined;
    let text = '';
    transport({
      ...{ method, url },
      headers: { authorization: `Bearer ${tokenFor(url)}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
      .pipe(
        mergeMap((response) => {
          status = response.status;
          return readText(response, 'body');
        }),
      )
      .subscribe((all) => (text = all));
    return { status, body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text };
  };
}

/** Returns every `href` in a body. */
function hrefsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]: [string, unknown]) =>
    name === 'href' ? [one as string] : hrefsIn(one),
  );
}

/** Follows all links by GET, and returns the status of each. */
function crawl(
  send: Send,
  start: string,
  expand: (url: string) => void = () => undefined,
): Map<string, Sent> {
  const seen = new Map<string, Sent>();
  const waiting = [start];
  for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
    if (seen.has(url)) continue;
    const answer = send('GET', url);
    seen.set(url, answer);
    const base = url;
    waiting.push(...hrefsIn(answer.body).map((href) => new URL(href, base).href));
    expand(url);
  }
  return seen;
}

/** Creates an application at this URL with a resource of every type. */
function populate(send: Send, applications: string): void {
  const { origin } = new URL(applications);
  const made = send('POST', applications, { culture: 'en-us', endpointId: '1', userAgent: 'spec' });
  const [application = ''] = hrefsIn(made.body);
  const url = `${origin}${application}`;
  const uris = ADDRESSES.map((address) => `sip:${address}`);
  expect(send('POST', `${url}/people/presenceSubscriptions`, { duration: 10, uris }).status).to.equal(201);
  const [group = ''] = hrefsIn(send('GET', `${url}/groups`).body).filter((href) => href.includes('groupId'));
  expect(send('POST', `${origin}${group}&duration=10`).status).to.equal(201);
}

/** Returns the links that must not be advertised. */
const broken = (seen: ReadonlyMap<string, Sent>): string[] =>
  [...seen]
    // 405 is the status of links that are not for GET; `presence` fails before makeMeAvailable.
    .filter(([, { status = 200 }]) => ![200, 405].includes(status))
    .filter(([url, { status }]) => !(status === 409 && url.endsWith('/me/presence')))
    .map(([url, { status }]) => `${status} ${url}`);

const groups = { 'Family & Friends': [`sip:${ADDRESSES[0]}`, `sip:${ADDRESSES[1]}`], Nobody: [] };

describe('the links of ucwaSimulator', () => {
  for (const contactHrefs of ['address', 'opaque'] as const) {
    it(`all resolve from an application with ${contactHrefs} hrefs`, () => {
      const server = ucwaSimulator({ contactHrefs, groups, mediumSeconds: 0 });
      const send = sendTo(server.transport, () => 't');
      populate(send, server.url);
      const seen = crawl(send, `${server.url}/101`);
      expect(broken(seen)).to.deep.equal([]);
      const rels = [...seen.values()].map(({ body }) => (body as { readonly rel?: string }).rel);
      expect(rels).to.include.members(PLACES);
      expect([...seen.keys()].filter((url) => /\/(presence|note)$/.test(url))).to.have.length.above(5);
    });
  }

  it('all resolve from the first host of a domain', () => {
    const domain = ucwaDomain({ groups, mediumSeconds: 0 });
    const tokens = new Map<string, string>();
    const tokenFor = (url: string): string => {
      const { origin } = new URL(url);
      const known = tokens.get(origin);
      if (known !== undefined || !/lyncweb|pool/.test(origin)) return known ?? '';
      let text = '';
      domain
        .transport({
          ...{ method: 'POST', url: `${origin}/WebTicket/oauthtoken` },
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: 'grant_type=urn:microsoft.rtc:windows',
        })
        .pipe(mergeMap((response) => readText(response, 'token')))
        .subscribe((all) => (text = all));
      const token = (JSON.parse(text) as { readonly access_token: string }).access_token;
      tokens.set(origin, token);
      return token;
    };
    const send = sendTo(domain.transport, tokenFor);
    populate(send, domain.pool.url);
    const seen = crawl(send, 'https://lyncdiscover.contoso.com/');
    expect(broken(seen)).to.deep.equal([]);
    expect([...seen.keys()]).to.include(domain.pool.url);
    expect([...seen.keys()].filter((url) => /xframe/i.test(url))).not.to.deep.equal([]);
    expect(broken(crawl(send, `${domain.pool.url}/101`))).to.deep.equal([]);
  });

  it('lead to contacts of the user, a group and a subscription', () => {
    const server = ucwaSimulator({ groups });
    const send = sendTo(server.transport, () => 't');
    populate(send, server.url);
    const urisAt = (path: string): string[] => {
      const { body } = send('GET', `${server.url}/101${path}`);
      const { _embedded } = body as { readonly _embedded: { readonly contact: { readonly uri: string }[] } };
      return _embedded.contact.map(({ uri }) => uri);
    };
    const both = [`sip:${ADDRESSES[0]}`, `sip:${ADDRESSES[1]}`];
    expect(urisAt('/people/contacts')).to.deep.equal(both);
    expect(urisAt('/groups/1/contacts')).to.deep.equal(both);
    expect(urisAt('/groups/2/contacts')).to.deep.equal([]);
  });

  it('responds with 400 to a path that is not UTF-8', () => {
    const server = ucwaSimulator();
    const send = sendTo(server.transport, () => 't');
    send('POST', server.url, { culture: 'en-us', endpointId: '1', userAgent: 'spec' });
    expect(send('GET', `${server.url}/101/people/%E0%A4%A`).status).to.equal(400);
  });
});

describe('a contact of ucwaSimulator', () => {
  for (const contactHrefs of ['address', 'opaque'] as const) {
    it(`is the same in upper and lower case, with ${contactHrefs} hrefs`, () => {
      const groups = { Team: ['SIP:Sara@Contoso.com', 'sip:sara@contoso.COM'] };
      const server = ucwaSimulator({ contactHrefs, groups });
      const send = sendTo(server.transport, () => 't');
      const application = `${server.url}/101`;
      send('POST', server.url, { culture: 'en-us', endpointId: '1', userAgent: 'spec' });
      send('POST', `${application}/people/presenceSubscriptions`, {
        duration: 10,
        uris: ['sip:SARA@contoso.com', 'sips:sara@contoso.com'],
      });
      server.setPresence('sip:Sara@CONTOSO.com', { availability: 'Busy' });
      expect(server.presenceSubscriptions.map(({ uris }) => uris)).to.deep.equal([['sip:sara@contoso.com']]);
      const all = send('GET', `${application}/people/contacts`).body as {
        readonly _embedded: { readonly contact: readonly object[] };
      };
      const links = hrefsIn(all._embedded.contact).filter((href) => href.endsWith('/presence'));
      expect(links).to.have.length(1);
      const presence = send('GET', new URL(links[0] ?? '', server.url).href);
      expect(presence.body).to.include({ availability: 'Busy' });
    });
  }

  it('is removed by a membership link in upper case', () => {
    const server = ucwaSimulator();
    const send = sendTo(server.transport, () => 't');
    send('POST', server.url, { culture: 'en-us', endpointId: '1', userAgent: 'spec' });
    const uris = ['sip:sara@contoso.com', 'sip:bob@contoso.com'];
    send('POST', `${server.url}/101/people/presenceSubscriptions`, { duration: 10, uris });
    const membership = `${server.url}/101/people/presenceSubscriptionMemberships/97b6bd66,SARA@Contoso.com`;
    expect(send('DELETE', membership).status).to.equal(204);
    expect(server.presenceSubscriptions.map((one) => one.uris)).to.deep.equal([['sip:bob@contoso.com']]);
  });
});

describe('a domain of ucwaDomain', () => {
  it('is the same in upper and lower case', () => {
    const { transport, pool } = ucwaDomain({ domain: 'Contoso.COM' });
    const send = sendTo(transport, () => 't');
    expect(send('GET', 'https://lyncdiscover.contoso.com/').status).to.equal(200);
    expect(new URL(pool.url).hostname).to.equal('pool1.contoso.com');
  });
});
