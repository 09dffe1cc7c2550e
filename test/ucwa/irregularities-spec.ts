import { expect } from 'chai';
import { asyncScheduler } from 'rxjs';
import type { HttpRequest } from '../../lib/core/transport/transport.ts';
import { BATCH_SHAPES } from '../../lib/testing/ucwa/routes/batch.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { batched } from '../../lib/ucwa/batch/batched.ts';
import type { UcwaEvent } from '../../lib/ucwa/protocol/events.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { connected, record, type Recording } from './connected.ts';

const SARA = 'sip:sara@contoso.com';
const PEOPLE = '/ucwa/oauth/v1/applications/101/people';
const CREATED = ['added contact', 'added presenceSubscription', 'updated contactPresence'];

const isPending = ({ url }: HttpRequest): boolean => url.includes('/events');

/** Returns the events of a subscriber of Sara's presence after a response with these embedded resources. */
async function brought(...events: readonly object[]): Promise<{
  readonly all: readonly UcwaEvent[];
  readonly one: Recording['values'];
  readonly error: unknown;
}> {
  const { server, ucwa } = connected();
  const one = record(presence(ucwa, { uris: [SARA] }));
  const all: UcwaEvent[] = [];
  const kept = record(ucwa.events$, (event) => all.push(event));
  const sender = [{ rel: 'people', href: PEOPLE, events }];
  const next = { href: '/ucwa/oauth/v1/applications/101/events?ack=3' };
  server.failNext(
    1,
    {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ _links: { next }, sender }),
    },
    isPending,
  );
  // The response to the pending request leads to the request with the embedded resources.
  server.emit({ type: 'updated', link: { rel: 'me', href: '/me' } });
  const values = one.values.slice(CREATED.length);
  await ucwa.close();
  return { all: all.slice(1), one: values, error: kept.error };
}

const updated = (rel: string, href: string, more: object = {}): object => ({
  link: { rel, href },
  type: 'updated',
  ...more,
});

describe('a deviation from the documentation', () => {
  for (const [name, href] of [
    ['absolute hrefs', `https://ucwa.example${PEOPLE}/sara@contoso.com/presence`],
    ['relative hrefs', `${PEOPLE}/sara@contoso.com/presence`],
    ['hrefs of one contact that differ in case', `${PEOPLE}/SaRa@CONTOSO.com/presence`],
    ['hrefs where the at sign is escaped', `${PEOPLE}/sara%40contoso.com/presence`],
  ] as const) {
    it(`is accepted: ${name}`, async () => {
      const { one, error } = await brought(updated('contactPresence', href));
      expect(one).to.deep.equal(['updated contactPresence']);
      expect(error).to.equal(undefined);
    });
  }

  const presenceOf = (availability: string): object => ({
    rel: 'contactPresence',
    availability,
    _links: { self: { href: `${PEOPLE}/sara@contoso.com/presence` } },
  });
  for (const [name, embedded] of [
    ['embedded values that are an object', { contactPresence: presenceOf('Busy') }],
    ['embedded values that are an array', { contactPresence: [presenceOf('Busy')] }],
    ['an embedded rel other than its key', { contactPresence: { ...presenceOf('Busy'), rel: 'presence' } }],
    ['an embedded key other than the rel of the link', { presence: presenceOf('Busy') }],
  ] as const) {
    it(`is accepted: ${name}`, async () => {
      const href = `${PEOPLE}/sara@contoso.com/presence`;
      const { all } = await brought(updated('contactPresence', href, { _embedded: embedded }));
      expect(all[0]?.resource?.['availability']).to.equal('Busy');
    });
  }

  it('is accepted: &amp; inside hrefs', async () => {
    const { all } = await brought(updated('contactPhoto', '/photo?a=1&amp;b=2'));
    expect(all[0]?.link.href).to.equal('/photo?a=1&b=2');
  });

  it('is preserved: properties named by a GUID', async () => {
    const guid = '9b5c7fdf-2c5f-462e-a4e3-39663f09301a';
    const note = { rel: 'contactNote', [guid]: 'please pass this in a PUT request', message: 'Out' };
    const { all } = await brought(updated('contactNote', '/note', { _embedded: { contactNote: note } }));
    expect(all[0]?.resource).to.deep.equal(note);
  });

  it('is emitted: unknown types of events, subcodes and availabilities', async () => {
    const href = `${PEOPLE}/sara@contoso.com/presence`;
    const { all, one, error } = await brought(
      { link: { rel: 'contactPresence', href }, type: 'renewed' },
      updated('contactPresence', href, { _embedded: { contactPresence: presenceOf('Dreaming') } }),
      {
        link: { rel: 'messagingInvitation', href: '/invitations/1' },
        ...{
          type: 'completed',
          status: 'Postponed',
          reason: { code: 'Odd', subcode: 'NeverHeardOf', more: 1 },
        },
      },
    );
    expect(error).to.equal(undefined);
    expect(one).to.deep.equal(['renewed contactPresence', 'updated contactPresence']);
    expect(all[1]?.resource?.['availability']).to.equal('Dreaming');
    expect(all[2]).to.deep.include({ status: 'Postponed' });
    expect(all[2]?.reason).to.deep.include({ code: 'Odd', subcode: 'NeverHeardOf' });
  });

  it('keeps the order of events if a sender occurs several times', async () => {
    const { server, ucwa } = connected();
    const of = (rel: string): object => ({ rel: 'people', href: PEOPLE, events: [updated(rel, `/${rel}`)] });
    server.failNext(
      1,
      {
        status: 200,
        body: JSON.stringify({
          _links: { next: { href: '/ucwa/oauth/v1/applications/101/events?ack=2' } },
          sender: [
            of('a'),
            { rel: 'me', href: '/me', events: [updated('b', '/b')] },
            of('c'),
            { rel: 'd', href: '/d' },
          ],
        }),
      },
      isPending,
    );
    const all = record(ucwa.events$);
    expect(all.values.slice(0, 3)).to.deep.equal(['updated a', 'updated b', 'updated c']);
    await ucwa.close();
  });

  for (const batchShape of BATCH_SHAPES) {
    it(`is accepted: a batch response of the form ${batchShape}`, () => {
      const { transport } = ucwaSimulator({ batchShape });
      const headers = { authorization: 'Bearer t', 'content-type': 'application/json' };
      const body = JSON.stringify({ culture: 'en-us', endpointId: '1', userAgent: 'spec' });
      const applications = 'https://ucwa.example/ucwa/oauth/v1/applications';
      transport({ method: 'POST', url: applications, headers, body }).subscribe();
      const together = batched({ url: () => `${applications}/101/batch`, scheduler: asyncScheduler })(
        transport,
      );
      const statuses: number[] = [];
      inVirtualTime(() => {
        for (const path of ['people', 'nowhere', 'me']) {
          together({ method: 'GET', url: `${applications}/101/${path}`, headers }).subscribe(({ status }) =>
            statuses.push(status),
          );
        }
      });
      expect(statuses).to.deep.equal([200, 404, 200]);
    });
  }

  it('is followed: a cursor of another name', async () => {
    const { server, ucwa, sent } = connected({ cursorParameter: 'ck' });
    const kept = record(presence(ucwa, { uris: [SARA] }));
    server.setPresence(SARA, { availability: 'Busy' });
    expect(kept.values).to.deep.equal([...CREATED, 'updated contactPresence']);
    expect(sent().filter((line) => line.includes('/events'))).to.deep.equal([
      'GET 101/events?ck=1 200',
      'GET 101/events?ck=2 200',
      'GET 101/events?ck=3 -',
    ]);
    await ucwa.close();
  });

  const events = '/ucwa/oauth/v1/applications/101/events?ack=1';
  const links: readonly (readonly [string, object, string | undefined])[] = [
    ['relative', { href: events }, undefined],
    ['absolute', { href: `https://ucwa.example${events}` }, undefined],
    ['in a list', [{ href: events }], undefined],
    ['missing', {}, 'DecodeError'],
    ['on another origin', { href: `https://elsewhere.example${events}` }, 'OriginError'],
    ['on a port of its own', { href: `https://ucwa.example:8443${events}` }, 'OriginError'],
    ['a script', { href: 'javascript:alert(1)' }, 'OriginError'],
  ];
  for (const [name, link, errorName] of links) {
    it(`is ${errorName === undefined ? 'followed' : 'rejected'}: a link that is ${name}`, async () => {
      const { server, ucwa } = connected();
      const asked: string[] = [];
      const self = { href: '/ucwa/oauth/v1/applications/101' };
      server.failNext(
        1,
        { status: 201, body: JSON.stringify({ rel: 'application', _links: { self, events: link } }) },
        ({ method, url }) => method === 'POST' && url.endsWith('/applications'),
      );
      server.failNext(1, { status: 200, body: '{"_links":{}}' }, ({ url }) => {
        asked.push(url);
        return false;
      });
      const kept = record(ucwa.events$);
      const to = asked.filter((url) => url.includes('events'));
      if (errorName === undefined) {
        expect(to[0]).to.equal(`https://ucwa.example${events}`);
      } else {
        expect(to).to.deep.equal([]);
        expect(asked.filter((url) => !url.startsWith('https://ucwa.example/'))).to.deep.equal([]);
        expect(kept.error).to.have.property('name', errorName);
      }
      kept.subscription.unsubscribe();
      await ucwa.close();
    });
  }

  for (const [name, body] of [
    ['a page of a proxy', '<html><body>Sign in to the network</body></html>'],
    ['text', 'Service temporarily moved'],
    ['nothing', ''],
    ['a list', '[]'],
    ['no object', '"text"'],
  ] as const) {
    it(`causes a readable error: a body that is ${name}`, async () => {
      const { server, ucwa } = connected({}, { retry: { retries: 0 } });
      const isCreation = ({ method }: HttpRequest): boolean => method === 'POST';
      server.failNext(9, { status: 201, headers: { 'content-type': 'text/html' }, body }, isCreation);
      const kept = record(ucwa.events$);
      expect(String(kept.error)).to.contain('NetworkError: a web page came in place of a response');
      expect(String(kept.error)).not.to.contain('Sign in');
      await ucwa.close();
    });
  }
});
