import { expect } from 'chai';
import { mergeMap, timer } from 'rxjs';
import { readText } from '../../../lib/core/transport/transport.ts';
import { serve } from '../../../lib/testing/http/serve.ts';
import { ucwaSimulator, type UcwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import type { UcwaSimulatorOptions } from '../../../lib/testing/ucwa/options.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const APPLICATIONS = '/ucwa/oauth/v1/applications';
const APP = `${APPLICATIONS}/101`;
const SARA = 'sip:sara@contoso.com';
const HERS = `${APP}/people/sara@contoso.com`;
const headers = { authorization: 'Bearer t', 'content-type': 'application/json' };

interface Recorded {
  status?: number;
  body?: Record<string, unknown>;
}

interface Wire {
  readonly type: string;
  readonly link: { readonly rel: string; readonly href: string };
  readonly in?: { readonly rel: string; readonly href: string };
  readonly _embedded?: object;
}

function ask({ transport }: UcwaSimulator, method: string, path: string, body?: object): Recorded {
  const recorded: Recorded = {};
  transport({
    ...{ method, url: `https://ucwa.example${path}`, headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
    .pipe(
      mergeMap((response) => {
        recorded.status = response.status;
        return readText(response, 'body');
      }),
    )
    .subscribe((text) => (recorded.body = JSON.parse(text) as Record<string, unknown>));
  return recorded;
}

const events = (server: UcwaSimulator, ack: number): Recorded =>
  ask(server, 'GET', `${APP}/events?ack=${ack}`);
const eventsIn = ({ body }: Recorded): readonly Wire[] => {
  const { sender = [] } = body as { readonly sender?: readonly { readonly events: readonly Wire[] }[] };
  return sender.flatMap((one) => one.events);
};
const relsIn = (recorded: Recorded): string[] =>
  eventsIn(recorded).map(({ type, link }) => `${type} ${link.rel}`);

function watched(options: UcwaSimulatorOptions = {}): UcwaSimulator {
  const server = ucwaSimulator({ mediumSeconds: 0, ...options });
  ask(server, 'POST', APPLICATIONS, { culture: 'en-us', endpointId: '1', userAgent: 'spec' });
  ask(server, 'POST', `${APP}/people/presenceSubscriptions`, { duration: 10, uris: [SARA] });
  return server;
}

const busy = {
  availability: 'Busy',
  activity: 'in-a-meeting',
  deviceType: 'Mobile',
  lastActive: new Date(1_358_827_096_000),
  note: 'Back at noon',
  location: 'Building 7',
  modalities: ['Messaging', 'Audio'],
};

describe('ucwaSimulator, for the state of contacts', () => {
  const resources: readonly (readonly [string, string, object, object])[] = [
    [
      'contactPresence',
      'presence',
      { availability: 'Offline', deviceType: 'Desktop' },
      {
        availability: 'Busy',
        activity: 'in-a-meeting',
        deviceType: 'Mobile',
        lastActive: '/Date(1358827096000)/',
      },
    ],
    ['contactNote', 'note', {}, { message: 'Back at noon', type: 'Personal' }],
    ['contactLocation', 'location', {}, { location: 'Building 7' }],
    [
      'contactSupportedModalities',
      'supportedMedia',
      { modalities: [] },
      { modalities: ['Messaging', 'Audio'] },
    ],
  ];
  for (const [rel, step, unknown, known] of resources) {
    it(`shows ${rel} with and without known properties`, () => {
      const server = watched();
      const self = { _links: { self: { href: `${HERS}/${step}` } }, rel };
      expect(ask(server, 'GET', `${HERS}/${step}`).body).to.deep.equal({ ...unknown, ...self });
      server.setPresence(SARA, busy);
      expect(ask(server, 'GET', `${HERS}/${step}`).body).to.deep.equal({ ...known, ...self });
    });
  }

  it('links from the contact to each resource', () => {
    expect(ask(watched(), 'GET', HERS).body).to.deep.equal({
      rel: 'contact',
      uri: SARA,
      name: 'sara',
      _links: {
        self: { href: HERS },
        contactPresence: { href: `${HERS}/presence` },
        contactNote: { href: `${HERS}/note` },
        contactLocation: { href: `${HERS}/location` },
        contactSupportedModalities: { href: `${HERS}/supportedMedia` },
      },
    });
  });

  it('sends events for changed resources, and keeps other properties', () => {
    const server = watched();
    events(server, 1);
    server.setPresence(SARA, busy);
    expect(relsIn(events(server, 2))).to.deep.equal([
      'updated contactPresence',
      'updated contactNote',
      'updated contactLocation',
      'updated contactSupportedModalities',
    ]);
    server.setPresence(SARA, { note: undefined });
    const recorded = events(server, 3);
    expect(relsIn(recorded)).to.deep.equal(['updated contactNote']);
    expect(eventsIn(recorded)[0]).to.deep.equal({
      type: 'updated',
      link: { rel: 'contactNote', href: `${HERS}/note` },
      in: { rel: 'contact', href: HERS },
    });
    expect(ask(server, 'GET', `${HERS}/note`).body).not.to.have.property('message');
    expect(ask(server, 'GET', `${HERS}/presence`).body).to.include({ activity: 'in-a-meeting' });
    server.setPresence(SARA, {});
    const waiting = events(server, 4);
    expect(waiting).not.to.have.property('status');
    server.endApplications();
    expect(waiting).to.include({ status: 404 });
  });

  it('sends events for all known resources first', () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    server.setPresence(SARA, { availability: 'Online', note: 'Here' });
    ask(server, 'POST', APPLICATIONS, { culture: 'en-us', endpointId: '1', userAgent: 'spec' });
    ask(server, 'POST', `${APP}/people/presenceSubscriptions`, { duration: 10, uris: [SARA] });
    expect(relsIn(events(server, 1))).to.deep.equal([
      'added contact',
      'added presenceSubscription',
      'updated contactPresence',
      'updated contactNote',
    ]);
  });

  it('embeds the resource in its state when the event is sent', () => {
    const server = watched({ contactEvents: 'embedded' });
    events(server, 1);
    server.setPresence(SARA, { availability: 'Away', lastActive: new Date(7) });
    server.setPresence(SARA, { availability: 'Busy', lastActive: new Date(8) });
    const recorded = events(server, 2);
    expect(eventsIn(recorded).map(({ _embedded }) => _embedded)).to.deep.equal([
      {
        contactPresence: {
          ...{ availability: 'Busy', deviceType: 'Desktop', lastActive: '/Date(8)/' },
          ...{ _links: { self: { href: `${HERS}/presence` } }, rel: 'contactPresence' },
        },
      },
    ]);
  });

  it('sets lastActive when the presence changes, not when the note does', () => {
    inVirtualTime(() => {
      const server = watched();
      const lastActive = (): unknown => ask(server, 'GET', `${HERS}/presence`).body?.['lastActive'];
      timer(5000).subscribe(() => {
        server.setPresence(SARA, { activity: 'presenting' });
        expect(lastActive()).to.equal('/Date(5000)/');
      });
      timer(9000).subscribe(() => {
        server.setPresence(SARA, { note: 'Here' });
        expect(lastActive()).to.equal('/Date(5000)/');
      });
    });
  });

  it('fails or delays single resources; a late one has its earlier state', () => {
    inVirtualTime(() => {
      const server = watched();
      const isNote = ({ url }: { readonly url: string }): boolean => url.endsWith('/note');
      server.setPresence(SARA, { note: 'old' });
      server.failNext(1, { status: 500 }, isNote);
      expect(ask(server, 'GET', `${HERS}/location`).status).to.equal(200);
      server.failNext(1, { delayMs: 100 }, isNote);
      const failed = server.transport({ method: 'GET', url: `https://ucwa.example${HERS}/note`, headers });
      failed.subscribe(({ status }) => expect(status).to.equal(500));
      const late = ask(server, 'GET', `${HERS}/note`);
      server.setPresence(SARA, { note: 'new' });
      expect(ask(server, 'GET', `${HERS}/note`).body).to.include({ message: 'new' });
      timer(99).subscribe(() => expect(late.status).to.equal(undefined));
      timer(101).subscribe(() => expect(late.body).to.include({ message: 'old' }));
    });
  });

  it('has no address in opaque hrefs', () => {
    const server = watched({ contactHrefs: 'opaque' });
    server.setPresence(SARA, { location: 'Building 7' });
    expect(ask(server, 'GET', `${APP}/people/282/location`).body).to.include({ location: 'Building 7' });
    expect(ask(server, 'GET', `${APP}/people/282`).body).to.include({ uri: SARA });
  });

  it('shows them over real sockets', async () => {
    const server = watched();
    server.setPresence(SARA, { note: 'Über' });
    const served = await serve(server.transport);
    const response = await fetch(`${served.origin}${HERS}/note`, { headers });
    expect(await response.json()).to.include({ message: 'Über' });
    await served.close();
  });

  it('throws for invalid options', () => {
    expect(() => ucwaSimulator({ contactHrefs: 'odd' as 'opaque' })).to.throw(
      TypeError,
      'contactHrefs must be',
    );
    expect(() => ucwaSimulator({ contactEvents: 'odd' as 'embedded' })).to.throw(
      TypeError,
      'contactEvents must be',
    );
  });
});
