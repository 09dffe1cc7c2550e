import { expect } from 'chai';
import { OriginError } from '../../../lib/core/errors.ts';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import type { Fault } from '../../../lib/testing/faults.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';
import { connected, record } from '../connected.ts';

const ROOT = '/ucwa/oauth/v1/applications';
const EVENTS = `${ROOT}/101/events`;

const isPending = ({ url }: HttpRequest): boolean => url.includes('/events');
const isCreation = ({ method, url }: HttpRequest): boolean =>
  method === 'POST' && url.endsWith('presenceSubscriptions');
const json = (status: number, body: object): Fault => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

describe('a link of the event channel', () => {
  for (const [name, href] of [
    ['a path', `${EVENTS}?ack=2`],
    ['an absolute URL', `https://ucwa.example${EVENTS}?ack=2`],
    ['an absolute URL with the port and the host in capitals', `https://UCWA.example:443${EVENTS}?ack=2`],
    ['relative to the request before', 'events?ack=2'],
    ['a query alone', '?ack=2'],
    ['without a scheme', `//ucwa.example${EVENTS}?ack=2`],
  ] as const) {
    it(`is followed if it is ${name}`, async () => {
      const { server, ucwa, sent } = connected();
      server.failNext(1, json(200, { _links: { next: { href } }, sender: [event] }), isPending);
      const all = record(ucwa.events$);
      expect(sent()[2]).to.match(/^GET 101\/events\?ack=2 /);
      expect(all.values[0]).to.equal('updated me');
      await ucwa.close();
    });
  }

  it('is followed with its whole query, even escaped as in XML', async () => {
    const { server, ucwa, sent } = connected();
    const href = `${EVENTS}?ck=1%2F2&amp;low=60&amp;key=a+b%20c`;
    server.failNext(1, json(200, { _links: { next: { href } }, sender: [event] }), isPending);
    record(ucwa.events$);
    expect(sent()[2]).to.contain('GET 101/events?ck=1%2F2&low=60&key=a+b%20c ');
    await ucwa.close();
  });

  for (const [name, href, where] of [
    ['another host', `https://evil.example${EVENTS}?ack=2`, 'https://evil.example'],
    ['a host that begins alike', `https://ucwa.example.evil.example/?ack=2`, 'ucwa.example.evil.example'],
    ['another host behind a name', `https://ucwa.example@evil.example/?ack=2`, 'https://evil.example'],
    ['another port', `https://ucwa.example:444${EVENTS}?ack=2`, 'https://ucwa.example:444'],
    ['the same host without encryption', `http://ucwa.example${EVENTS}?ack=2`, 'http://ucwa.example'],
    ['another host without a scheme', '//evil.example/events?ack=2', 'https://evil.example'],
    ['another host with backslashes', '\\\\evil.example\\events', 'https://evil.example'],
    ['javascript:', 'javascript:alert(1)', 'javascript:'],
    ['data:', 'data:application/json,{}', 'data:'],
    ['a file', 'file:///etc/passwd', 'file:'],
  ] as const) {
    for (const rel of ['next', 'resume', 'resync']) {
      it(`is rejected if ${rel} leads to ${name}`, async () => {
        const { server, ucwa, sent } = connected();
        server.failNext(1, json(200, { _links: { [rel]: { href } }, sender: [event] }), isPending);
        const all = record(ucwa.events$);
        expect(all.error).to.be.instanceOf(OriginError);
        expect((all.error as Error).message)
          .to.contain(`leads to`)
          .and.to.contain(where);
        await ucwa.drain();
        expect(sent()).to.deep.equal(['POST applications 201', 'GET 101/events?ack=1 200', 'DELETE 101 204']);
      });
    }
  }
});

describe('a link of a presence subscription', () => {
  it('is not followed to another origin, and the failed removal is reported', async () => {
    const { server, ucwa, sent, outcomes } = connected();
    const self = { href: 'https://evil.example/people/presenceSubscriptions/1' };
    server.failNext(1, json(201, { rel: 'presenceSubscription', _links: { self } }), isCreation);
    const one = record(presence(ucwa, { uris: ['sip:sara@contoso.com'] }));
    one.subscription.unsubscribe();
    const { clean } = await ucwa.drain();
    expect(clean).to.equal(false);
    expect(outcomes[0]).to.include({ resource: 'presenceSubscription', outcome: 'Failed' });
    expect((outcomes[0] as { readonly cause?: unknown }).cause).to.be.instanceOf(OriginError);
    expect(sent().filter((line) => line.includes('DELETE'))).to.deep.equal(['DELETE 101 204']);
  });
});

const event = {
  rel: 'me',
  href: `${ROOT}/101/me`,
  events: [{ link: { rel: 'me', href: `${ROOT}/101/me` }, type: 'updated' }],
};
