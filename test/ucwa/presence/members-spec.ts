import { expect } from 'chai';
import { map, mergeMap, NEVER, timer } from 'rxjs';
import { HttpError } from '../../../lib/core/errors.ts';
import type { Activity } from '../../../lib/core/transport/requestLog.ts';
import { type HttpRequest, readText, type Transport } from '../../../lib/core/transport/transport.ts';
import { ucwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import { type Ucwa } from '../../../lib/ucwa/session/session.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { response } from '../../support/responses.ts';
import { connected, record } from '../connected.ts';
import { publishing } from '../../../lib/ucwa/application/publish.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';

const SARA = 'sip:sara@contoso.com';
const ROOT = '/ucwa/oauth/v1/applications/101';
const JSON_TYPE = { 'content-type': 'application/json' };

const isPending = ({ url }: HttpRequest): boolean => url.includes('/events');
const isCreation = ({ method, url }: HttpRequest): boolean =>
  method === 'POST' && url.endsWith('/applications');

/** Optional members of the body of an error, as servers write them. */
const ODD: readonly object[] = [
  { message: null },
  { message: 7 },
  { link: 'https://help.contoso.com/404' },
  { link: null },
  { link: { href: null } },
  { parameters: null, debugInfo: null },
];

describe('an error body with an odd member', () => {
  for (const odd of ODD) {
    const name = JSON.stringify(odd);

    it(`says that the application is gone: ${name}`, async () => {
      const { server, ucwa } = connected();
      const body = JSON.stringify({ code: 'NotFound', subcode: 'ApplicationNotFound', ...odd });
      const kept = record(presence(ucwa, { uris: [SARA] }));
      server.failNext(1, { status: 404, headers: JSON_TYPE, body }, isPending);
      server.setPresence(SARA, { availability: 'Busy' });
      expect(kept.error).to.equal(undefined);
      expect(kept.values).to.include('gap application');
      await ucwa.close();
    });

    it(`says that the channel was taken over: ${name}`, async () => {
      const { server, ucwa } = connected({}, { channel: { onPGetReplaced: 'newInstance' } });
      const body = JSON.stringify({ code: 'Conflict', subcode: 'PGetReplaced', ...odd });
      const kept = record(presence(ucwa, { uris: [SARA] }));
      server.failNext(1, { status: 409, headers: JSON_TYPE, body }, isPending);
      server.setPresence(SARA, { availability: 'Busy' });
      expect(kept.error).to.equal(undefined);
      expect(kept.values).to.include('gap application');
      await ucwa.close();
    });

    it(`says which limit is reached: ${name}`, async () => {
      const { server, ucwa } = connected();
      const body = JSON.stringify({ code: 'Forbidden', subcode: 'LimitExceeded', ...odd });
      server.failNext(1, { status: 403, headers: JSON_TYPE, body }, isCreation);
      const kept = record(ucwa.events$);
      expect(kept.error)
        .to.be.instanceOf(HttpError)
        .and.include({ code: 'Forbidden', subcode: 'LimitExceeded' });
      await ucwa.close();
    });
  }
});

describe('activity$ of a response with members that are ill-typed', () => {
  /** Emits the activity of the responses with these bodies, each of the event channel. */
  const activityOf = async (...bodies: readonly object[]): Promise<readonly Activity[]> => {
    const { server, ucwa } = connected();
    const all: Activity[] = [];
    ucwa.activity$.subscribe((activity) => all.push(activity));
    for (const body of bodies) {
      server.failNext(1, { status: 200, headers: JSON_TYPE, body: JSON.stringify(body) }, isPending);
    }
    const kept = record(ucwa.events$);
    expect(kept.error).to.equal(undefined);
    await ucwa.close();
    return all.filter(({ path, end }) => path.endsWith('/events?…') && end === 'answered');
  };
  const next = { href: `${ROOT}/events?ack=2` };
  const event = { link: { rel: 'me', href: '/me' }, type: 'updated' };
  const of = (...events: readonly object[]): object => ({
    ...{ _links: { next }, sender: [{ rel: 'me', href: '/me', events }] },
  });

  it('counts the members that were dropped', async () => {
    const [first] = await activityOf(of({ ...event, status: null, in: 7 }, { ...event, _embedded: null }));
    expect(first).to.include({ status: 200, dropped: 3 });
  });

  it('has no count if none was dropped', async () => {
    const [first] = await activityOf(of(event, { ...event, status: 'Success' }));
    expect(first).to.include({ status: 200 }).and.not.to.have.property('dropped');
  });

  it('stays in the order in which the requests ended', async () => {
    const all = await activityOf(of({ ...event, status: null }), of(event));
    expect(all.slice(0, 2).map(({ dropped }) => dropped)).to.deep.equal([1, undefined]);
  });

  it('counts those of an error body', async () => {
    const { server, ucwa } = connected();
    const all: Activity[] = [];
    ucwa.activity$.subscribe((activity) => all.push(activity));
    const body = JSON.stringify({ code: 'Forbidden', message: null });
    server.failNext(1, { status: 403, headers: JSON_TYPE, body }, isCreation);
    record(ucwa.events$);
    expect(all).to.have.length(1);
    expect(all[0]).to.include({ status: 403, dropped: 1 });
    await ucwa.close();
  });
});

describe('publish on an application that was found again', () => {
  /** Removes the link from the `me` of an available user, as servers do. */
  const withoutLink =
    (transport: Transport): Transport =>
    (request) =>
      transport(request).pipe(
        mergeMap((answer) =>
          readText(answer, 'answer').pipe(
            map((text) => {
              const body = text.replace(/"makeMeAvailable":\{[^}]*\},?/, '');
              return {
                ...response(answer.status, { body: [body] }),
                headers: answer.headers,
                url: answer.url,
              };
            }),
          ),
        ),
      );

  it('continues all streams', () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    const life = (transport: Transport): Ucwa =>
      connectUcwa({
        ...{ server: server.url, auth: bearer('token'), endpointId: 'same', transport },
        publish: publishing({ availability: 'Busy' }),
      });
    // The process before has crashed: it reads no events, and removes nothing.
    record(life((request) => (isPending(request) ? NEVER : server.transport(request))).events$);
    expect(server.applications[0]?.availability).to.equal('Busy');
    inVirtualTime(() => {
      const kept = record(life(withoutLink(server.transport)).events$);
      timer(60_000).subscribe(() => {
        server.emit({ type: 'updated', link: { rel: 'people', href: '/people' } });
        expect(kept.error).to.equal(undefined);
        expect(kept.values).to.include('updated people');
        kept.subscription.unsubscribe();
      });
    });
  });
});
