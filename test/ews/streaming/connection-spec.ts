import { bearer } from '../../../lib/core/auth/auth.ts';
import { expect } from 'chai';
import { concat, map, mergeMap, NEVER, of, Subject, Subscription, timer } from 'rxjs';
import { DecodeError, HttpError, NetworkError } from '../../../lib/core/errors.ts';
import { headersFrom, type Transport } from '../../../lib/core/transport/transport.ts';
import { getStreamingEventsEnvelope } from '../../../lib/ews/protocol/envelope.ts';
import { EwsError, SoapFault } from '../../../lib/ews/protocol/errors.ts';
import type { EwsEvent } from '../../../lib/ews/protocol/events.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import type { EwsDialect } from '../../../lib/testing/ews/dialect.ts';
import { summarize } from '../../../lib/testing/ews/requests/readRequest.ts';
import { at, inVirtualTime } from '../../support/virtualTime.ts';
import { answer } from '../answers.ts';
import { expectMaxConnections } from '../maxConnections.ts';
import { outcomesOf } from '../pull/pulling.ts';
import { closed, message, status, streamed } from './streams.ts';
import { connectionsOf, gapsOf, newsOf, streaming, type Streaming } from './streaming.ts';

const dialects: readonly EwsDialect[] = ['exchange', 'grommunio'];

/** Watches new mail with this many subscriptions. */
function many({ stream, watch }: Streaming, count: number, untilSeconds: number): void {
  for (let each = 0; each < count; each += 1) watch(stream({ events: ['newMail'] }), untilSeconds);
}

const POST = { method: 'POST', url: 'https://exchange.example/EWS/Exchange.asmx' };

/** Streams whose messages a spec writes. */
interface ScriptedStreams {
  /** The requested streams, in order. */
  readonly bodies: readonly Subject<string>[];
  /** Adds a subscription; the events of the first one, S1, are recorded. */
  readonly watch: (seen?: (type: string) => void) => void;
  /** Sends an event for S1 on a stream. */
  readonly bring: (which: number, element: string) => void;
}

/** Runs a spec with its own streams for 30 seconds of virtual time. */
function scriptedStreams(script: (hands: ScriptedStreams) => void): {
  seen: readonly string[];
  requests: () => number;
} {
  const bodies: Subject<string>[] = [];
  const seen: string[] = [];
  let made = 0;
  const transport: Transport = ({ url, body = '' }) => {
    const { operation = '' } = summarize(body);
    if (operation === 'Subscribe') made += 1;
    const text = answer(
      operation,
      `<m:ResponseCode>NoError</m:ResponseCode><m:SubscriptionId>S${made}</m:SubscriptionId>`,
    );
    const live$ = new Subject<string>();
    const isStream = operation === 'GetStreamingEvents';
    if (isStream) bodies.push(live$);
    const text$ = isStream ? live$ : of(text);
    const body$ = text$.pipe(map((part) => new TextEncoder().encode(part)));
    return of({ status: 200, url, headers: headersFrom({ 'content-type': 'text/xml' }), body$ });
  };
  inVirtualTime(() => {
    const exchange = connectExchange({ server: POST.url, transport });
    const stream$ = streamingNotifications(exchange, { folders: ['inbox'], events: ['newMail', 'created'] });
    const watching = new Subscription();
    const watch = (also: (type: string) => void = () => undefined): void => {
      const isFirst = made === 0;
      const next = ({ type }: EwsEvent): void => {
        if (isFirst) seen.push(type);
        also(type);
      };
      watching.add(stream$.subscribe(next));
    };
    script({
      bodies,
      watch,
      bring: (which, element) => bodies[which]!.next(message(streamed('S1', element) + status('OK'))),
    });
    at(30, () => watching.unsubscribe());
  });
  return { seen, requests: () => bodies.length };
}

describe('A shared connection', () => {
  it('sends one request for 200 subscriptions that join together', () => {
    const run = streaming((one) => many(one, 200, 5));
    expect(connectionsOf(run)).to.deep.equal(['0.1 ×200']);
    expect(run.left()).to.deep.equal([]);
  });

  it('sends few requests for 200 subscriptions that join one by one', () => {
    const run = streaming(({ stream, watch, at }) => {
      for (let each = 0; each < 200; each += 1) at(each / 512, () => watch(stream(), 5 - each / 512));
    });
    expect(connectionsOf(run)).to.have.length(4);
    expect(connectionsOf(run).at(-1)).to.match(/×200$/);
  });

  for (const dialect of dialects) {
    it(`sends few requests while 100 of 200 leave, with ${dialect}`, () => {
      const mails: string[] = [];
      const run = streaming(
        ({ stream, watch, at, server }) => {
          for (let each = 0; each < 200; each += 1) {
            watch(stream({ events: ['newMail'] }), each % 2 === 0 ? 10 + each / 512 : 20);
          }
          for (let index = 0; index < 30; index += 1)
            at(9.9 + index / 32, () => mails.push(server.deliverMail()));
          at(19, () => expect(server.streams[0]!.subscriptionIds).to.have.length(100));
        },
        { dialect, latencyMs: 20 },
      );
      // Four for the joins, and four for the leaves.
      expect(connectionsOf(run)).to.have.length(8);
      const seen = new Map<string, string[]>();
      for (const event of run.events) {
        if (event.type !== 'newMail') continue;
        seen.set(event.subscriptionId, [...(seen.get(event.subscriptionId) ?? []), event.item!.id]);
      }
      expect([...seen.values()].filter((items) => items.length === mails.length)).to.have.length(100);
      for (const items of seen.values()) expect(items).to.deep.equal(mails.slice(0, items.length));
      expect(gapsOf(run)).to.deep.equal([]);
      expect(run.left()).to.deep.equal([]);
    });
  }

  it('opens again within 0.1 s each time its own Unsubscribe ends it', () => {
    const mails: string[] = [];
    const run = streaming(
      ({ stream, watch, at, server }) => {
        watch(stream({ events: ['newMail'] }), 60);
        for (let second = 5; second < 25; second += 1) watch(stream({ events: ['created'] }), second);
        for (let second = 5; second < 30; second += 1)
          at(second + 0.5, () => mails.push(server.deliverMail()));
      },
      { dialect: 'grommunio' },
    );
    const opened = connectionsOf(run).map((line) => Number(line.split(' ')[0]));
    expect(opened).to.deep.equal([0.1, ...Array.from({ length: 20 }, (_, leaver) => 5.1 + leaver)]);
    const seen = run.events.flatMap((event) => (event.type === 'newMail' ? [event.item!.id] : []));
    expect(seen).to.deep.equal(mails);
    expect(newsOf(run)).to.include('24.5 newMail');
    expect(gapsOf(run)).to.deep.equal([]);
  });

  it('has up to 200 subscriptions', () => {
    const run = streaming((one) => {
      many(one, 450, 5);
      one.at(4, () => one.server.deliverMail());
    });
    expect(connectionsOf(run)).to.deep.equal(['0.1 ×200', '0.1 ×200', '0.1 ×50']);
    expect(newsOf(run)).to.have.length(450);
  });

  it('opens the new request before it closes the old one', () => {
    const run = streaming(
      ({ stream, watch, at, server }) => {
        watch(stream({ events: ['newMail'] }), 20);
        at(5, () => watch(stream({ events: ['created'] }), 15));
        for (let index = 0; index < 40; index += 1) at(5 + index / 16, () => server.deliverMail());
      },
      { latencyMs: 400 },
    );
    expect(connectionsOf(run)).to.deep.equal(['0.5 ×1', '5.5 ×2']);
    expect(newsOf(run).filter((line) => line.includes('newMail'))).to.have.length(40);
    expect(gapsOf(run)).to.deep.equal([]);
  });

  it('never has more than one request open if one is allowed', () => {
    expectMaxConnections(1);
  }).timeout(60_000);

  it('emits a gap if the only allowed request has to be replaced', () => {
    const run = streaming(
      ({ stream, watch, at }) => {
        watch(stream(), 20);
        at(5, () => watch(stream(), 15));
      },
      {},
      { streaming: { maxConnections: 1 } },
    );
    expect(connectionsOf(run)).to.deep.equal(['0.1 ×1', '5.1 ×2']);
    expect(newsOf(run)).to.deep.equal(['5.1 gap']);
    expect(gapsOf(run)[0]).to.deep.include({ reason: 'connectionLost', since: new Date(0) });
  });

  it('joins another connection with room when it ends', () => {
    const run = streaming(({ stream, watch, at, server }) => {
      for (let each = 0; each < 250; each += 1)
        watch(stream({ events: ['newMail'] }), each % 10 === 0 ? 50 : 10);
      at(20, () => expect(server.streams).to.have.length(2));
      at(20, () => server.closeStreams());
      at(21, () => expect(server.streams).to.have.length(1));
      at(22, () => server.deliverMail());
    });
    expect(newsOf(run)).to.have.length(25);
    expect(gapsOf(run)).to.deep.equal([]);
  });

  it('emits a gap to all members when it breaks', () => {
    const run = streaming(({ stream, watch, at, server }) => {
      for (let each = 0; each < 250; each += 1)
        watch(stream({ events: ['newMail'] }), each % 10 === 0 ? 50 : 10);
      at(20, () => server.closeStreams('reset'));
      at(40, () => expect(server.streams).to.have.length(1));
      at(40, () => server.deliverMail());
    });
    expect(gapsOf(run).map(({ reason }) => reason)).to.deep.equal(Array(25).fill('connectionLost'));
    expect(newsOf(run)).to.have.length(50);
  });

  it('emits a gap if the old request breaks before the handover', () => {
    const run = streaming(
      ({ stream, watch, at, server }) => {
        watch(stream({ events: ['newMail'] }), 60);
        at(5, () => watch(stream({ events: ['created'] }), 55));
        // This mail is sent on the old request while the new one is under way.
        at(7.5, () => server.deliverMail());
        at(8, () => server.closeStreams('reset'));
        at(30, () => server.deliverMail());
      },
      { latencyMs: 2000 },
    );
    expect(connectionsOf(run)).to.deep.equal(['2.1 ×1', '7.1 ×2']);
    expect(newsOf(run).filter((line) => !line.endsWith('created'))).to.deep.equal(['10.1 gap', '31 newMail']);
    expect(gapsOf(run)[0]).to.include({ reason: 'connectionLost' });
  });

  it('keeps the order, without a gap, if a buffered event causes another', () => {
    const { seen, requests } = scriptedStreams(({ watch, bring, bodies }) => {
      watch((type) => {
        if (type === 'newMail') bring(1, 'CreatedEvent');
      });
      at(1, () => bring(0, 'StatusEvent'));
      at(5, () => watch());
      at(6, () => bring(1, 'NewMailEvent'));
      at(6.5, () => bodies[0]!.complete());
      at(20, () => bring(1, 'CreatedEvent'));
    });
    expect(requests()).to.equal(2);
    expect(seen).to.deep.equal(['status', 'newMail', 'created', 'created']);
  });

  it('emits the gap after the old events if the new request breaks', () => {
    const { seen, requests } = scriptedStreams(({ watch, bring, bodies }) => {
      watch();
      at(1, () => bring(0, 'StatusEvent'));
      at(5, () => watch());
      at(6, () => bodies[1]!.error(new NetworkError('it broke', POST)));
      // Sent before the server received the new request.
      at(6.1, () => bring(0, 'CreatedEvent'));
      at(9, () => bodies[0]!.next(closed('ErrorNewEventStreamConnectionOpened')));
      at(20, () => bring(2, 'NewMailEvent'));
    });
    expect(requests()).to.equal(3);
    expect(seen).to.deep.equal(['status', 'created', 'gap', 'newMail']);
  });

  it('does not delay other requests', () => {
    const run = streaming(({ stream, pull, watch }) => {
      watch(stream(), 20);
      watch(pull({ pollIntervalSeconds: 5 }), 20);
    });
    expect(run.sent().filter((line) => line.endsWith(' GetEvents'))).to.have.length(4);
  });
});

describe('A connection that ends', () => {
  for (const dialect of dialects) {
    for (const how of ['closed', 'end', 'linger'] as const) {
      it(`opens again without a gap after "${how}", with ${dialect}`, () => {
        const run = streaming(
          ({ stream, watch, at, server }) => {
            watch(stream({ events: ['newMail'] }), 100);
            at(19, () => server.deliverMail());
            at(20, () => server.closeStreams(how));
            at(20, () => server.deliverMail());
            at(23, () => server.deliverMail());
          },
          { dialect },
        );
        expect(connectionsOf(run)).to.deep.equal(['0.1 ×1', how === 'linger' ? '22 ×1' : '20 ×1']);
        expect(run.events.filter(({ type }) => type === 'newMail')).to.have.length(3);
        expect(gapsOf(run)).to.deep.equal([]);
      });
    }

    it(`opens again with a gap if it broke, with ${dialect}`, () => {
      const run = streaming(
        ({ stream, watch, at, server }) => {
          watch(stream({ events: ['newMail'] }), 100);
          at(19, () => server.deliverMail());
          at(20, () => server.closeStreams('reset'));
          at(21, () => server.deliverMail());
        },
        { dialect },
      );
      expect(newsOf(run)).to.deep.equal(['19 newMail', '20 gap', '21 newMail']);
      expect(gapsOf(run)[0]).to.deep.include({ reason: 'connectionLost', since: new Date(9000) });
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it(`breaks after 90 seconds of silence, with a gap, with ${dialect}`, () => {
      const run = streaming(
        ({ stream, watch, at, server }) => {
          watch(stream({ events: ['newMail'] }), 300);
          at(19, () => server.deliverMail());
          at(20, () => server.stallStreams());
          at(50, () => server.deliverMail());
          at(120, () => server.deliverMail());
        },
        { dialect },
      );
      expect(connectionsOf(run)).to.deep.equal(['0.1 ×1', '109 ×1']);
      expect(newsOf(run)).to.deep.equal(['19 newMail', '109 gap', '120 newMail']);
      expect(gapsOf(run)[0]).to.deep.include({ reason: 'connectionLost', since: new Date(9000) });
    });

    it(`re-creates each subscription after a restart, with ${dialect}`, () => {
      const run = streaming(
        ({ stream, watch, at, server }) => {
          watch(stream({ events: ['newMail'] }), 100);
          watch(stream({ events: ['created'] }), 100);
          watch(stream({ folders: ['notes'], events: ['created'] }), 100);
          at(20, () => server.restart());
          at(30, () => server.deliverMail());
        },
        { dialect },
      );
      expect(newsOf(run)).to.deep.equal(
        [...Array<string>(3).fill('20.1 gap'), '30 newMail', '30 created'].map((line) =>
          line.replace('20.1', gapAt(run.seen)),
        ),
      );
      expect(gapsOf(run).map(({ reason }) => reason)).to.deep.equal(Array(3).fill('subscriptionLost'));
      expect(outcomesOf(run).sort()).to.deep.equal([
        ...Array<string>(3).fill('EndedByServer'),
        ...Array<string>(3).fill('Released'),
      ]);
      expect(run.left()).to.deep.equal([]);
    });

    it(`re-creates only the lost subscription, with ${dialect}`, () => {
      const run = streaming(
        ({ stream, watch, at, server }) => {
          watch(stream({ events: ['newMail'] }), 100);
          watch(stream({ events: ['created'] }), 100);
          watch(stream({ folders: ['notes'], events: ['created'] }), 100);
          at(10, () => {
            const [, gone] = server.subscriptions;
            server.expire(gone!.id);
          });
          at(20, () => server.closeStreams());
          at(30, () => server.deliverMail());
          at(31, () => server.createItem('notes'));
        },
        { dialect },
      );
      expect(gapsOf(run).map(({ reason }) => reason)).to.deep.equal(['subscriptionLost']);
      expect(newsOf(run).slice(1)).to.deep.equal(['30 newMail', '30 created', '31 created']);
      expect(run.sent().filter((line) => line.endsWith(' Subscribe'))).to.have.length(4);
      expect(run.left()).to.deep.equal([]);
    });

    it(`emits an unreadable envelope as a gap between the others, with ${dialect}`, () => {
      const run = streaming(
        ({ stream, watch, at, server }) => {
          watch(stream({ events: ['newMail'] }), 40);
          watch(stream({ folders: ['notes'], events: ['created'] }), 40);
          at(10, () => server.deliverMail());
          at(11, () => {
            server.corruptNextEnvelope();
            server.deliverMail();
          });
          at(12, () => server.deliverMail());
        },
        { dialect },
      );
      expect(newsOf(run)).to.deep.equal(['10 newMail', '12 gap', '12 gap', '12 newMail']);
      expect(gapsOf(run)[0]).to.include({ reason: 'unreadable' });
      expect(connectionsOf(run), 'it may have said more').to.deep.equal(['0.1 ×2', '12.1 ×2']);
    });
  }

  for (const dialect of dialects) {
    it(`emits no events of others if the server reuses ids, with ${dialect}`, () => {
      const run = streaming(
        ({ stream, watch, at, server }) => {
          watch(stream({ events: ['newMail'] }), 200);
          at(10, () => server.stallStreams());
          at(11, () => server.restart());
          at(20, () => watch(stream({ folders: ['notes'], events: ['created'] }), 200));
          at(30, () => server.createItem('notes'));
          at(150, () => server.deliverMail());
          at(151, () => server.createItem('notes'));
        },
        { dialect },
      );
      const [, second] = run.server.requests.filter(({ operation }) => operation === 'Subscribe');
      expect(second!.time).to.equal(20_000);
      const recorded = gapAt(run.seen);
      // If the id reveals the restart, the gap is emitted at once.
      if (dialect === 'grommunio') expect(recorded).to.equal('20');
      expect(newsOf(run).filter((line) => !line.endsWith(' gap'))).to.deep.equal([
        '30 created',
        '150 newMail',
        '151 created',
      ]);
      expect(gapsOf(run).map(({ reason }) => reason)).to.deep.equal(
        // The last events on the old request may have belonged to the new subscription.
        dialect === 'grommunio' ? ['responseLost', 'subscriptionLost'] : ['subscriptionLost'],
      );
      expect(outcomesOf(run)).to.have.members(['EndedByServer', 'Released', 'Released']);
      expect(run.left()).to.deep.equal([]);
    });
  }

  it('does not wait for a response that stays open after Closed', () => {
    const run = streaming(
      ({ stream, watch, at, server }) => {
        watch(stream(), 100);
        at(10, () => server.expire());
        at(20, () => server.closeStreams());
      },
      { dialect: 'grommunio' },
    );
    expect(run.sent().slice(2)).to.deep.equal([
      '20 GetStreamingEvents',
      '20 Subscribe',
      '20.1 GetStreamingEvents',
      '100 Unsubscribe',
    ]);
  });

  it('backs off between short-lived requests', () => {
    const run = streaming(({ stream, watch, at, server }) => {
      watch(stream(), 60);
      for (let second = 1; second < 60; second += 1) at(second, () => server.closeStreams());
    });
    expect(connectionsOf(run).length).to.be.below(12);
    expect(gapsOf(run)).to.deep.equal([]);
  });

  it('breaks with a gap if the server never answers', () => {
    const run = streaming(({ stream, watch, server }) => {
      server.failNext(1, { delayMs: 3_600_000 }, 'GetStreamingEvents');
      watch(stream(), 200);
    });
    expect(connectionsOf(run)[1]).to.match(/^9[0-9.]+ ×1$/);
    expect(newsOf(run)).to.have.length(1);
    expect(gapsOf(run)[0]).to.include({ reason: 'connectionLost' });
  });
});

/** When the first gap was emitted. */
function gapAt(seen: readonly string[]): string {
  return seen.find((line) => line.endsWith(' gap'))?.split(' ', 1)[0] ?? 'never';
}

describe('A refused connection', () => {
  it('opens without the refused member, so that the others are served', () => {
    const OK = '<m:ResponseCode>NoError</m:ResponseCode>';
    const asked: (readonly string[])[] = [];
    const errors: unknown[] = [];
    let made = 0;
    const transport: Transport = ({ url, body = '' }) => {
      const { operation = '', subscriptionIds = [] } = summarize(body);
      const isStream = operation === 'GetStreamingEvents';
      if (operation === 'Subscribe') made += 1;
      if (isStream) asked.push(subscriptionIds);
      const text = !isStream
        ? answer(operation, `${OK}<m:SubscriptionId>S${made}</m:SubscriptionId>`)
        : subscriptionIds.includes('S2')
          ? closed('ErrorSubscriptionDelegateAccessNotSupported', 'S2')
          : message(status('OK'));
      const whole$ = of(new TextEncoder().encode(text));
      // It stays open, and alive, until the end of the spec.
      const body$ = isStream ? concat(whole$, NEVER) : whole$;
      return of({ status: 200, url, headers: headersFrom({ 'content-type': 'text/xml' }), body$ });
    };
    inVirtualTime(() => {
      const exchange = connectExchange({ server: POST.url, transport });
      for (let each = 0; each < 2; each += 1) {
        const watching = streamingNotifications(exchange, {
          folders: ['inbox'],
          events: ['newMail'],
        }).subscribe({
          error: (error: unknown) => errors.push(error),
        });
        timer(60_000).subscribe(() => watching.unsubscribe());
      }
    });
    expect(asked).to.deep.equal([['S1', 'S2'], ['S1']]);
    expect(errors).to.have.length(1);
    expect(errors[0]).to.include({ code: 'ErrorSubscriptionDelegateAccessNotSupported' });
  });

  for (const [name, failure] of [
    ['503', { status: 503 }],
    [
      '500 of something in between',
      { status: 500, headers: { 'content-type': 'text/html' }, body: '<html>' },
    ],
    ['ErrorServerBusy', { error: 'ErrorServerBusy' }],
    ['a fault ErrorServerBusy', { fault: 'ErrorServerBusy' }],
    ['ErrorInternalServerTransientError', { error: 'ErrorInternalServerTransientError' }],
    ['a broken connection', 'reset'],
  ] as const) {
    it(`retries with backoff on ${name}, and keeps the stream`, () => {
      const run = streaming(
        ({ stream, watch, at, server }) => {
          server.failNext(3, failure, 'GetStreamingEvents');
          watch(stream({ events: ['newMail'] }), 60);
          at(30, () => server.deliverMail());
        },
        {},
        { retry: { initialMs: 2000, maxMs: 60_000, random: () => 0.5, retries: 0 } },
      );
      expect(connectionsOf(run)).to.deep.equal(['0.1 ×1', '1.1 ×1', '3.1 ×1', '7.1 ×1']);
      expect(newsOf(run).at(-1)).to.equal('30 newMail');
      expect(run.errors).to.deep.equal([]);
    });
  }

  it('waits as long as the server says in a fault', () => {
    const run = streaming(({ stream, watch, server }) => {
      server.failNext(
        1,
        {
          fault: 'ErrorServerBusy',
          values: { PolicyName: 'EWSMaxConcurrency', BackOffMilliseconds: '20000' },
        },
        'GetStreamingEvents',
      );
      watch(stream(), 60);
    });
    expect(connectionsOf(run)).to.deep.equal(['0.1 ×1', '21.1 ×1']);
    expect(gapsOf(run), 'no event was lost').to.deep.equal([]);
  });

  it('waits for the time of Retry-After', () => {
    const run = streaming(({ stream, watch, server }) => {
      server.failNext(1, { status: 429, headers: { 'retry-after': '30' } }, 'GetStreamingEvents');
      watch(stream(), 60);
    });
    expect(connectionsOf(run)).to.deep.equal(['0.1 ×1', '31.1 ×1']);
  });

  it('retries with a new token', () => {
    const tokens = ['old', 'new'];
    const run = streaming(
      ({ stream, watch, at, server }) => {
        watch(stream({ events: ['newMail'] }), 60);
        at(10, () => server.setToken('new'));
        at(20, () => server.closeStreams());
        at(30, () => server.deliverMail());
      },
      { token: 'old' },
      { auth: bearer(() => of(tokens.shift() ?? 'none')) },
    );
    expect(newsOf(run)).to.deep.equal(['30 newMail']);
    expect(run.server.requests.filter(({ status }) => status === 401)).to.have.length(1);
  });

  for (const [name, failure, errorClass] of [
    ['403', { status: 403 }, HttpError],
    ['401', { status: 401 }, HttpError],
    ['ErrorSubscriptionAccessDenied', { error: 'ErrorSubscriptionAccessDenied' }, EwsError],
    ['a fault of the schema', { fault: 'ErrorSchemaValidation' }, SoapFault],
    [
      'a response that is not XML',
      { status: 200, headers: { 'content-type': 'text/plain' }, body: 'Sign in' },
      DecodeError,
    ],
    [
      'a response for another operation',
      {
        status: 200,
        headers: { 'content-type': 'text/xml' },
        body: '<Envelope><Body><GetEventsResponse><ResponseMessages><x/></ResponseMessages></GetEventsResponse></Body></Envelope>',
      },
      DecodeError,
    ],
  ] as const) {
    it(`fails with the error, and removes the subscription, on ${name}`, () => {
      const run = streaming(({ stream, watch, server }) => {
        server.failNext(1, failure, 'GetStreamingEvents');
        watch(stream(), 60);
        watch(stream(), 60);
      });
      expect(run.errors).to.have.length(2);
      for (const error of run.errors) expect(error).to.be.instanceOf(errorClass);
      expect(outcomesOf(run)).to.deep.equal(['Released', 'Released']);
      expect(connectionsOf(run)).to.have.length(1);
    });
  }

  it('fails if it stays unreadable', () => {
    const page = { status: 200, headers: { 'content-type': 'text/xml' }, body: '<Envelope><Body>&nbsp;' };
    const run = streaming(({ stream, watch, at, server }) => {
      watch(stream(), 200);
      at(10, () => server.failNext(2, page, 'GetStreamingEvents'));
      at(20, () => server.closeStreams());
      at(60, () => server.failNext(5, page, 'GetStreamingEvents'));
      at(70, () => server.closeStreams());
    });
    expect(newsOf(run)).to.deep.equal(['26 gap', '100 DecodeError']);
    expect(gapsOf(run)[0]).to.include({ reason: 'unreadable' });
    expect(outcomesOf(run)).to.deep.equal(['Released']);
  });

  it('does not fail if it is unreadable once, after other failures', () => {
    const run = streaming(({ stream, watch, at, server }) => {
      watch(stream(), 200);
      const page = { status: 200, headers: { 'content-type': 'text/xml' }, body: '<Envelope><Body>&nbsp;' };
      at(10, () => server.failNext(5, { error: 'ErrorServerBusy' }, 'GetStreamingEvents'));
      at(40, () => server.failNext(1, page, 'GetStreamingEvents'));
      at(20, () => server.closeStreams());
      at(180, () => server.deliverMail());
    });
    expect(run.errors).to.deep.equal([]);
    expect(newsOf(run).at(-1)).to.equal('180 modified');
  });

  it('waits and starts from now, with a gap, while the mailbox moves', () => {
    const run = streaming(({ stream, watch, at, server }) => {
      watch(stream(), 200);
      at(10, () => server.failNext(1, { error: 'ErrorMailboxMoveInProgress' }, 'GetStreamingEvents'));
      at(20, () => server.closeStreams());
    });
    expect(run.sent().slice(2)).to.deep.equal([
      '20 GetStreamingEvents',
      '20 Unsubscribe',
      '81 Subscribe',
      '81.1 GetStreamingEvents',
      '200 Unsubscribe',
    ]);
    expect(gapsOf(run).map(({ reason }) => reason)).to.deep.equal(['mailboxMoved']);
  });

  it('continues after a gap if the server has missed events', () => {
    const run = streaming(({ stream, watch, at, server }) => {
      watch(stream({ events: ['newMail'] }), 40);
      at(10, () => server.failNext(1, { error: 'ErrorMissedNotificationEvents' }, 'GetStreamingEvents'));
      at(20, () => server.closeStreams());
      at(30, () => server.deliverMail());
    });
    expect(newsOf(run)).to.deep.equal(['22 gap', '30 newMail']);
    expect(gapsOf(run)[0]).to.include({ reason: 'eventsMissed' });
    expect(outcomesOf(run)).to.deep.equal(['Released']);
  });

  it('opens again, with a gap, after another client has opened a connection', () => {
    const run = streaming(({ stream, watch, at, server }) => {
      watch(stream({ events: ['newMail'] }), 60);
      at(20, () => {
        const ids = server.subscriptions.map(({ id }) => id);
        const body = getStreamingEventsEnvelope({ version: 'Exchange2013_SP1' }, ids, 1);
        const headers = { 'content-type': 'text/xml' };
        server
          .transport({ method: 'POST', url: server.url, headers, body })
          .pipe(mergeMap(({ body$ }) => body$))
          .subscribe();
      });
      at(40, () => server.deliverMail());
    });
    expect(newsOf(run)).to.deep.equal(['21 gap', '40 newMail']);
    expect(gapsOf(run)[0]).to.include({ reason: 'connectionLost' });
  });

  for (const dialect of dialects) {
    it(`emits a gap if a late request takes events, with ${dialect}`, () => {
      const run = streaming(
        ({ stream, watch, at, server }) => {
          server.failNext(1, { arrivesAfterMs: 2000 }, 'GetStreamingEvents');
          watch(stream({ events: ['newMail'] }), 40);
          at(3, () => server.deliverMail());
          at(10, () => server.deliverMail());
        },
        { dialect },
      );
      expect(connectionsOf(run)).to.deep.equal(['0.1 ×1', '1.1 ×1', '4.1 ×1']);
      expect(gapsOf(run).map(({ reason }) => reason)).to.deep.equal(['connectionLost', 'connectionLost']);
      expect(newsOf(run).at(-1)).to.equal('10 newMail');
      expect(newsOf(run)).to.have.length(3);
    });

    it(`emits a gap when a lost request overtakes another, with ${dialect}`, () => {
      const run = streaming(
        ({ stream, watch, at, server }) => {
          server.failNext(1, { arrivesAfterMs: 2500 }, 'GetStreamingEvents');
          server.failNext(1, { delayMs: 0 }, 'GetStreamingEvents');
          server.failNext(1, { arrivalDelayMs: 4000 }, 'GetStreamingEvents');
          watch(stream({ events: ['newMail'] }), 40);
          at(2, () => watch(stream({ events: ['created'], folders: ['notes'] }), 40));
          // After the lost request has arrived, and before the slow one has: no stream is read.
          at(4, () => server.deliverMail());
          at(10, () => server.deliverMail());
        },
        { dialect },
      );
      expect(connectionsOf(run).slice(0, 3)).to.deep.equal(['0.1 ×1', '1.1 ×1', '2.1 ×2']);
      expect(newsOf(run).slice(0, 3)).to.deep.equal(['1.1 gap', '6.1 gap', '10 newMail']);
      expect(gapsOf(run)[1]).to.include({ reason: 'connectionLost' });
    });

    it(`emits a gap for members that another lost request names, with ${dialect}`, () => {
      const run = streaming(
        ({ stream, watch, at, server }) => {
          server.failNext(1, { delayMs: 0 }, 'GetStreamingEvents');
          server.failNext(1, { arrivesAfterMs: 16_000 }, 'GetStreamingEvents');
          for (let each = 0; each < 250; each += 1)
            watch(stream({ events: ['newMail'] }), each < 10 || each >= 200 ? 60 : 10);
          at(12, () => server.closeStreams());
          at(13, () => server.failNext(1, { arrivalDelayMs: 6000 }, 'GetStreamingEvents'));
          at(14, () => watch(stream({ events: ['created'] }), 60));
          at(17, () => server.deliverMail());
          at(30, () => server.deliverMail());
        },
        { dialect },
      );
      expect(connectionsOf(run).slice(0, 5)).to.deep.equal([
        '0.1 ×200',
        '0.1 ×50',
        '1.1 ×50',
        '10.1 ×10',
        '12.1 ×60',
      ]);
      const times = newsOf(run).filter((line) => line.endsWith(' gap'));
      // Of the 50 that the lost request names, and of no other.
      expect(times).to.deep.equal(
        ['1.1 gap', '12.1 gap', '20.1 gap'].flatMap((line) => Array.from({ length: 50 }, () => line)),
      );
    });
  }

  describe('while an older request is open', () => {
    for (const failure of [{ status: 503 }, { error: 'ErrorServerBusy' }, 'reset'] as const) {
      it(`keeps the older one, and retries, on ${JSON.stringify(failure)}`, () => {
        const run = streaming(
          ({ stream, watch, at, server }) => {
            watch(stream({ events: ['newMail'] }), 60);
            at(10, () => server.failNext(2, failure, 'GetStreamingEvents'));
            at(20, () => watch(stream({ events: ['created'] }), 40));
            at(20.2, () => expect(server.streams).to.have.length(1));
            at(20.2, () => server.deliverMail());
            at(40, () => server.deliverMail());
          },
          {},
          { retry: { initialMs: 2000, maxMs: 60_000, random: () => 0.5, retries: 0 } },
        );
        expect(connectionsOf(run)).to.deep.equal(['0.1 ×1', '20.1 ×2', '21.1 ×2', '23.1 ×2']);
        expect(run.events.filter(({ type }) => type === 'newMail')).to.have.length(2);
        expect(run.events.filter(({ type }) => type === 'created')).to.have.length(2);
      });
    }

    for (const dialect of dialects) {
      it(`keeps the older one, and re-creates the lost subscription, with ${dialect}`, () => {
        const run = streaming(
          ({ stream, watch, at, server }) => {
            watch(stream({ events: ['newMail'] }), 60);
            watch(stream({ folders: ['notes'], events: ['created'] }), 60);
            at(19, () => server.expire(server.subscriptions[1]!.id));
            at(20, () => watch(stream({ events: ['created'] }), 40));
            for (let index = 0; index < 16; index += 1) at(20 + index / 8, () => server.deliverMail());
            at(30, () => server.createItem('notes'));
          },
          { dialect },
        );
        expect(run.events.filter(({ type }) => type === 'newMail')).to.have.length(16);
        expect(gapsOf(run).map(({ reason }) => reason)).to.deep.equal(['subscriptionLost']);
        expect(newsOf(run).at(-1)).to.equal('30 created');
        expect(run.left()).to.deep.equal([]);
      });
    }

    it('fails only for the joining members if a retry would not help', () => {
      const run = streaming(({ stream, watch, at, server }) => {
        watch(stream({ events: ['newMail'] }), 60);
        at(10, () => server.failNext(1, { fault: 'ErrorInvalidId' }, 'GetStreamingEvents'));
        at(20, () => watch(stream({ events: ['created'] }), 40));
        at(40, () => server.deliverMail());
      });
      expect(newsOf(run)).to.deep.equal(['20.1 SoapFault', '40 newMail']);
    });

    it('respects the limit that the server enforces', () => {
      const run = streaming(
        ({ stream, watch, at, server }) => {
          watch(stream({ events: ['newMail'] }), 60);
          at(20, () => watch(stream({ events: ['created'] }), 40));
          at(40, () => server.deliverMail());
        },
        { maxStreams: 1 },
      );
      expect(newsOf(run).slice(-2)).to.deep.equal(['40 newMail', '40 created']);
      expect(gapsOf(run).map(({ reason }) => reason)).to.deep.equal(['connectionLost']);
    });

    it('handles the end of the new request while others join', () => {
      const run = streaming(
        ({ stream, watch, at, server }) => {
          watch(stream({ events: ['newMail'] }), 60);
          at(19, () => server.failNext(1, { error: 'ErrorMissedNotificationEvents' }, 'GetStreamingEvents'));
          at(20, () => watch(stream({ events: ['created'] }), 40));
          at(21.5, () => watch(stream({ events: ['modified'] }), 40));
          at(35, () => server.deliverMail());
        },
        { latencyMs: 2000 },
      );
      expect(connectionsOf(run)).to.deep.equal(['2.1 ×1', '22.1 ×2', '24.1 ×3']);
      expect(new Set(gapsOf(run).map(({ reason }) => reason))).to.deep.equal(
        new Set(['connectionLost', 'eventsMissed']),
      );
      expect(newsOf(run).slice(-3)).to.deep.equal(['36 newMail', '36 created', '36 modified']);
    });

    it('gives a silent old request five seconds', () => {
      const run = streaming(({ stream, watch, at, server }) => {
        watch(stream({ events: ['newMail'] }), 60);
        at(19, () => server.stallStreams());
        at(20, () => watch(stream({ events: ['created'] }), 40));
        at(22, () => server.deliverMail());
        at(30, () => server.deliverMail());
      });
      expect(newsOf(run)).to.deep.equal([
        '25.1 gap',
        '25.1 newMail',
        '25.1 created',
        '30 newMail',
        '30 created',
      ]);
    });
  });
});
