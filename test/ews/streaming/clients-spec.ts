import { bearer } from '../../../lib/core/auth/auth.ts';
import { expect } from 'chai';
import { asyncScheduler, concat, map, NEVER, of, timer } from 'rxjs';
import { headersFrom, type Transport } from '../../../lib/core/transport/transport.ts';
import type { EwsEvent } from '../../../lib/ews/protocol/events.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import { summarize } from '../../../lib/testing/ews/requests/readRequest.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { answer } from '../answers.ts';
import { outcomesOf } from '../pull/pulling.ts';
import { bare, closed, message, status, streamed } from './streams.ts';
import { connectionsOf, gapsOf, newsOf, streaming } from './streaming.ts';

const OK = '<m:ResponseCode>NoError</m:ResponseCode>';

/** How many events were skipped in the last run of {@link seenOf}. */
let skipped = 0;

/** The event types of a stream whose body arrives in the given chunks, one per second. */
function seenOf(...chunks: readonly (string | Uint8Array)[]): string[] {
  const seen: string[] = [];
  skipped = 0;
  const body$ = concat(
    ...chunks.map((chunk) =>
      timer(1000).pipe(map(() => (typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk))),
    ),
    NEVER,
  );
  const transport: Transport = ({ url, body = '' }) => {
    const { operation = 'Nothing' } = summarize(body);
    const whole = of(
      new TextEncoder().encode(answer(operation, `${OK}<m:SubscriptionId>S1</m:SubscriptionId>`)),
    );
    const isStream = operation === 'GetStreamingEvents';
    return of({ status: 200, url, headers: headersFrom({}), body$: isStream ? body$ : whole });
  };
  inVirtualTime(() => {
    const service = connectExchange({ server: 'https://exchange.example/EWS/Exchange.asmx', transport });
    service.activity$.subscribe(({ dropped = 0 }) => (skipped += dropped));
    const watching = streamingNotifications(service, { folders: ['inbox'], events: ['newMail'] }).subscribe(
      ({ type }: EwsEvent) => seen.push(`${Math.floor(asyncScheduler.now() / 1000)} ${type}`),
    );
    timer(60_000).subscribe(() => watching.unsubscribe());
  });
  return seen;
}

describe('Mistakes of existing clients with streams', () => {
  it('dispose sends no Unsubscribe', () => {
    const run = streaming(({ stream, watch }) => watch(stream(), 5));
    expect(run.sent().at(-1)).to.equal('5 Unsubscribe');
    expect(outcomesOf(run)).to.deep.equal(['Released']);
    expect(run.left()).to.deep.equal([]);
  });

  it('a prefixed envelope in a stream is silently ignored', () => {
    const event = message(streamed('S1', 'NewMailEvent') + status('OK'));
    expect(
      seenOf(
        event,
        event.replaceAll(/(<\/?|xmlns:)s(?=[:=])/g, '$1soap11'),
        bare(event).replaceAll(/(<\/?|xmlns:)s(?=[:=])/g, '$1SOAP'),
        bare(event).replaceAll(/<(\/?)\w+:/g, '<$1'),
      ),
    ).to.deep.equal(['1 newMail', '2 newMail', '3 newMail', '4 newMail']);
  });

  it('one envelope parsed per chunk, the rest delayed or lost', () => {
    const first = message(streamed('S1', 'NewMailEvent') + status('OK'));
    const second = bare(message(streamed('S1', 'CreatedEvent') + status('OK')));
    const third = bare(message(streamed('S1', 'ModifiedEvent') + status('OK')));
    expect(seenOf(first + second + third.slice(0, 99), third.slice(99))).to.deep.equal([
      '1 newMail',
      '1 created',
      '2 modified',
    ]);
  });

  it('events regrouped by type, so their order is lost', () => {
    expect(
      seenOf(
        message(
          streamed('S1', 'NewMailEvent', 'CreatedEvent', 'NewMailEvent', 'DeletedEvent', 'CreatedEvent'),
        ),
      ),
    ).to.deep.equal(['1 newMail', '1 created', '1 newMail', '1 deleted', '1 created']);
  });

  it('Closed for lost subscriptions is treated as the end although OK follows', () => {
    const gone = closed('ErrorInvalidSubscription', 'S0');
    const event = message(streamed('S1', 'NewMailEvent') + status('OK'));
    // Read until another request is opened, without the lost subscription.
    expect(seenOf(gone + bare(event) + bare(event)).slice(0, 2)).to.deep.equal(['1 newMail', '1 newMail']);
    // The same if every message says Closed, and more follow soon.
    expect(seenOf(message(status('Closed')), event)).to.deep.equal(['2 newMail']);
  });

  it('an event of unknown type takes the others with it', () => {
    expect(
      seenOf(message(streamed('S1', 'NewMailEvent', 'PinnedEvent', 'CreatedEvent') + status('OK'))),
    ).to.deep.equal(['1 newMail', '1 created']);
    expect(skipped).to.equal(1);
  });

  for (const failing of [401, 500, 503]) {
    it(`HTTP ${failing} on GetStreamingEvents kills the process`, () => {
      const tokens = ['one', 'two'];
      const run = streaming(
        ({ stream, watch, at, server }) => {
          server.failNext(1, { status: failing }, 'GetStreamingEvents');
          watch(stream({ events: ['newMail'] }), 60);
          at(30, () => server.deliverMail());
        },
        {},
        { auth: bearer(() => of(tokens.shift() ?? 'three')) },
      );
      expect(newsOf(run).at(-1)).to.equal('30 newMail');
      expect(run.errors).to.deep.equal([]);
    });
  }

  it('closing one connection closes another', () => {
    const run = streaming(({ stream, watch, at, server }) => {
      for (let each = 0; each < 201; each += 1) watch(stream({ events: ['newMail'] }), each < 200 ? 10 : 60);
      at(5, () => expect(server.streams).to.have.length(2));
      at(20, () => expect(server.streams).to.have.length(1));
      at(30, () => server.deliverMail());
    });
    expect(newsOf(run)).to.deep.equal(['30 newMail']);
  });

  it('silence is never noticed', () => {
    const run = streaming(({ stream, watch, at, server }) => {
      watch(stream({ events: ['newMail'] }), 300);
      at(20, () => server.stallStreams());
      at(200, () => server.deliverMail());
    });
    expect(newsOf(run)).to.deep.equal(['90.1 gap', '200 newMail']);
  });

  it('Unsubscribe sent with an already-aborted signal, so never sent', () => {
    const run = streaming(({ stream, watch }) => watch(stream(), 5), { latencyMs: 1000 });
    expect(run.server.requests.at(-1)).to.include({ operation: 'Unsubscribe', status: 200 });
    expect(run.left()).to.deep.equal([]);
  });

  it('only the first Value of a ServerBusy fault read', () => {
    const run = streaming(({ stream, watch, server }) => {
      const values = { Policy: 'EWSMaxConcurrency', BackOffMilliseconds: '25000', Last: 'x' };
      server.failNext(1, { fault: 'ErrorServerBusy', values }, 'GetStreamingEvents');
      watch(stream(), 60);
    });
    expect(connectionsOf(run)).to.deep.equal(['0.1 ×1', '26.1 ×1']);
  });

  it('an unsubscribe that races an in-flight Subscribe leaks the subscription', () => {
    const run = streaming(({ stream, watch }) => watch(stream(), 0.5), { latencyMs: 2000 });
    expect(run.sent()).to.deep.equal(['0 Subscribe', '2 Unsubscribe']);
    expect(outcomesOf(run)).to.deep.equal(['Released']);
    expect(run.left()).to.deep.equal([]);
  });
});

describe('Requests of users of existing clients', () => {
  it('reconnect without loss', () => {
    for (const dialect of ['exchange', 'grommunio'] as const) {
      const run = streaming(
        ({ stream, watch, at, server }) => {
          watch(stream({ events: ['newMail'], connectionMinutes: 1 }), 400);
          for (let second = 1; second < 300; second += 1) at(second, () => server.deliverMail());
        },
        { dialect },
      );
      expect(run.events.filter(({ type }) => type === 'newMail')).to.have.length(299);
      expect(gapsOf(run)).to.deep.equal([]);
    }
  });

  it('to notice when it stopped', () => {
    const run = streaming(({ stream, watch, at, server }) => {
      watch(stream(), 60);
      at(20, () => server.closeStreams('reset'));
    });
    expect(newsOf(run)).to.deep.equal(['20 gap']);
  });

  it('no leaked subscriptions after restarts', () => {
    for (const dialect of ['exchange', 'grommunio'] as const) {
      const run = streaming(
        ({ stream, watch, at, server }) => {
          for (let each = 0; each < 5; each += 1) watch(stream(), 100);
          for (const second of [20, 40, 60]) at(second, () => server.restart());
          at(90, () => expect(server.subscriptions).to.have.length(5));
        },
        { dialect },
      );
      expect(run.left()).to.deep.equal([]);
    }
  });

  it('tokens that refresh on a long-lived stream', () => {
    let hour = 0;
    const run = streaming(
      ({ stream, watch, at, server }) => {
        watch(stream({ events: ['newMail'] }), 6 * 3600);
        for (let each = 1; each < 6; each += 1) {
          at(each * 3600 - 10, () => {
            hour = each;
            server.setToken(`token-${each}`);
          });
          at(each * 3600, () => server.deliverMail());
        }
      },
      { token: 'token-0' },
      { auth: bearer(() => of(`token-${hour}`)) },
    );
    expect(run.events.filter(({ type }) => type === 'newMail')).to.have.length(5);
    expect(gapsOf(run)).to.deep.equal([]);
    expect(run.left()).to.deep.equal([]);
  });

  it('other calls that do not hang while a stream is open', () => {
    const run = streaming(({ stream, pull, watch }) => {
      watch(stream(), 30);
      watch(pull(), 20);
    });
    expect(run.seen).to.deep.equal(['0 status']);
  });
});
