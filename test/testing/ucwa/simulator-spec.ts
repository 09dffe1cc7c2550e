import { expect } from 'chai';
import { mergeMap, type Observable, Subscription, timer } from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import { type HttpRequest, readText } from '../../../lib/core/transport/transport.ts';
import { ucwaSimulator, type UcwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import type { UcwaSimulatorOptions } from '../../../lib/testing/ucwa/options.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

interface Recorded {
  status: number | undefined;
  body: unknown;
  error: unknown;
}

interface Wire {
  readonly link: { readonly rel: string; readonly href: string };
  readonly in?: { readonly rel: string };
  readonly type: string;
}

const ORIGIN = 'https://ucwa.example';
const APPLICATIONS = '/ucwa/oauth/v1/applications';
const APP = `${APPLICATIONS}/101`;
const SUBSCRIPTIONS = `${APP}/people/presenceSubscriptions`;
const FIRST = `${SUBSCRIPTIONS}/97b6bd66`;
const IDENTITY = { culture: 'en-us', endpointId: '1', userAgent: 'spec' };
const SARA = 'sip:sara@contoso.com';

/** The pending GETs when a spec ends. */
let pendingRequests = new Subscription();

/** A client that sends the given requests. */
class Client {
  readonly server: UcwaSimulator;

  constructor(options: UcwaSimulatorOptions = {}) {
    this.server = ucwaSimulator(options);
  }

  ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Recorded & { readonly sent: Subscription } {
    const request: HttpRequest = {
      method,
      url: `${ORIGIN}${path}`,
      headers: {
        authorization: 'Bearer t',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    };
    const recorded: Recorded = { status: undefined, body: undefined, error: undefined };
    const answer$: Observable<string> = this.server.transport(request).pipe(
      mergeMap((response) => {
        recorded.status = response.status;
        return readText(response, 'body');
      }),
    );
    const sent = answer$.subscribe({
      next: (text) => (recorded.body = text === '' ? '' : (JSON.parse(text) as unknown)),
      error: (error: unknown) => (recorded.error = error),
    });
    pendingRequests.add(sent);
    return Object.assign(recorded, { sent });
  }

  application(): void {
    expect(this.ask('POST', APPLICATIONS, IDENTITY).status).to.equal(201);
  }

  subscribe(...uris: readonly string[]): void {
    expect(this.ask('POST', SUBSCRIPTIONS, { duration: 10, uris }).status).to.equal(201);
  }

  events(ack: number, query = ''): Recorded & { readonly sent: Subscription } {
    return this.ask('GET', `${APP}/events?ack=${ack}${query}`);
  }
}

const eventsIn = ({ body }: Recorded): string[] => {
  const { sender = [] } = body as { readonly sender?: readonly { readonly events: readonly Wire[] }[] };
  return sender.flatMap(({ events }) => events.map(({ type, link }) => `${type} ${link.rel}`));
};

const linksIn = ({ body }: Recorded): Record<string, string> => {
  const { _links } = body as { readonly _links: Record<string, { readonly href: string }> };
  return Object.fromEntries(
    Object.entries(_links).map(([rel, { href }]) => [rel, href.replace(`${APP}/`, '')]),
  );
};

describe('ucwaSimulator', () => {
  afterEach(() => {
    pendingRequests.unsubscribe();
    pendingRequests = new Subscription();
  });

  describe('applications', () => {
    it('creates, shows and deletes one', () => {
      const client = new Client();
      const created = client.ask('POST', APPLICATIONS, { ...IDENTITY, instanceId: 'tab1' });
      expect(created.status).to.equal(201);
      expect(created.body).to.deep.include({
        rel: 'application',
        id: '101',
        endpointId: '1',
        instanceId: 'tab1',
      });
      expect(linksIn(created)).to.deep.include({ self: APP, events: 'events?ack=1' });
      expect(created.body).to.have.nested.property(
        '_embedded.people._links.presenceSubscriptions.href',
        SUBSCRIPTIONS,
      );
      expect(client.server.applications).to.deep.equal([{ id: '101', href: APP }]);
      expect(client.ask('GET', APP).status).to.equal(200);
      expect(client.ask('DELETE', APP)).to.include({ status: 204, body: '' });
      expect(client.ask('GET', APP)).to.deep.include({ status: 404 });
      expect(client.ask('DELETE', APP).body).to.deep.include({
        code: 'NotFound',
        subcode: 'ApplicationNotFound',
      });
      expect(client.server.applications).to.deep.equal([]);
    });

    it('returns the same one for the same identity, another for another instance', () => {
      const client = new Client();
      client.application();
      expect(client.ask('POST', APPLICATIONS, IDENTITY).status).to.equal(200);
      expect(client.ask('POST', APPLICATIONS, { ...IDENTITY, instanceId: 'other' }).status).to.equal(201);
      expect(client.server.applications).to.have.length(2);
    });

    const refused: readonly (readonly [string, unknown, number])[] = [
      ['no endpointId', { culture: 'en-us', userAgent: 'spec' }, 400],
      ['a culture that is too long', { ...IDENTITY, culture: 'x'.repeat(101) }, 400],
      ['an instanceId that is no text', { ...IDENTITY, instanceId: 7 }, 400],
      ['malformed JSON', '{', 400],
      ['a list', '[]', 400],
    ];
    for (const [name, body, status] of refused) {
      it(`rejects ${name}`, () => {
        const client = new Client();
        expect(client.ask('POST', APPLICATIONS, body).status).to.equal(status);
        expect(client.server.applications).to.deep.equal([]);
      });
    }

    it('ends one without a pending GET for 15 minutes', () => {
      const client = new Client();
      inVirtualTime(() => {
        client.application();
        const waiting = client.events(1);
        timer(100_000).subscribe(() => waiting.sent.unsubscribe());
        timer(100_000 + 899_999).subscribe(() => expect(client.server.applications).to.have.length(1));
        timer(100_000 + 900_000).subscribe(() => {
          expect(client.server.applications).to.deep.equal([]);
          expect(client.events(1)).to.deep.include({ status: 404 });
        });
      });
    });
  });

  describe('presence subscriptions', () => {
    it('creates one, with events for it, its contacts and their presence', () => {
      const client = new Client({ mediumSeconds: 0 });
      client.application();
      client.subscribe(SARA, 'sip:Bob@contoso.com');
      expect(client.server.presenceSubscriptions).to.have.length(1);
      expect(client.server.presenceSubscriptions[0]).to.deep.include({
        id: '97b6bd66',
        href: FIRST,
        applicationId: '101',
        uris: [SARA, 'sip:bob@contoso.com'],
      });
      expect(eventsIn(client.events(1))).to.deep.equal([
        'added contact',
        'added contact',
        'added presenceSubscription',
        'updated contactPresence',
        'updated contactPresence',
      ]);
    });

    it('deletes one with 204, with events for its contacts, then for it', () => {
      const client = new Client({ mediumSeconds: 0 });
      client.application();
      client.subscribe(SARA);
      client.events(1);
      const waiting = client.events(2);
      expect(waiting.status).to.equal(undefined);
      expect(client.ask('DELETE', FIRST)).to.include({ status: 204, body: '' });
      expect(eventsIn(waiting)).to.deep.equal(['deleted contact', 'deleted presenceSubscription']);
      expect(client.ask('DELETE', FIRST).status).to.equal(404);
      expect(client.server.presenceSubscriptions).to.deep.equal([]);
    });

    it('keeps a contact that is still in another subscription', () => {
      const client = new Client({ mediumSeconds: 0 });
      client.application();
      client.subscribe(SARA);
      client.subscribe(SARA);
      client.events(1);
      client.ask('DELETE', FIRST);
      expect(eventsIn(client.events(2))).to.deep.equal(['deleted presenceSubscription']);
      expect(client.ask('GET', `${APP}/people/subscribedContacts`).body).to.deep.include({
        _links: {
          self: { href: `${APP}/people/subscribedContacts` },
          contact: [{ href: `${APP}/people/sara@contoso.com` }],
        },
      });
    });

    it('sends a change of presence to the applications that watch the contact', () => {
      const client = new Client({ mediumSeconds: 0 });
      client.application();
      client.subscribe(SARA);
      client.events(1);
      client.server.setPresence('sip:bob@contoso.com', { availability: 'Busy' });
      const waiting = client.events(2);
      expect(waiting.status, 'nobody watches Bob').to.equal(undefined);
      client.server.setPresence('SIP:Sara@contoso.com', {
        availability: 'BeRightBack',
        activity: 'in-a-meeting',
      });
      expect(eventsIn(waiting)).to.deep.equal(['updated contactPresence']);
      expect(client.ask('GET', `${APP}/people/Sara%40contoso.com/presence`).body).to.deep.include({
        availability: 'BeRightBack',
        activity: 'in-a-meeting',
        deviceType: 'Desktop',
        rel: 'contactPresence',
      });
      expect(client.ask('GET', `${APP}/people/sara@contoso.com`).body).to.deep.include({
        uri: SARA,
        name: 'sara',
      });
    });

    it('sends `updated` before the expiry, then ends a subscription', () => {
      const client = new Client({ mediumSeconds: 0, expiryWarningSeconds: 60 });
      const recorded: [number, string[]][] = [];
      inVirtualTime(() => {
        client.application();
        client.subscribe(SARA);
        const listen = (ack: number): void => {
          const waiting = client.events(ack, '&timeout=1800');
          waiting.sent.add(() => {
            if (waiting.status !== 200) return;
            recorded.push([ack, eventsIn(waiting)]);
            if (ack < 3) listen(ack + 1);
          });
        };
        listen(1);
        timer(540_000).subscribe(() => expect(recorded).to.have.length(2));
        timer(599_999).subscribe(() => expect(client.server.presenceSubscriptions).to.have.length(1));
      });
      expect(recorded.slice(1)).to.deep.equal([
        [2, ['updated presenceSubscription']],
        [3, ['deleted contact', 'deleted presenceSubscription']],
      ]);
      expect(client.server.presenceSubscriptions).to.deep.equal([]);
    });

    it('extends one to at most 30 minutes', () => {
      const client = new Client();
      inVirtualTime(() => {
        client.application();
        client.subscribe(SARA);
        const left = (): number => client.server.presenceSubscriptions[0]!.expiresAt;
        expect(left()).to.equal(600_000);
        expect(client.ask('POST', `${FIRST}?duration=10`).status).to.equal(200);
        expect(left()).to.equal(1_200_000);
        client.ask('POST', `${FIRST}?duration=30`);
        expect(left()).to.equal(1_800_000);
        expect(client.ask('POST', `${FIRST}?duration=31`).status).to.equal(400);
        expect(client.ask('POST', `${SUBSCRIPTIONS}/none?duration=30`).body).to.deep.include({
          subcode: 'ApplicationNotFound',
        });
      });
    });

    it('adds, shows and removes members', () => {
      const client = new Client({ mediumSeconds: 0 });
      client.application();
      client.subscribe(SARA);
      client.events(1);
      const all = `${APP}/people/presenceSubscriptionMemberships`;
      const added = client.ask('POST', `${all}?presenceSubscriptionId=97b6bd66`, {
        contactUris: [SARA, 'sip:bob@contoso.com'],
      });
      expect(added.status).to.equal(201);
      expect(eventsIn(client.events(2))).to.deep.equal(['added contact', 'updated contactPresence']);
      const shown = client.ask('GET', `${all}?presenceSubscriptionId=97b6bd66`);
      expect(shown.body).to.have.nested.property('_embedded.presenceSubscriptionMembership.length', 2);
      expect(client.ask('DELETE', `${all}/97b6bd66,sara@contoso.com`).status).to.equal(204);
      expect(client.ask('DELETE', `${all}/97b6bd66,sara@contoso.com`).status).to.equal(404);
      expect(client.server.presenceSubscriptions[0]!.uris).to.deep.equal(['sip:bob@contoso.com']);
      expect(client.ask('GET', `${all}?presenceSubscriptionId=none`).status).to.equal(404);
      expect(
        client.ask('POST', `${all}?presenceSubscriptionId=97b6bd66`, { contactUris: [] }).status,
      ).to.equal(400);
    });

    const refused: readonly (readonly [string, unknown, number])[] = [
      ['no contacts', { duration: 10, uris: [] }, 400],
      ['what is no sip URI', { duration: 10, uris: ['sara'] }, 400],
      ['too short a time', { duration: 9, uris: [SARA] }, 400],
      ['too long a time', { duration: 31, uris: [SARA] }, 400],
      ['malformed JSON', '{', 400],
    ];
    for (const [name, body, status] of refused) {
      it(`rejects ${name}`, () => {
        const client = new Client();
        client.application();
        expect(client.ask('POST', SUBSCRIPTIONS, body).status).to.equal(status);
        expect(client.server.presenceSubscriptions).to.deep.equal([]);
      });
    }

    it('rejects a body that is not declared as JSON', () => {
      const client = new Client();
      client.application();
      expect(client.ask('POST', SUBSCRIPTIONS, '{}', { 'content-type': 'text/plain' }).status).to.equal(415);
    });

    it('accepts the spelling of the other page, and lists subscriptions', () => {
      const client = new Client();
      client.application();
      expect(client.ask('POST', SUBSCRIPTIONS, { duration: 10, Uris: [SARA] }).status).to.equal(201);
      expect(client.ask('GET', SUBSCRIPTIONS).body).to.have.nested.property(
        '_embedded.presenceSubscription.length',
        1,
      );
      expect(client.ask('GET', FIRST).body).to.deep.include({ id: '97b6bd66' });
    });

    it('rejects more than are allowed', () => {
      const client = new Client({ maxPresenceSubscriptions: 1 });
      client.application();
      client.subscribe(SARA);
      expect(client.ask('POST', SUBSCRIPTIONS, { duration: 10, uris: [SARA] })).to.deep.include({
        status: 403,
      });
    });

    it('has no address in opaque hrefs', () => {
      const client = new Client({ contactHrefs: 'opaque' });
      client.application();
      client.subscribe('sip:bob@contoso.com', SARA);
      client.server.setPresence(SARA, { availability: 'Away' });
      expect(client.ask('GET', `${APP}/people/283/presence`).body).to.deep.include({ availability: 'Away' });
    });
  });

  describe('groups, and the subscription to contacts and groups', () => {
    const GROUPS = `${APP}/groups`;
    const FAMILY = `${GROUPS}/1/subscribeToGroupPresence?groupId=Family`;
    const MINE = `${APP}/people/myContactsAndGroupsSubscription`;
    const START = `${MINE}/startOrRefreshSubscriptionToContactsAndGroups`;
    const groups = { Family: [SARA] };

    it('shows the groups, and subscribes to the members of one', () => {
      const client = new Client({ groups });
      client.application();
      expect(client.ask('GET', GROUPS).body).to.have.nested.property('_embedded.group[0].name', 'Family');
      const made = client.ask('POST', `${FAMILY}&duration=10`);
      expect(made.status).to.equal(201);
      expect(made.body).to.have.property('_links').that.has.keys('self', 'memberships');
      expect(client.server.presenceSubscriptions[0]!.uris).to.deep.equal([SARA]);
    });

    it('starts, shows, refreshes and stops the subscription to contacts and groups', () => {
      const client = new Client();
      inVirtualTime(() => {
        client.application();
        const until = (): readonly number[] =>
          client.server.contactsAndGroupsSubscriptions.map(({ expiresAt }) => expiresAt);
        expect(client.ask('GET', MINE).body).to.include({ state: 'Disconnected' });
        expect(client.ask('POST', `${START}?duration=10`).status).to.equal(201);
        expect(client.ask('GET', MINE).body).to.include({ state: 'Connected' });
        expect(until()).to.deep.equal([600_000]);
        client.ask('POST', `${START}?duration=10`);
        expect(until()).to.deep.equal([1_200_000]);
        client.ask('POST', `${START}?duration=30`);
        expect(until()).to.deep.equal([1_800_000]);
        expect(client.ask('POST', `${MINE}/stopSubscriptionToContactsAndGroups`).status).to.equal(204);
        expect(until()).to.deep.equal([]);
        client.ask('POST', `${START}?duration=10`);
        // A client that waits for events keeps the application.
        client.events(1);
        timer(599_999).subscribe(() => expect(until()).to.have.length(1));
        timer(600_000).subscribe(() => expect(until()).to.deep.equal([]));
      });
    });

    const refused: readonly (readonly [string, string, number])[] = [
      ['PUT', GROUPS, 405],
      ['GET', FAMILY, 405],
      ['POST', FAMILY, 400],
      ['POST', FAMILY.replace('Family', 'Work'), 404],
      ['POST', `${GROUPS}/1`, 405],
      ['GET', `${GROUPS}/2`, 404],
      ['GET', `${GROUPS}/1/contacts/1`, 404],
      ['PUT', MINE, 405],
      ['GET', START, 405],
      ['POST', START, 400],
      ['POST', `${MINE}/elsewhere`, 404],
    ];
    for (const [method, path, status] of refused) {
      it(`responds with ${status} to ${method} ${path}`, () => {
        const client = new Client({ groups });
        client.application();
        expect(client.ask(method, path).status).to.equal(status);
      });
    }

    it('limits the contacts in a request, and the group subscriptions', () => {
      const client = new Client({ groups, maxContactsAtOnce: 1, maxPresenceSubscriptions: 1 });
      client.application();
      const two = [SARA, 'sip:bob@contoso.com'];
      expect(client.ask('POST', SUBSCRIPTIONS, { duration: 10, uris: two })).to.deep.include({ status: 403 });
      client.subscribe(SARA);
      const all = `${APP}/people/presenceSubscriptionMemberships?presenceSubscriptionId=97b6bd66`;
      expect(client.ask('POST', all, { contactUris: two }).body).to.deep.include({
        subcode: 'LimitExceeded',
      });
      expect(client.ask('POST', `${FAMILY}&duration=10`).status).to.equal(403);
    });
  });

  describe('the event channel', () => {
    const me = { type: 'updated', link: { rel: 'me', href: `${APP}/me` } };
    const note = { type: 'added', link: { rel: 'note', href: `${APP}/me/note` } };

    it('keeps a GET pending until there are events', () => {
      const client = new Client();
      client.application();
      const waiting = client.events(1);
      expect(waiting.status).to.equal(undefined);
      client.server.emit(me);
      expect(eventsIn(waiting)).to.deep.equal(['updated me']);
      expect(linksIn(waiting)).to.deep.equal({ self: 'events?ack=1', next: 'events?ack=2' });
    });

    it('responds without sender after the timeout', () => {
      const client = new Client();
      inVirtualTime(() => {
        client.application();
        const waiting = client.events(1);
        timer(179_999).subscribe(() => expect(waiting.status).to.equal(undefined));
        timer(180_000).subscribe(() => {
          expect(waiting.status).to.equal(200);
          expect(waiting.body).not.to.have.property('sender');
          expect(linksIn(waiting)).to.have.property('next', 'events?ack=2');
        });
      });
    });

    it('repeats a response until it is acknowledged', () => {
      const client = new Client();
      client.application();
      client.server.emit(me);
      const first = client.events(1);
      client.server.emit(note);
      expect(client.events(1).body).to.deep.equal(first.body);
      expect(eventsIn(client.events(2))).to.deep.equal(['added note']);
    });

    it('responds with resync to an invalid acknowledgement', () => {
      const client = new Client();
      client.application();
      client.server.emit(me);
      client.events(1);
      const lost = client.events(7);
      expect(linksIn(lost)).to.deep.equal({ self: 'events?ack=7', resync: 'events?ack=1' });
      expect(eventsIn(client.events(1))).to.deep.equal(['updated me']);
    });

    it('aggregates events by priority, and sends them with urgent ones', () => {
      const client = new Client();
      inVirtualTime(() => {
        client.application();
        const low = client.events(1);
        client.server.emit(note, 'low');
        timer(14_999).subscribe(() => expect(low.status).to.equal(undefined));
        timer(15_000).subscribe(() => {
          expect(low.status).to.equal(200);
          const medium = client.events(2);
          client.server.emit(me, 'medium');
          timer(5000).subscribe(() => {
            expect(medium.status).to.equal(200);
            const hurried = client.events(3);
            client.server.emit(note, 'low');
            client.server.emit(me, 'high');
            expect(eventsIn(hurried)).to.deep.equal(['added note', 'updated me']);
          });
        });
      });
    });

    it('merges queued changes of one resource', () => {
      const client = new Client();
      client.application();
      client.server.emit(me, 'medium');
      client.server.emit(me, 'medium');
      client.server.emit({ ...me, type: 'deleted' });
      client.server.emit(me);
      expect(eventsIn(client.events(1))).to.deep.equal(['updated me', 'deleted me', 'updated me']);
    });

    it('keeps the requested intervals, and rejects those out of range', () => {
      const client = new Client();
      inVirtualTime(() => {
        client.application();
        client.server.emit(me, 'medium');
        expect(client.events(1, '&medium=4').status).to.equal(400);
        expect(client.events(1, '&timeout=1801').status).to.equal(400);
        const first = client.events(1, '&medium=300&low=600&timeout=900');
        timer(299_999).subscribe(() => expect(first.status).to.equal(undefined));
        timer(300_000).subscribe(() => {
          expect(first.status).to.equal(200);
          const second = client.events(2);
          timer(899_999).subscribe(() => expect(second.status).to.equal(undefined));
          timer(900_000).subscribe(() => expect(second.status).to.equal(200));
        });
      });
    });

    it('replaces the older P-GET, unless that has a higher priority', () => {
      const client = new Client();
      client.application();
      const first = client.events(1);
      const second = client.events(1);
      expect(first).to.deep.include({ status: 409 });
      expect(first.body).to.deep.include({ code: 'Conflict', subcode: 'PGetReplaced' });
      const important = client.events(1, '&priority=2');
      expect(second.status).to.equal(409);
      expect(client.events(1, '&priority=1').status).to.equal(409);
      expect(important.status).to.equal(undefined);
    });

    it('ignores the intervals of a P-GET with a lower priority', () => {
      const client = new Client({ mediumSeconds: 5 });
      client.application();
      inVirtualTime(() => {
        const tuned = client.events(1, '&medium=10&priority=1');
        client.events(1, '&medium=600');
        client.events(7, '&medium=700');
        client.server.emit(me, 'medium');
        timer(10_001).subscribe(() => expect(tuned.status).to.equal(200));
      });
    });

    for (const priority of ['-1', '0.5', 'high']) {
      it(`rejects the priority "${priority}"`, () => {
        const client = new Client();
        client.application();
        expect(client.events(1, `&priority=${priority}`).status).to.equal(400);
      });
    }

    for (const [priority, ends] of [
      [0, 409],
      [1, undefined],
    ] as const) {
      it(`responds ${ends ?? 'nothing'} to priority ${priority} when an aborted P-GET arrives late`, () => {
        const client = new Client();
        client.application();
        client.server.failNext(1, { arrivalDelayMs: 40 }, ({ url }) => url.includes('/events'));
        inVirtualTime(() => {
          client.events(1).sent.unsubscribe();
          const newer = client.events(1, `&priority=${priority}`);
          timer(39).subscribe(() => expect(newer.status, 'before').to.equal(undefined));
          timer(41).subscribe(() => {
            expect(newer.status, 'after').to.equal(ends);
            client.ask('DELETE', APP);
          });
        });
      });
    }

    it('repeats events that only a late request has received', () => {
      const client = new Client();
      client.application();
      client.server.failNext(1, { arrivalDelayMs: 40 }, ({ url }) => url.includes('/events'));
      inVirtualTime(() => {
        client.events(1).sent.unsubscribe();
        timer(50).subscribe(() => {
          client.server.emit(me);
          expect(eventsIn(client.events(1))).to.deep.equal(['updated me']);
        });
      });
    });

    it('reports a loss with the next response', () => {
      const client = new Client({ mediumSeconds: 0 });
      client.application();
      client.subscribe(SARA);
      client.events(1);
      const waiting = client.events(2);
      client.server.emit(me, 'low');
      client.server.reset('resume');
      expect(linksIn(waiting)).to.deep.equal({ self: 'events?ack=2', resume: 'events?ack=3' });
      expect(eventsIn(waiting)).to.deep.equal(['updated me']);
      expect(client.server.presenceSubscriptions).to.deep.equal([]);
      client.server.emit(me, 'low');
      client.server.reset('resync');
      const after = client.events(3);
      expect(linksIn(after)).to.have.property('resync');
      expect(eventsIn(after)).to.deep.equal([]);
    });

    it('uses the given name of the cursor parameter', () => {
      const client = new Client({ cursorParameter: 'ck' });
      client.application();
      client.server.emit(me);
      expect(linksIn(client.ask('GET', `${APP}/events?ck=1`))).to.have.property('next', 'events?ck=2');
    });

    it('accepts only GET', () => {
      const client = new Client();
      client.application();
      expect(client.ask('DELETE', `${APP}/events?ack=1`).status).to.equal(405);
    });
  });

  describe('controlled by a test', () => {
    it('ends one subscription, or expires all', () => {
      const client = new Client({ mediumSeconds: 0 });
      client.application();
      client.subscribe(SARA);
      client.subscribe('sip:bob@contoso.com');
      client.events(1);
      client.server.endSubscription('97b6bd66');
      client.server.endSubscription('none');
      expect(eventsIn(client.events(2))).to.deep.equal(['deleted contact', 'deleted presenceSubscription']);
      client.server.expire();
      expect(eventsIn(client.events(3))).to.deep.equal(['deleted contact', 'deleted presenceSubscription']);
      expect(client.server.presenceSubscriptions).to.deep.equal([]);
    });

    it('drops everything at a restart, and breaks pending GETs', () => {
      const client = new Client();
      client.application();
      const waiting = client.events(1);
      client.server.restart();
      expect(waiting.error).to.be.instanceOf(NetworkError);
      expect(client.events(1).status).to.equal(404);
    });

    it('responds to pending GETs when it ends all applications', () => {
      const client = new Client();
      client.application();
      const waiting = client.events(1);
      client.server.endApplications();
      expect(waiting.body).to.deep.include({ subcode: 'ApplicationNotFound' });
      expect(client.server.applications).to.deep.equal([]);
    });

    it('responds to an extension with the given status', () => {
      const client = new Client({ extensionStatus: 201 });
      client.application();
      client.subscribe(SARA);
      expect(client.ask('POST', `${FIRST}?duration=10`).status).to.equal(201);
    });

    it('responds to the pending GET when the application is deleted', () => {
      const client = new Client();
      client.application();
      const waiting = client.events(1);
      client.ask('DELETE', APP);
      expect(waiting).to.deep.include({ status: 404 });
    });

    it('requires a token', () => {
      const client = new Client({ token: 'good' });
      expect(client.ask('POST', APPLICATIONS, IDENTITY).status).to.equal(401);
      expect(client.ask('POST', APPLICATIONS, IDENTITY, { authorization: 'Bearer good' }).status).to.equal(
        201,
      );
      expect(client.ask('POST', APPLICATIONS, IDENTITY, { authorization: 'Basic good' }).status).to.equal(
        401,
      );
      expect(new Client().ask('GET', APP, undefined, { authorization: '' }).status).to.equal(401);
    });

    it('lets requests fail, and logs them', () => {
      const client = new Client();
      client.server.failNext(1, { status: 503 }, ({ method }) => method === 'GET');
      client.application();
      expect(client.ask('GET', APP).status).to.equal(503);
      expect(client.ask('GET', APP).status).to.equal(200);
      expect(client.server.requests.map(({ method, path, status }) => [method, path, status])).to.deep.equal([
        ['POST', APPLICATIONS, 201],
        ['GET', APP, 503],
        ['GET', APP, 200],
      ]);
    });

    it('responds after its latency', () => {
      const client = new Client({ latencyMs: 20 });
      inVirtualTime(() => {
        const created = client.ask('POST', APPLICATIONS, IDENTITY);
        timer(9).subscribe(() => expect(client.server.applications).to.have.length(0));
        timer(11).subscribe(() => expect(client.server.applications).to.have.length(1));
        timer(19).subscribe(() => expect(created.status).to.equal(undefined));
        timer(21).subscribe(() => expect(created.status).to.equal(201));
      });
    });

    const unknown: readonly (readonly [string, string, number])[] = [
      ['GET', '/elsewhere', 404],
      ['GET', `${APPLICATIONS}/999/people`, 404],
      ['GET', APPLICATIONS, 405],
      ['PUT', APP, 405],
      ['GET', `${APP}/photos`, 404],
      ['GET', `${APP}/people/1/2/3`, 404],
      ['GET', `${APP}/people`, 200],
      ['PUT', `${APP}/people`, 405],
      ['PUT', SUBSCRIPTIONS, 405],
      ['PUT', FIRST, 405],
      ['PUT', `${APP}/people/sara@contoso.com`, 405],
      ['GET', `${APP}/people/sara@contoso.com/photo`, 404],
      ['PUT', `${APP}/people/presenceSubscriptionMemberships?presenceSubscriptionId=97b6bd66`, 405],
      ['PUT', `${APP}/people/presenceSubscriptionMemberships/97b6bd66,sara@contoso.com`, 405],
    ];
    for (const [method, path, status] of unknown) {
      it(`responds with ${status} to ${method} ${path}`, () => {
        const client = new Client();
        client.application();
        client.subscribe(SARA);
        expect(client.ask(method, path).status).to.equal(status);
      });
    }

    it('speeds up its time', () => {
      const client = new Client({ speed: 50 });
      inVirtualTime(() => {
        client.application();
        client.subscribe(SARA);
        expect(client.server.presenceSubscriptions[0]!.expiresAt).to.equal(12_000);
        client.ask('POST', `${FIRST}?duration=30`);
        expect(client.server.presenceSubscriptions[0]!.expiresAt).to.equal(36_000);
        timer(100).subscribe(() => {
          expect(eventsIn(client.events(1))).to.have.length(3);
          const waiting = client.events(2, '&timeout=600');
          timer(11_999).subscribe(() => expect(waiting.status).to.equal(undefined));
          timer(12_000).subscribe(() => expect(waiting.status).to.equal(200));
        });
        timer(30_099).subscribe(() => expect(client.server.applications).to.have.length(1));
        timer(30_100).subscribe(() => expect(client.server.applications).to.deep.equal([]));
      });
    });

    it('throws for invalid options', () => {
      expect(() => ucwaSimulator({ path: '/ucwa/' })).to.throw(TypeError, 'path must be');
      expect(() => ucwaSimulator({ speed: 0 })).to.throw(TypeError, 'speed must be');
      expect(() => ucwaSimulator({ latencyMs: -1 })).to.throw(TypeError, 'latencyMs must be');
      expect(() => ucwaSimulator({ origin: 'ucwa.example' })).to.throw(TypeError, 'origin must be');
    });
  });
});
