import { expect } from 'chai';
import { BehaviorSubject, map, of, Subject, timer } from 'rxjs';
import { ClosedError, HttpError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import type { LoggedRequest } from '../../../lib/testing/requestLog.ts';
import type { UcwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import type { UcwaSimulatorOptions } from '../../../lib/testing/ucwa/options.ts';
import type { Ucwa } from '../../../lib/ucwa/session/session.ts';
import { contactPresence, type ContactPresenceOptions } from '../../../lib/ucwa/presence/contactPresence.ts';
import type { ContactPresence } from '../../../lib/ucwa/presence/contactState.ts';
import { EndedError } from '../../../lib/ucwa/protocol/errors.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { expectUncaught } from '../../support/uncaught.ts';
import { connected, type Connected } from '../connected.ts';

const SARA = 'sip:sara@contoso.com';
const BOB = 'sip:bob@contoso.com';
const PRESENCE_ONLY: ContactPresenceOptions = { details: [] };

const isGet =
  (what: string, who = '') =>
  ({ method, url }: HttpRequest): boolean =>
    method === 'GET' && url.includes(who) && url.endsWith(`/${what}`);
const isPresence = isGet('presence');

/** The emissions of a stream of states, abbreviated, and its end. */
interface Watched {
  readonly states: readonly ContactPresence[];
  readonly lines: readonly string[];
  readonly error: unknown;
  readonly isComplete: boolean;
  leave(): void;
}

const watch = (
  ucwa: Ucwa,
  uris: Parameters<typeof contactPresence>[1],
  options?: ContactPresenceOptions,
): Watched => {
  const watched = {
    states: [] as ContactPresence[],
    lines: [] as string[],
    error: undefined as unknown,
    isComplete: false,
    leave: () => subscription.unsubscribe(),
  };
  const subscription = contactPresence(ucwa, uris, options).subscribe({
    next: (state) => {
      watched.states.push(state);
      watched.lines.push(inShort(state));
    },
    error: (error: unknown) => (watched.error = error),
    complete: () => (watched.isComplete = true),
  });
  return watched;
};

const inShort = ({ uri, availability, note, location, modalities, failure }: ContactPresence): string =>
  [
    uri.replace(/^sip:|@.*/g, ''),
    availability ?? '?',
    ...(note === undefined ? [] : [`"${note}"`]),
    ...(location === undefined ? [] : [`in ${location}`]),
    ...(modalities ?? []),
    ...(failure === undefined ? [] : [`(no ${failure.rel})`]),
  ].join(' ');

/** All requests, those too that travelled together. */
const exchanged = ({ requests }: UcwaSimulator): readonly LoggedRequest[] =>
  requests.flatMap((request) => request.parts ?? [request]);

const gets = (server: UcwaSimulator): string[] =>
  exchanged(server)
    .filter(({ method, path }) => method === 'GET' && path.includes('/people/') && !path.includes('?'))
    .map(({ path }) => path.replace(/^.*\/people\//, ''));

/** A connection to a server whose events of contacts are lost, and the number of requests for memberships. */
const deaf = (simulated: UcwaSimulatorOptions): Connected & { readonly lookUps: () => number } => {
  const isOfContact = ({ link }: { link: { rel: string } }): boolean => link.rel.startsWith('contact');
  const withoutContacts = (chunk: Uint8Array): Uint8Array => {
    const { sender = [], ...rest } = JSON.parse(new TextDecoder().decode(chunk)) as {
      sender?: { events: { link: { rel: string } }[] }[];
    };
    const heard = sender.map((one) => ({
      ...one,
      events: one.events.filter((event) => !isOfContact(event)),
    }));
    return new TextEncoder().encode(JSON.stringify({ ...rest, sender: heard }));
  };
  const connection: Connected = connected(simulated, {
    transport: (request) =>
      connection.server
        .transport(request)
        .pipe(
          map((response) =>
            request.url.includes('/events')
              ? { ...response, body$: response.body$.pipe(map(withoutContacts)) }
              : response,
          ),
        ),
  });
  const isLookUp = ({ method, path }: LoggedRequest): boolean =>
    method === 'GET' && path.includes('Memberships');
  return { ...connection, lookUps: () => exchanged(connection.server).filter(isLookUp).length };
};

describe('contactPresence', () => {
  describe('of contacts', () => {
    it('sends nothing before it is subscribed to', () => {
      const { ucwa, sent } = connected();
      contactPresence(ucwa, [SARA]);
      expect(sent()).to.deep.equal([]);
    });

    it('emits the current state of each contact', () => {
      const { ucwa, server } = connected({ latencyMs: 10 });
      inVirtualTime(() => {
        server.setPresence(SARA, {
          ...{
            availability: 'Busy',
            activity: 'in-a-meeting',
            deviceType: 'Mobile',
            lastActive: new Date(7),
          },
          ...{ note: 'Back soon', location: 'Building 7', modalities: ['Messaging', 'Audio'] },
        });
        const watched = watch(ucwa, [SARA, BOB]);
        timer(100).subscribe(() => {
          watched.leave();
          const last = new Map(watched.states.map((state) => [state.uri, state]));
          expect(last.get(SARA)).to.deep.equal({
            ...{ uri: SARA, availability: 'Busy', activity: 'in-a-meeting', deviceType: 'Mobile' },
            ...{ lastActive: new Date(7), note: 'Back soon', noteType: 'Personal', location: 'Building 7' },
            modalities: ['Messaging', 'Audio'],
          });
          expect(last.get(BOB)).to.deep.equal({ uri: BOB, availability: 'Offline', deviceType: 'Desktop' });
        });
      });
    });

    it('requests everything once, and simultaneous parts in one turn', () => {
      const { ucwa, server } = connected({ latencyMs: 10 });
      let travelled = 0;
      inVirtualTime(() => {
        server.setPresence(SARA, { note: 'Back soon' });
        const watched = watch(ucwa, [SARA, BOB]);
        timer(200).subscribe(() => {
          watched.leave();
          travelled = server.requests.filter(({ path }) => /\/people\/[^/?]+@|\/batch$/.test(path)).length;
        });
      });
      expect(gets(server).slice().sort()).to.deep.equal([
        ...[
          'bob@contoso.com',
          'bob@contoso.com/location',
          'bob@contoso.com/note',
          'bob@contoso.com/presence',
        ],
        'bob@contoso.com/supportedMedia',
        ...['sara@contoso.com', 'sara@contoso.com/location', 'sara@contoso.com/note'],
        ...['sara@contoso.com/presence', 'sara@contoso.com/supportedMedia'],
      ]);
      // One alone, then simultaneous ones; then all that they link to.
      expect(travelled).to.equal(3);
    });

    it('requests the presence alone without details', () => {
      const { ucwa, server } = connected({ latencyMs: 10 });
      inVirtualTime(() => {
        server.setPresence(SARA, { note: 'Back soon' });
        const watched = watch(ucwa, [SARA, BOB], PRESENCE_ONLY);
        timer(100).subscribe(() => server.setPresence(SARA, { note: 'Gone', location: 'Building 7' }));
        timer(20_000).subscribe(() => {
          watched.leave();
          expect(watched.lines).to.deep.equal(['sara Offline', 'bob Offline']);
        });
      });
      expect(gets(server)).to.deep.equal(['sara@contoso.com/presence', 'bob@contoso.com/presence']);
    });

    it('emits each change only', () => {
      const { ucwa, server } = connected();
      const watched = watch(ucwa, [SARA], { details: ['note'] });
      server.setPresence(SARA, { availability: 'Busy', lastActive: new Date(7) });
      server.setPresence(SARA, { availability: 'Busy', lastActive: new Date(7) });
      server.setPresence(SARA, { note: 'Back soon' });
      server.setPresence(SARA, { note: '' });
      server.setPresence(SARA, { availability: 'Juggling' });
      server.setPresence(BOB, { availability: 'Busy' });
      watched.leave();
      expect(watched.lines).to.deep.equal([
        ...['sara Offline', 'sara Busy', 'sara Busy "Back soon"', 'sara Busy', 'sara Juggling'],
      ]);
    });

    it('uses embedded resources without a request', () => {
      const { ucwa, server } = connected({ contactEvents: 'embedded' });
      const watched = watch(ucwa, [SARA], PRESENCE_ONLY);
      server.setPresence(SARA, { availability: 'Busy' });
      watched.leave();
      expect(watched.lines).to.deep.equal(['sara Offline', 'sara Busy']);
      expect(gets(server)).to.deep.equal([]);
    });

    it('requests an embedded resource that is incomplete', () => {
      const { ucwa, server } = connected();
      const watched = watch(ucwa, [SARA], PRESENCE_ONLY);
      const href = `${server.applications[0]?.href}/people/sara@contoso.com`;
      server.emit({
        ...{ type: 'updated', in: { rel: 'contact', href } },
        link: { rel: 'contactPresence', href: `${href}/presence` },
        _embedded: { contactPresence: { rel: 'contactPresence' } },
      });
      watched.leave();
      expect(gets(server)).to.have.length(2);
      expect(watched.lines).to.deep.equal(['sara Offline']);
    });

    it('reads the links and state in an embedded contact', () => {
      const { ucwa, server } = connected();
      const watched = watch(ucwa, [SARA], { details: ['note'] });
      const href = `${server.applications[0]?.href}/people/sara@contoso.com`;
      const before = gets(server).length;
      server.reset('resume');
      const mark = gets(server).length;
      expect(mark).to.be.greaterThan(before);
      const contact = {
        rel: 'contact',
        _links: { self: { href }, contactPresence: { href: `${href}/presence` } },
        _embedded: { contactNote: { rel: 'contactNote', message: 'Along' } },
      };
      server.emit({ type: 'updated', link: { rel: 'contact', href }, _embedded: { contact } });
      watched.leave();
      expect(gets(server)).to.have.length(mark);
    });

    it('identifies contacts whose hrefs contain no address', () => {
      const { ucwa, server } = connected({ contactHrefs: 'opaque', latencyMs: 10 });
      inVirtualTime(() => {
        const watched = watch(ucwa, [SARA, BOB], { details: ['note'] });
        timer(100).subscribe(() => server.setPresence(BOB, { availability: 'Busy', note: 'Lunch' }));
        timer(200).subscribe(() => {
          watched.leave();
          expect(watched.lines.slice(0, 2)).to.deep.equal(['sara Offline', 'bob Offline']);
          expect(watched.lines.at(-1)).to.equal('bob Busy "Lunch"');
        });
      });
    });

    for (const contactHrefs of ['address', 'opaque'] as const) {
      it(`looks up contacts without events after the delay of events: ${contactHrefs}`, () => {
        const { server, ucwa, lookUps } = deaf({ latencyMs: 10, contactHrefs });
        const uris = new BehaviorSubject<readonly string[]>([SARA]);
        inVirtualTime(() => {
          server.setPresence(SARA, { note: 'Back soon' });
          const watched = watch(ucwa, uris, { details: ['note'] });
          timer(6999).subscribe(() => expect(lookUps()).to.equal(0));
          timer(8000).subscribe(() => {
            expect(watched.lines.at(-1)).to.equal('sara Offline "Back soon"');
            uris.next([SARA, BOB]);
          });
          timer(30_000).subscribe(() => {
            watched.leave();
            expect(watched.lines.at(-1)).to.equal('bob Offline');
            expect(lookUps()).to.equal(2);
          });
        });
      });
    }

    it('reports a failed look-up of contacts without events', () => {
      const { server, ucwa, lookUps } = deaf({ latencyMs: 10 });
      inVirtualTime(() => {
        server.failNext(1, { status: 500 }, ({ url }) => url.includes('Memberships'));
        server.failNext(1, { status: 403 }, isGet('sara@contoso.com'));
        const watched = watch(ucwa, [SARA], PRESENCE_ONLY);
        timer(60_000).subscribe(() => {
          expect(watched.states.map(({ failure }) => (failure?.error as HttpError).status)).to.deep.equal([
            500, 403,
          ]);
          watched.leave();
        });
      });
      expect(lookUps()).to.equal(2);
    });

    it('looks up contacts again that were added late', () => {
      const { server, ucwa, lookUps } = deaf({ latencyMs: 10 });
      const uris = new BehaviorSubject<readonly string[]>([SARA]);
      const isAddition = ({ method, url }: HttpRequest): boolean =>
        method === 'POST' && url.includes('Memberships');
      inVirtualTime(() => {
        const watched = watch(ucwa, uris, PRESENCE_ONLY);
        timer(10_000).subscribe(() => {
          server.failNext(20, { status: 503 }, isAddition);
          uris.next([SARA, BOB]);
        });
        timer(600_000).subscribe(() => {
          expect(watched.lines).to.deep.equal(['sara Offline', 'bob Offline']);
          watched.leave();
        });
      });
      expect(lookUps()).to.be.greaterThan(2);
    });
  });

  describe('after failures', () => {
    it('reports it for the one contact until the next success', () => {
      const { ucwa, server } = connected();
      server.failNext(1, { status: 403 }, isGet('presence', 'sara'));
      const watched = watch(ucwa, [SARA, BOB], PRESENCE_ONLY);
      expect(watched.lines).to.deep.equal(['sara ? (no contactPresence)', 'bob Offline']);
      const failure = watched.states[0]?.failure;
      expect(failure?.error).to.be.instanceOf(HttpError);
      server.setPresence(SARA, { availability: 'Busy' });
      server.failNext(1, { status: 403 }, isGet('presence', 'sara'));
      server.setPresence(SARA, { availability: 'Away' });
      server.setPresence(SARA, { availability: 'Away' });
      watched.leave();
      expect(watched.lines.slice(2)).to.deep.equal([
        ...['sara Busy', 'sara Busy (no contactPresence)', 'sara Away'],
      ]);
    });

    it('retries transient failures only', () => {
      const { ucwa, server } = connected({ latencyMs: 10 });
      inVirtualTime(() => {
        server.failNext(2, { status: 500 }, isGet('presence', 'sara'));
        server.failNext(1, { status: 403 }, isGet('presence', 'bob'));
        const watched = watch(ucwa, [SARA, BOB], PRESENCE_ONLY);
        timer(60_000).subscribe(() => {
          watched.leave();
          expect(watched.lines).to.deep.equal([
            ...['sara ? (no contactPresence)', 'bob ? (no contactPresence)', 'sara Offline'],
          ]);
        });
      });
      expect(gets(server).filter((path) => path.startsWith('bob'))).to.have.length(1);
    });

    it('does not report failures that retries of the connection cured', () => {
      const { ucwa, server } = connected({ latencyMs: 10 });
      inVirtualTime(() => {
        server.failNext(3, { status: 503 }, isPresence);
        const watched = watch(ucwa, [SARA], PRESENCE_ONLY);
        timer(60_000).subscribe(() => {
          watched.leave();
          expect(watched.lines).to.deep.equal(['sara Offline']);
        });
      });
    });

    it('reports an outage of twenty minutes and recovers', () => {
      const { ucwa, server } = connected({ latencyMs: 10 });
      inVirtualTime(() => {
        const watched = watch(ucwa, [SARA], PRESENCE_ONLY);
        timer(1000).subscribe(() => {
          server.failNext(40, 'reset', isPresence);
          server.setPresence(SARA, { availability: 'Busy' });
        });
        timer(3_600_000).subscribe(() => {
          watched.leave();
          expect(watched.lines).to.deep.equal([
            'sara Offline',
            'sara Offline (no contactPresence)',
            'sara Busy',
          ]);
          expect(watched.states[1]?.failure?.error).to.be.instanceOf(NetworkError);
        });
      });
    });

    it('reports a failed contact besides its presence', () => {
      const { ucwa, server } = connected({ latencyMs: 10 });
      inVirtualTime(() => {
        server.failNext(1, { status: 403 }, isGet('sara@contoso.com'));
        const watched = watch(ucwa, [SARA], { details: ['note'] });
        timer(100).subscribe(() => server.reset('resume'));
        timer(1000).subscribe(() => {
          watched.leave();
          expect(watched.lines[0]).to.contain('(no contact)');
          expect(watched.lines.slice(-2)).to.deep.equal(['sara Offline (no contact)', 'sara Offline']);
        });
      });
    });

    it('emits no note after 404', () => {
      const { ucwa, server } = connected();
      server.setPresence(SARA, { note: 'Back soon' });
      const watched = watch(ucwa, [SARA], { details: ['note'] });
      server.failNext(1, { status: 404 }, isGet('note'));
      server.setPresence(SARA, { note: 'Gone' });
      watched.leave();
      expect(watched.lines).to.deep.equal(['sara Offline', 'sara Offline "Back soon"', 'sara Offline']);
    });

    it('does not follow a link to another server', () => {
      const { ucwa, server } = connected();
      const watched = watch(ucwa, [SARA], PRESENCE_ONLY);
      server.emit({
        type: 'updated',
        link: { rel: 'contactPresence', href: 'https://elsewhere.example/people/sara@contoso.com/presence' },
      });
      watched.leave();
      expect(watched.states.at(-1)?.failure?.error).to.be.instanceOf(OriginError);
      expect(server.requests.some(({ path }) => path.includes('elsewhere'))).to.equal(false);
    });

    it('does not end with an observer that throws', async () => {
      const { ucwa, server } = connected();
      const uncaught = expectUncaught();
      const seen: string[] = [];
      contactPresence(ucwa, [SARA], PRESENCE_ONLY).subscribe((state) => {
        seen.push(inShort(state));
        if (seen.length === 1) throw new Error('of the observer');
      });
      server.setPresence(SARA, { availability: 'Busy' });
      expect(await uncaught).to.be.instanceOf(Error);
      expect(seen).to.deep.equal(['sara Offline', 'sara Busy']);
      await ucwa.close();
    });
  });

  describe('with slow responses', () => {
    it('requests a changed part once more and never emits an older state', () => {
      const { ucwa, server } = connected({ latencyMs: 10 });
      inVirtualTime(() => {
        const watched = watch(ucwa, [SARA], PRESENCE_ONLY);
        timer(1000).subscribe(() => {
          server.failNext(1, { delayMs: 5000 }, isPresence);
          server.setPresence(SARA, { availability: 'Busy' });
        });
        timer(2000).subscribe(() => server.setPresence(SARA, { availability: 'Away' }));
        timer(3000).subscribe(() => server.setPresence(SARA, { availability: 'Online' }));
        timer(10_000).subscribe(() => {
          watched.leave();
          expect(watched.lines).to.deep.equal(['sara Offline', 'sara Busy', 'sara Online']);
        });
      });
      expect(gets(server)).to.have.length(3);
    });

    it('cancels a request when an event carries a newer state', () => {
      const { ucwa, server } = connected({ latencyMs: 10 });
      inVirtualTime(() => {
        const watched = watch(ucwa, [SARA], PRESENCE_ONLY);
        timer(1000).subscribe(() => {
          server.failNext(1, { delayMs: 5000 }, isPresence);
          server.setPresence(SARA, { availability: 'Busy' });
        });
        timer(2000).subscribe(() => {
          const href = `${server.applications[0]?.href}/people/sara@contoso.com/presence`;
          server.emit({
            ...{ type: 'updated', link: { rel: 'contactPresence', href } },
            _embedded: { contactPresence: { rel: 'contactPresence', availability: 'Away' } },
          });
        });
        timer(10_000).subscribe(() => {
          watched.leave();
          expect(watched.lines).to.deep.equal(['sara Offline', 'sara Away']);
        });
      });
    });
  });

  describe('after a gap', () => {
    for (const kind of ['resync', 'resume'] as const) {
      it(`requests everything again and emits differences: ${kind}`, () => {
        const { ucwa, server } = connected({ latencyMs: 10 });
        inVirtualTime(() => {
          server.setPresence(SARA, { note: 'Back soon' });
          const watched = watch(ucwa, [SARA, BOB]);
          timer(1000).subscribe(() => server.reset(kind));
          timer(20_000).subscribe(() => {
            expect(watched.lines).to.have.length(3);
            server.setPresence(BOB, { availability: 'Busy' });
          });
          timer(21_000).subscribe(() => {
            watched.leave();
            expect(watched.lines.slice(3)).to.deep.equal(['bob Busy']);
          });
        });
        expect(gets(server).filter((path) => path.endsWith('sara@contoso.com/note'))).to.have.length(2);
      });
    }

    for (const [what, act] of [
      ['the application is lost', (server: UcwaSimulator) => server.endApplications()],
      ['the subscription is ended', (server: UcwaSimulator) => server.expire()],
      ['the server is started again', (server: UcwaSimulator) => server.restart()],
    ] as const) {
      it(`finds changes in between if ${what}`, () => {
        const { ucwa, server } = connected({ latencyMs: 10 });
        inVirtualTime(() => {
          const watched = watch(ucwa, [SARA, BOB]);
          timer(1000).subscribe(() => {
            act(server);
            server.setPresence(BOB, { availability: 'Busy' });
          });
          timer(60_000).subscribe(() => {
            watched.leave();
            expect(watched.lines).to.deep.equal(['sara Offline', 'bob Offline', 'bob Busy']);
          });
        });
        expect(server.presenceSubscriptions).to.deep.equal([]);
      });
    }
  });

  describe('of contacts that change', () => {
    it('emits new contacts and nothing about those that left', () => {
      const { ucwa, server } = connected({ latencyMs: 10 });
      const uris = new BehaviorSubject<readonly string[]>([SARA]);
      inVirtualTime(() => {
        const watched = watch(ucwa, uris, PRESENCE_ONLY);
        timer(1000).subscribe(() => uris.next([SARA, BOB]));
        timer(2000).subscribe(() => uris.next([BOB]));
        timer(3000).subscribe(() => {
          server.setPresence(SARA, { availability: 'Busy' });
          server.setPresence(BOB, { availability: 'Busy' });
        });
        timer(4000).subscribe(() => uris.next([BOB, SARA]));
        timer(5000).subscribe(() => {
          watched.leave();
          expect(watched.lines).to.deep.equal(['sara Offline', 'bob Offline', 'bob Busy', 'sara Busy']);
        });
      });
    });

    it('cancels the requests of contacts that leave', () => {
      const { ucwa, server } = connected({ latencyMs: 10 });
      const uris = new BehaviorSubject<readonly string[]>([SARA, BOB]);
      inVirtualTime(() => {
        server.failNext(1, { delayMs: 5000 }, isGet('presence', 'sara'));
        const watched = watch(ucwa, uris, PRESENCE_ONLY);
        timer(1000).subscribe(() => uris.next([BOB]));
        timer(10_000).subscribe(() => {
          watched.leave();
          expect(watched.lines).to.deep.equal(['bob Offline']);
        });
      });
    });

    it('emits the state under a new spelling of the URI', () => {
      const { ucwa } = connected();
      const uris = new BehaviorSubject<readonly string[]>([SARA]);
      const watched = watch(ucwa, uris, PRESENCE_ONLY);
      uris.next(['sip:Sara@contoso.com']);
      uris.next(['sip:Sara@contoso.com']);
      watched.leave();
      expect(watched.states.map(({ uri }) => uri)).to.deep.equal([SARA, 'sip:Sara@contoso.com']);
    });

    it('sends nothing for an empty list, and completes with it', () => {
      const { ucwa, sent } = connected();
      const uris = new Subject<readonly string[]>();
      const watched = watch(ucwa, uris);
      uris.next([]);
      expect(sent()).to.deep.equal([]);
      uris.complete();
      expect(watched.isComplete).to.equal(true);
    });
  });

  it('completes for an empty list as for an Observable of one', () => {
    const { ucwa, sent } = connected();
    expect(watch(ucwa, [])).to.include({ isComplete: true, error: undefined });
    expect(watch(ucwa, of([]))).to.include({ isComplete: true, error: undefined });
    expect(sent()).to.deep.equal([]);
  });

  describe('when it ends', () => {
    it('cancels its requests and removes the subscription', () => {
      const { ucwa, server, outcomeLines } = connected({ latencyMs: 10 });
      let asked = 0;
      inVirtualTime(() => {
        server.failNext(9, { delayMs: 5000 }, isPresence);
        server.failNext(9, { status: 500 }, isGet('note'));
        const watched = watch(ucwa, [SARA, BOB]);
        timer(60).subscribe(() => {
          asked = gets(server).length;
          watched.leave();
          server.setPresence(SARA, { availability: 'Busy' });
        });
        timer(61).subscribe(() => expect(watched.lines).to.deep.equal([]));
        timer(60_000).subscribe(() => expect(watched.lines).to.deep.equal([]));
      });
      expect(gets(server)).to.have.length(asked);
      expect(server.presenceSubscriptions).to.deep.equal([]);
      expect(server.applications).to.deep.equal([]);
      expect(outcomeLines()[0]).to.contain('presenceSubscription Released');
    });

    it('shares one subscription and replays states with graceSeconds', () => {
      const { ucwa, server } = connected({ latencyMs: 10 });
      inVirtualTime(() => {
        const states$ = contactPresence(ucwa, [SARA, BOB], { details: [], graceSeconds: 5 });
        const seen: string[][] = [[], []];
        const one = states$.subscribe((state) => seen[0]?.push(inShort(state)));
        timer(1000).subscribe(() => one.unsubscribe());
        timer(2000).subscribe(() => {
          states$.subscribe((state) => seen[1]?.push(inShort(state))).add(one);
          expect(seen[1]).to.deep.equal(seen[0]);
        });
        timer(3000).subscribe(() => {
          server.setPresence(BOB, { availability: 'Busy' });
        });
        timer(4000).subscribe(() => {
          expect(seen).to.deep.equal([
            ['sara Offline', 'bob Offline'],
            ['sara Offline', 'bob Offline', 'bob Busy'],
          ]);
          expect(server.presenceSubscriptions).to.have.length(1);
          void ucwa.close();
        });
      });
      expect(server.presenceSubscriptions).to.deep.equal([]);
    });

    it('ends with the connection, and as onLost says', async () => {
      const { ucwa, server } = connected();
      const erring = watch(ucwa, [SARA], { onLost: 'error' });
      const completing = watch(ucwa, [SARA], { onLost: 'complete' });
      const staying = watch(ucwa, [SARA]);
      server.expire();
      expect(erring.error).to.be.instanceOf(EndedError);
      expect(completing.isComplete).to.equal(true);
      expect(staying.isComplete).to.equal(false);
      await ucwa.close();
      expect(staying.isComplete).to.equal(true);
      expect(watch(ucwa, [SARA]).error).to.be.instanceOf(ClosedError);
    });
  });

  describe('with invalid arguments', () => {
    it('throws a TypeError before any request', () => {
      const { ucwa, sent } = connected();
      const bad = (uris: unknown, options?: unknown) => () =>
        contactPresence(ucwa, uris as readonly string[], options as ContactPresenceOptions);
      expect(bad('sara')).to.throw(TypeError, 'uris must be a list of sip: URIs');
      expect(bad(['sara'])).to.throw(TypeError, 'uris[0]');
      expect(bad([SARA], { durationMinutes: 9 })).to.throw(TypeError, 'durationMinutes');
      expect(bad([SARA], { details: 'note' })).to.throw(TypeError, 'details must be a list');
      expect(bad([SARA], { details: ['note', 'photo'] })).to.throw(TypeError, 'details[1] must be one of');
      expect(bad([SARA], null)).to.throw(TypeError, 'options must be an object');
      expect(() => contactPresence({} as Ucwa, [SARA])).to.throw(TypeError, 'ucwa must be');
      expect(sent()).to.deep.equal([]);
    });
  });
});
