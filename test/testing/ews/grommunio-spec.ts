import { expect } from 'chai';
import { of } from 'rxjs';
import { headersFrom } from '../../../lib/core/transport/transport.ts';
import {
  type EnvelopeHead,
  getEventsEnvelope,
  subscribeEnvelope,
  unsubscribeEnvelope,
} from '../../../lib/ews/protocol/envelope.ts';
import { ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { at, inVirtualTime } from '../../support/virtualTime.ts';
import { head, type Watching, watching } from './watching.ts';

const as = (smtpAddress: string): EnvelopeHead => ({ ...head, impersonate: { smtpAddress } });
const codesOf = (text: readonly string[]): readonly string[] =>
  text.flatMap((each) => [...each.matchAll(/<m:ResponseCode>(\w+)/g)].map(([, code]) => code ?? ''));

for (const dialect of ['grommunio', 'grommunio-3.9'] as const) {
  describe(`The simulated server in the dialect ${dialect}`, () => {
    it('ends a stream of one minute with the next heartbeat', () => {
      const { seen } = watching(({ subscribe, stream }) => stream([subscribe()], 1), { dialect });
      expect(seen.at(-1)).to.equal('90 end');
    });

    it('sends a status for the others with the events of one', () => {
      const { seen } = watching(
        ({ server, subscribe, stream }) => {
          stream([subscribe(), subscribe(head, 'boss@contoso.example')], 1);
          at(5, () => server.mailbox('boss@contoso.example').deliverMail());
        },
        { dialect },
      );
      expect(seen[1]).to.equal('5 S1:status S2:created S2:newMail OK');
    });

    it('sends more than 50 events in several messages at once', () => {
      const { seen, text } = watching(
        ({ server, subscribe, stream }) => {
          const id = subscribe();
          for (let mail = 0; mail < 30; mail += 1) server.deliverMail();
          stream([id], 1);
        },
        { dialect },
      );
      expect(seen.slice(1, 3).map((line) => line.split(' ').length)).to.deep.equal([52, 12]);
      expect(text.filter((each) => each.includes('<t:MoreEvents>true<'))).to.have.length(1);
    });

    it('accepts a push subscription but posts nothing', () => {
      const posted: string[] = [];
      const server = ewsSimulator({
        dialect,
        push: ({ url, body = '' }) => {
          posted.push(body);
          return of({ status: 200, url, headers: headersFrom({}), body$: of() });
        },
      });
      inVirtualTime(() => {
        server
          .transport({
            method: 'POST',
            url: server.url,
            headers: { 'content-type': 'text/xml' },
            body: subscribeEnvelope(head, {
              type: 'push',
              folders: ['inbox'],
              events: ['newMail'],
              watermark: undefined,
              statusFrequencyMinutes: 1,
              callbackUrl: 'https://me.example/',
            }),
          })
          .subscribe();
        expect(server.subscriptions).to.have.length(1);
        at(1, () => server.deliverMail());
        at(61, () => expect(server.subscriptions).to.have.length(0));
      });
      expect(posted).to.deep.equal([]);
    });

    it('accepts freeBusyChanged but never sends it', () => {
      const { text } = watching(
        ({ server, send }) => {
          send(
            subscribeEnvelope(head, {
              type: 'pull',
              folders: undefined,
              events: ['freeBusyChanged'],
              watermark: undefined,
              timeoutMinutes: 1,
            }),
          );
          server.changeFreeBusy();
          send(getEventsEnvelope(head, server.subscriptions[0]!.id, ''));
        },
        { dialect },
      );
      expect(codesOf(text)).to.deep.equal(['NoError', 'NoError']);
      expect(text[1]).to.contain('<t:StatusEvent/>').and.not.contain('FreeBusyChangedEvent');
    });

    it('accepts GetEvents without a watermark', () => {
      const { text } = watching(
        ({ subscribe, send }) => {
          send(getEventsEnvelope(head, subscribe(), 'W').replace(/<m:Watermark>.*<\/m:Watermark>/, ''));
        },
        { dialect },
      );
      expect(codesOf(text)).to.deep.equal(['NoError']);
    });

    it('rejects the subscription of another user in all operations', () => {
      const { text, server } = watching(
        ({ subscribe, send }) => {
          const id = subscribe(as('a@b.example'));
          send(getEventsEnvelope(head, id, ''));
          send(unsubscribeEnvelope(as('c@d.example'), id));
          send(getEventsEnvelope(as('A@B.example'), id, ''));
          send(unsubscribeEnvelope(as('a@b.example'), id));
        },
        { dialect },
      );
      expect(codesOf(text)).to.deep.equal([
        'ErrorAccessDenied',
        'ErrorSubscriptionNotFound',
        'NoError',
        'NoError',
      ]);
      expect(server.subscriptions).to.deep.equal([]);
    });

    it('loses a subscription with too many pending events', () => {
      const { text } = watching(
        ({ server, subscribe, send }) => {
          const id = subscribe();
          server.deliverMail();
          server.deliverMail();
          send(getEventsEnvelope(head, id, ''));
          server.deliverMail();
          server.deliverMail();
          server.deliverMail();
          send(getEventsEnvelope(head, id, ''));
          send(unsubscribeEnvelope(head, id));
          send(unsubscribeEnvelope(head, id));
        },
        { dialect, maxPendingEvents: 4 },
      );
      expect(codesOf(text)).to.deep.equal([
        'NoError',
        'ErrorInvalidSubscription',
        'NoError',
        'ErrorSubscriptionNotFound',
      ]);
    });

    it('sends events at its next check', () => {
      const { seen } = watching(
        ({ server, subscribe, stream }) => {
          stream([subscribe()], 1);
          at(6, () => server.deliverMail());
          at(14.95, () => server.deliverMail());
        },
        { dialect, cacheIntervalSeconds: 5 },
      );
      expect(seen.slice(0, 3)).to.deep.equal([
        '0 OK',
        '10 S1:created S1:newMail OK',
        '20 S1:created S1:newMail OK',
      ]);
    });

    it('sends nothing, not even heartbeats, under a constant load', () => {
      const { seen } = watching(
        ({ server, subscribe, stream }) => {
          stream([subscribe()], 5);
          // Events of an unwatched folder delay nothing.
          for (let index = 0; index < 300; index += 1) at(10 + index / 15, () => server.createItem('notes'));
          for (let index = 0; index < 450; index += 1) at(30 + index / 15, () => server.createItem('inbox'));
        },
        { dialect, cacheIntervalSeconds: 5, heartbeatSeconds: 20 },
      );
      const seconds = seen.map((line) => Number(line.split(' ')[0]));
      expect([...new Set(seconds)].slice(0, 4)).to.deep.equal([0, 20, 65, 85]);
    });
  });
}

/** Runs a stream with two subscriptions, and drops the first. */
const losing = ({ server, subscribe, stream }: Watching): void => {
  const ids = [subscribe(), subscribe()] as const;
  stream(ids, 2);
  at(10, () => server.expire(ids[0]));
};

describe('The streams of grommunio 3.10', () => {
  const dialect = 'grommunio';

  it('leave their subscriptions for five minutes after the end', () => {
    const { seen, server } = watching(
      ({ server: keeping, subscribe, stream }) => {
        const id = subscribe();
        stream([id], 1);
        at(100, () => keeping.deliverMail());
        at(389, () => stream([id], 1));
        at(800, () => expect(keeping.subscriptions).to.deep.equal([]));
      },
      { dialect },
    );
    expect(seen.slice(4)).to.deep.equal([
      '90 end',
      '389 OK',
      '434 S1:created S1:newMail OK',
      '479 S1:status Closed',
      '479 Closed',
      '479 end',
    ]);
    expect(server.streams).to.deep.equal([]);
  });

  it('report a lost subscription as an error besides other events', () => {
    const { seen } = watching(losing, { dialect });
    expect(seen.slice(0, 3)).to.deep.equal([
      '0 OK',
      '45 ErrorInvalidSubscription !S1 S2:status Closed',
      '90 S2:status OK',
    ]);
  });

  it('report subscriptions with too many pending events', () => {
    const { seen } = watching(
      ({ server, subscribe, stream }) => {
        const ids = [subscribe(), subscribe(head, 'boss@contoso.example')];
        const boss = server.mailbox('boss@contoso.example');
        for (let mail = 0; mail < 3; mail += 1) boss.deliverMail();
        stream(ids, 1);
      },
      { dialect, maxPendingEvents: 5 },
    );
    expect(seen[0]).to.equal('0 ErrorInvalidSubscription !S2 Closed');
    expect(seen[1]).to.equal('45 S1:status OK');
  });

  it('end when one subscription is removed, and leave the others', () => {
    const { seen, server } = watching(
      ({ subscribe, stream, send, server: keeping }) => {
        const ids = [subscribe(), subscribe()] as const;
        stream(ids, 2);
        at(10, () => send(unsubscribeEnvelope(head, ids[0])));
        at(11, () => expect(keeping.subscriptions.map(({ id }) => id)).to.deep.equal([ids[1]]));
      },
      { dialect },
    );
    expect(seen).to.deep.equal(['0 OK', '10 Closed', '10 end']);
    expect(server.streams).to.deep.equal([]);
  });
});

describe('The streams of grommunio 3.9', () => {
  const dialect = 'grommunio-3.9';

  it('cancel their subscriptions at every end', () => {
    for (const end of [
      ({ server }: Watching) => server.closeStreams('closed'),
      ({ server }: Watching) => server.closeStreams('end'),
      ({ server }: Watching) => server.closeStreams('reset'),
      (_: Watching, leave: () => void) => leave(),
    ]) {
      const { seen } = watching(
        (one) => {
          const id = one.subscribe();
          const streaming = one.stream([id], 1);
          at(5, () => {
            end(one, () => streaming.unsubscribe());
            expect(one.server.subscriptions).to.deep.equal([]);
          });
          at(6, () => one.stream([id], 1));
        },
        { dialect },
      );
      expect(seen).to.include('6 ErrorInvalidSubscription !S1 OK');
    }
  });

  it('lose all subscriptions when another stream opens for them', () => {
    const { seen, server } = watching(
      ({ subscribe, stream }) => {
        const id = subscribe();
        stream([id], 1);
        at(5, () => stream([id, subscribe()], 1));
        at(6, () => stream([id], 1));
      },
      { dialect },
    );
    expect(seen.slice(0, 7)).to.deep.equal([
      '0 OK',
      '5 Closed',
      '5 end',
      '5 OK',
      '5 Closed',
      '5 end',
      '6 ErrorInvalidSubscription !S1 OK',
    ]);
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('report a lost subscription with class Success, and continue', () => {
    const { seen } = watching(losing, { dialect });
    expect(seen.slice(0, 3)).to.deep.equal(['0 OK', '45 !S1 S2:status OK', '90 S2:status OK']);
  });

  it('cancel the other subscriptions when one is removed', () => {
    const { server } = watching(
      ({ subscribe, stream, send }) => {
        const ids = [subscribe(), subscribe()] as const;
        stream(ids, 2);
        at(10, () => send(unsubscribeEnvelope(head, ids[0])));
      },
      { dialect },
    );
    expect(server.requests.at(-1)).to.include({ operation: 'Unsubscribe', status: 200 });
    expect(server.subscriptions).to.deep.equal([]);
  });
});
