import { expect } from 'chai';
import {
  type EnvelopeHead,
  getEventsEnvelope,
  getStreamingEventsEnvelope,
  subscribeEnvelope,
  unsubscribeEnvelope,
} from '../../../../lib/ews/protocol/envelope.ts';
import type { EwsDialect } from '../../../../lib/testing/ews/dialect.ts';
import { ewsSimulator } from '../../../../lib/testing/ews/simulator.ts';
import { at } from '../../../support/virtualTime.ts';
import { head, type Watching, watching } from '../watching.ts';

describe('The streams of the simulated Exchange server', () => {
  for (const dialect of ['exchange', 'grommunio'] satisfies EwsDialect[]) {
    const endAt = (second: number, ...ids: string[]): string[] => {
      const lastNews = ids.map((id) => `${id}:status `).join('');
      const lastWords = dialect === 'exchange' ? ['Closed'] : [`${lastNews}Closed`, 'Closed'];
      return [...lastWords, 'end'].map((line) => `${second} ${line}`);
    };

    describe(`of ${dialect}`, () => {
      it('start, send events and heartbeats, and end on time', () => {
        const { seen } = watching(
          ({ server, subscribe, stream }) => {
            const first = subscribe();
            stream([first, subscribe()], 2);
            at(10, () => server.deliverMail());
          },
          { dialect },
        );
        const rest =
          dialect === 'exchange'
            ? ['90 S1:status S2:status OK', ...endAt(120)]
            : ['55 S1:status S2:status OK', '100 S1:status S2:status OK', ...endAt(145, 'S1', 'S2')];
        expect(seen).to.deep.equal(['0 OK', '10 S1:created S1:newMail S2:created S2:newMail OK', ...rest]);
      });

      it('end when a second one opens for the same subscription', () => {
        const { seen } = watching(
          ({ server, subscribe, stream }) => {
            const first = subscribe();
            stream([first]);
            at(5, () => stream([first, subscribe()], 1));
            at(6, () => server.deliverMail());
          },
          { dialect },
        );
        const taken = dialect === 'exchange' ? 'ErrorNewEventStreamConnectionOpened Closed' : 'Closed';
        expect(seen.slice(0, 5)).to.deep.equal([
          '0 OK',
          `5 ${taken}`,
          '5 end',
          '5 OK',
          '6 S1:created S1:newMail S2:created S2:newMail OK',
        ]);
      });

      it('break when the server restarts, which drops the subscriptions', () => {
        const { seen, server } = watching(
          ({ server: restarted, subscribe, stream }) => {
            const id = subscribe();
            stream([id]);
            at(5, () => restarted.restart());
            at(6, () => stream([id]));
          },
          { dialect },
        );
        expect(seen.slice(0, 3)).to.deep.equal([
          '0 OK',
          '5 broke off',
          '6 ErrorInvalidSubscription !S1 Closed',
        ]);
        expect(server.streams).to.deep.equal([]);
      });

      it('stall; the server notices their end only when it writes', () => {
        const { seen, server } = watching(
          ({ server: silenced, subscribe, stream }) => {
            const streaming = stream([subscribe()]);
            at(5, () => silenced.stallStreams());
            at(6, () => silenced.deliverMail());
            at(50, () => streaming.unsubscribe());
            at(51, () => expect(silenced.streams).to.have.length(1));
          },
          { dialect },
        );
        expect(seen).to.deep.equal(['0 OK']);
        expect(server.streams).to.have.length(0);
      });

      it('end in each of the ways', () => {
        for (const [how, expected] of [
          ['closed', endAt(5, 'S1')],
          ['end', ['5 end']],
          ['linger', endAt(5, 'S1').slice(0, -1)],
          ['reset', ['5 broke off']],
        ] as const) {
          const { seen } = watching(
            ({ server, subscribe, stream }) => {
              stream([subscribe()]);
              at(5, () => server.closeStreams(how));
            },
            { dialect },
          );
          expect(seen).to.deep.equal(['0 OK', ...expected]);
        }
      });

      it('corrupt one envelope', () => {
        const { seen } = watching(
          ({ server, subscribe, stream }) => {
            stream([subscribe()], 1);
            server.corruptNextEnvelope();
            at(5, () => server.deliverMail());
            at(6, () => server.deliverMail());
          },
          { dialect },
        );
        expect(seen.slice(0, 3)).to.deep.equal(['0 OK', '5 unreadable', '6 S1:created S1:newMail OK']);
      });

      it('send envelopes in chunks', () => {
        const { seen, text } = watching(
          ({ server, subscribe, stream }) => {
            stream([subscribe()], 1);
            at(6, () => server.deliverMail());
          },
          { dialect, chunkBytes: 10 },
        );
        expect(seen.slice(0, 2)).to.deep.equal(['0 OK', '6 S1:created S1:newMail OK']);
        expect(Math.max(...text.map(({ length }) => length))).to.equal(10);
      });

      it('have the latency of other responses', () => {
        const late = watching(
          ({ server, send, stream }) => {
            send(subscribeEnvelope(head, { type: 'streaming', folders: ['inbox'], events: ['newMail'] }));
            at(5, () => stream([server.subscriptions[0]!.id], 1));
            at(10, () => server.deliverMail());
          },
          { dialect, latencyMs: 2000 },
        );
        expect(late.seen.slice(0, 2)).to.deep.equal(['8 OK', '11 unknown:newMail OK']);
      });

      it('leave a subscription for its timeout', () => {
        const minutes = dialect === 'exchange' ? 30 : 5;
        const { server } = watching(
          ({ server: keeping, subscribe, stream }) => {
            stream([subscribe()], 10);
            at((10 + minutes) * 60 - 1, () => expect(keeping.subscriptions).to.have.length(1));
            // A stream of grommunio ends with the heartbeat after its end.
            at((10 + minutes) * 60 + 46, () => expect(keeping.subscriptions).to.have.length(0));
          },
          { dialect },
        );
        expect(server.streams).to.have.length(0);
      });

      it('send the events of the watched mailbox only', () => {
        const as = (name: string): EnvelopeHead => ({ ...head, impersonate: { smtpAddress: name } });
        const { seen } = watching(
          ({ server, subscribe, stream }) => {
            const [one, other] = ['a@b.example', 'c@d.example'].map((name) => server.mailbox(name));
            stream([subscribe(as('a@b.example'))], 1, as('a@b.example'));
            stream([subscribe(as('e@f.example'))], 1, as('e@f.example'));
            at(5, () => one!.deliverMail());
            at(6, () => other!.deliverMail());
            at(7, () => server.mailbox('a@b.example').deliverMail());
            at(8, () => server.deliverMail());
          },
          { dialect },
        );
        expect(seen.slice(2, 5)).to.deep.equal([
          '5 S1:created S1:newMail OK',
          '7 S1:created S1:newMail OK',
          '8 S2:created S2:newMail OK',
        ]);
      });

      it('report a moving mailbox, and lose their subscription after the move', () => {
        const as = (name: string): EnvelopeHead => ({ ...head, impersonate: { smtpAddress: name } });
        const { seen, server } = watching(
          ({ server: moving, subscribe, stream }) => {
            const own = 'a@b.example';
            const ids = [subscribe(as(own), own), subscribe(as(own), 'c@d.example')];
            moving.mailbox('c@d.example');
            stream(ids, 10, as(own));
            at(5, () => moving.moveMailbox('a@b.example', 1));
            at(6, () => moving.mailbox('c@d.example').deliverMail());
            at(7, () => stream([ids[0]!], 1, as(own)));
            at(64, () => expect(moving.subscriptions).to.have.length(2));
            at(66, () => expect(moving.subscriptions).to.have.length(1));
          },
          { dialect },
        );
        const rest = dialect === 'exchange' ? 'OK' : 'S2:status Closed';
        expect(seen.slice(1, 4)).to.deep.equal([
          `5 ErrorMailboxMoveInProgress !S1 ${rest}`,
          '6 S2:created S2:newMail OK',
          '7 ErrorMailboxMoveInProgress !S1 Closed',
        ]);
        expect(() => server.moveMailbox('a@b.example', -1)).to.throw(TypeError, /minutes/);
      });

      it('serve another user with exchange only', () => {
        const as = (name: string): EnvelopeHead => ({ ...head, impersonate: { primarySmtpAddress: name } });
        const { seen } = watching(
          ({ subscribe, stream }) => {
            stream([subscribe(as('a@b.example'))], 1, as('c@d.example'));
          },
          { dialect },
        );
        const first = { exchange: '0 OK', grommunio: '0 ErrorInvalidSubscription !S1 Closed' };
        expect(seen[0]).to.equal(first[dialect]);
      });
    });
  }

  it('send pending events at once, or with the first heartbeat of grommunio', () => {
    for (const [dialect, second] of [
      ['exchange', 1],
      ['grommunio', 46],
    ] as const) {
      const { seen } = watching(
        ({ server, subscribe, stream }) => {
          const id = subscribe();
          server.deliverMail();
          at(1, () => stream([id], 1));
        },
        { dialect },
      );
      expect(seen.slice(0, 2)).to.deep.equal(['1 OK', `${second} S1:created S1:newMail OK`]);
    }
  });

  it('end for one lost subscription, but continue on grommunio', () => {
    const script = ({ server, subscribe, stream }: Watching): void => {
      const [gone, good] = [subscribe(), subscribe()];
      server.expire(gone);
      stream([gone, good], 1);
      at(5, () => server.deliverMail());
    };
    expect(watching(script).seen).to.deep.equal(['0 ErrorInvalidSubscription !S1 Closed', '0 end']);
    expect(watching(script, { dialect: 'grommunio' }).seen.slice(0, 2)).to.deep.equal([
      '0 ErrorInvalidSubscription !S1 Closed',
      '5 S2:created S2:newMail OK',
    ]);
  });

  it('linger without subscriptions on grommunio', () => {
    const { seen } = watching(({ stream }) => stream(['AAAAAAAAAAA='], 1), { dialect: 'grommunio' });
    expect(seen).to.deep.equal([
      '0 ErrorInvalidSubscription !unknown Closed',
      '45 ErrorInvalidSubscription !unknown Closed',
      '45 Closed',
      '45 end',
    ]);
  });

  it('report a lost subscription later than a removed one', () => {
    const script = ({ server, subscribe, stream, send }: Watching): void => {
      const ids = [subscribe(), subscribe(), subscribe()] as const;
      stream(ids, 2);
      at(10, () => send(unsubscribeEnvelope(head, ids[0])));
      at(20, () => server.expire(ids[1]));
      at(50, () => send(unsubscribeEnvelope(head, ids[2])));
    };
    expect(watching(script).seen).to.deep.equal([
      '0 OK',
      '10 ErrorSubscriptionUnsubscribed !S1 OK',
      '45 ErrorInvalidSubscription !S2 OK',
      '45 S3:status OK',
      '50 Closed',
      '50 end',
    ]);
    // On grommunio, removing one ends the whole stream.
    expect(watching(script, { dialect: 'grommunio' }).seen).to.deep.equal(['0 OK', '10 Closed', '10 end']);
  });

  it('have the format of their dialect', () => {
    const script = ({ server, subscribe, stream }: Watching): void => {
      stream([subscribe()], 1);
      at(5, () => server.deliverMail());
    };
    const exchange = watching(script).text;
    expect(exchange[0]).to.match(/^<\?xml/);
    expect(exchange[1])
      .to.match(/^<\?xml/)
      .and.contain('ChangeKey=')
      .and.not.contain('Watermark');
    expect(exchange[0]).to.not.contain('Notifications');
    const grommunio = watching(script, { dialect: 'grommunio' }).text;
    expect(grommunio[0])
      .to.match(/^<\?xml/)
      .and.contain('<m:Notifications></m:Notifications><m:ErrorSubscriptionIds>');
    expect(grommunio[1])
      .to.match(/^<SOAP:Envelope/)
      .and.contain('<t:MoreEvents>false</t:MoreEvents>')
      .and.not.contain('ChangeKey');
  });

  it('write an unprefixed Envelope, whole seconds and m:SubscriptionId, as recorded', () => {
    const { text } = watching(({ server, subscribe, stream, send }) => {
      const ids = [subscribe(), subscribe()];
      stream(ids, 1);
      at(5.123, () => server.deliverMail());
      at(6, () => send(unsubscribeEnvelope(head, ids[0]!)));
    });
    const [, mail, refused] = text;
    expect(mail)
      .to.match(/^<\?xml[^>]*\?><Envelope xmlns=".*<\/Envelope>$/)
      .and.match(/<t:TimeStamp>\d{4}-\d\d-\d\dT\d\d:\d\d:05Z</);
    expect(refused).to.match(
      /<m:ErrorSubscriptionIds><m:SubscriptionId>[^<]+<\/m:SubscriptionId><\/m:ErrorSubscriptionIds>/,
    );
  });

  it('are limited in number', () => {
    const { seen } = watching(
      ({ subscribe, stream }) => {
        stream([subscribe()], 1);
        stream([subscribe()], 1);
      },
      { maxStreams: 1 },
    );
    expect(seen.slice(0, 3)).to.deep.equal(['0 OK', '0 ErrorExceededConnectionCount -', '0 end']);
  });

  it('reject invalid requests, and GetEvents for a streaming subscription', () => {
    const { text } = watching(({ send, subscribe }) => {
      const id = subscribe();
      send(getStreamingEventsEnvelope(head, [id], 31));
      send(getStreamingEventsEnvelope(head, [], 1));
      send(getStreamingEventsEnvelope(head, Array<string>(201).fill(id), 1));
      send(getEventsEnvelope(head, id, ''));
    });
    expect(text.filter((each) => each.includes('ErrorSchemaValidation'))).to.have.length(3);
  });

  it('list open streams and logged requests', () => {
    const { server } = watching(({ server: simulator, subscribe, stream }) => {
      const id = subscribe();
      stream([id], 1);
      expect(simulator.streams).to.deep.equal([{ subscriptionIds: [id] }]);
      expect(simulator.subscriptions[0]).to.include({ type: 'streaming', expiresAt: Infinity });
    });
    const [, request] = server.requests;
    expect(request).to.include({ operation: 'GetStreamingEvents', subscriptionId: undefined });
    expect(request!.subscriptionIds).to.have.length(1);
  });

  it('throw for invalid options', () => {
    for (const options of [
      { heartbeatSeconds: 0 },
      { chunkBytes: 0 },
      { chunkBytes: 1.5 },
      { maxStreams: -1 },
    ]) {
      expect(() => ewsSimulator(options), JSON.stringify(options)).to.throw(TypeError);
    }
    expect(() => ewsSimulator().closeStreams('bang' as 'end')).to.throw(TypeError, /how must be one of/);
  });
});
