import { expect } from 'chai';
import type { HttpRequest } from '../../lib/core/transport.ts';
import type { UcwaEvent } from '../../lib/ucwa/events.ts';
import { presence } from '../../lib/ucwa/presence.ts';
import { connected, keep, type Kept } from './connected.ts';

const SARA = 'sip:sara@contoso.com';
const PEOPLE = '/ucwa/oauth/v1/applications/101/people';
const CREATED = ['added contact', 'added presenceSubscription', 'updated contactPresence'];

const isPending = ({ url }: HttpRequest): boolean => url.includes('/events');

/** What the events look like that come of an answer with these, to who watches Sara. */
async function brought(...events: readonly object[]): Promise<{
  readonly all: readonly UcwaEvent[];
  readonly one: Kept['values'];
  readonly error: unknown;
}> {
  const { server, ucwa } = connected();
  const one = keep(presence(ucwa, { uris: [SARA] }));
  const all: UcwaEvent[] = [];
  const kept = keep(ucwa.events$, (event) => all.push(event));
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
  // The request that waits is answered, and the next one brings them.
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

describe('what servers send otherwise than the pages say', () => {
  for (const [name, href] of [
    ['absolute hrefs', `https://ucwa.example${PEOPLE}/sara@contoso.com/presence`],
    ['relative hrefs', `${PEOPLE}/sara@contoso.com/presence`],
    ['hrefs of one contact that differ in case', `${PEOPLE}/SaRa@CONTOSO.com/presence`],
    ['hrefs where the at sign is escaped', `${PEOPLE}/sara%40contoso.com/presence`],
  ] as const) {
    it(`should be understood: ${name}`, async () => {
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
    it(`should be understood: ${name}`, async () => {
      const href = `${PEOPLE}/sara@contoso.com/presence`;
      const { all } = await brought(updated('contactPresence', href, { _embedded: embedded }));
      expect(all[0]?.resource?.['availability']).to.equal('Busy');
    });
  }

  it('should be understood: &amp; inside hrefs', async () => {
    const { all } = await brought(updated('contactPhoto', '/photo?a=1&amp;b=2'));
    expect(all[0]?.link.href).to.equal('/photo?a=1&b=2');
  });

  it('should be kept: properties named by a GUID', async () => {
    const guid = '9b5c7fdf-2c5f-462e-a4e3-39663f09301a';
    const note = { rel: 'contactNote', [guid]: 'please pass this in a PUT request', message: 'Out' };
    const { all } = await brought(updated('contactNote', '/note', { _embedded: { contactNote: note } }));
    expect(all[0]?.resource).to.deep.equal(note);
  });

  it('should pass through: unknown types of events, subcodes and words for availability', async () => {
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

  it('should keep its order where one sender occurs several times', async () => {
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
    const all = keep(ucwa.events$);
    expect(all.values.slice(0, 3)).to.deep.equal(['updated a', 'updated b', 'updated c']);
    await ucwa.close();
  });
});
