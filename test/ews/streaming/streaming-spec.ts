import { expect } from 'chai';
import { asyncScheduler, concatMap, map, of, switchMap, take, throwError, timer } from 'rxjs';
import { ClosedError } from '../../../lib/core/errors.ts';
import { ConnectionsFullError } from '../../../lib/ews/protocol/errors.ts';
import type { EwsDialect } from '../../../lib/testing/ews/dialect.ts';
import { summarize } from '../../../lib/testing/ews/requests/readRequest.ts';
import { response } from '../../support/responses.ts';
import { answer } from '../answers.ts';
import { outcomesOf } from '../pull/pulling.ts';
import { connectionsOf, gapsOf, newsOf, streaming } from './streaming.ts';
import { closed, message, streamed } from './streams.ts';

const dialects: readonly EwsDialect[] = ['exchange', 'grommunio'];

describe('streamingNotifications', () => {
  it('should send nothing before it is subscribed to', () => {
    const { server } = streaming(({ stream }) => {
      stream();
    });
    expect(server.requests).to.deep.equal([]);
  });

  for (const dialect of dialects) {
    describe(`with ${dialect}`, () => {
      it('should subscribe, open a connection, emit events as they happen, and unsubscribe', () => {
        const run = streaming(
          ({ stream, watch, at, server }) => {
            watch(stream(), 20);
            at(5, () => server.deliverMail());
            at(7.5, () => server.createItem('inbox'));
          },
          { dialect },
        );
        expect(run.sent()).to.deep.equal(['0 Subscribe', '0.1 GetStreamingEvents', '20 Unsubscribe']);
        expect(run.seen).to.deep.equal([
          '5 created',
          '5 newMail',
          '5 modified',
          '7.5 created',
          '7.5 modified',
        ]);
        expect(run.left()).to.deep.equal([]);
        expect(run.outcomes).to.have.length(1);
        expect(run.outcomes[0]).to.include({ outcome: 'Released', resource: 'StreamingSubscription' });
      });

      it('should leave the connection when it is left', () => {
        streaming(
          ({ stream, watch, at, server }) => {
            watch(stream(), 20);
            at(19, () => expect(server.streams).to.have.length(1));
            at(20.1, () => expect(server.streams).to.have.length(0));
          },
          { dialect },
        );
      });

      it('should open the connection again at once, with the same subscription, when it ends', () => {
        const run = streaming(
          ({ stream, watch, at, server }) => {
            watch(stream({ connectionMinutes: 1 }), 130);
            for (const second of [59, 61, 119, 122]) at(second, () => server.deliverMail());
          },
          { dialect },
        );
        // grommunio closes a stream with what it sends next.
        expect(connectionsOf(run)).to.deep.equal(
          dialect === 'exchange' ? ['0.1 ×1', '60.1 ×1', '120.1 ×1'] : ['0.1 ×1', '61 ×1', '122 ×1'],
        );
        expect(newsOf(run).filter((line) => line.includes('newMail'))).to.deep.equal([
          '59 newMail',
          '61 newMail',
          '119 newMail',
          '122 newMail',
        ]);
        expect(gapsOf(run)).to.deep.equal([]);
      });

      it('should share one connection, and bring each event to those who watch for it', () => {
        const run = streaming(
          ({ stream, watch, at, server }) => {
            watch(stream({ events: ['newMail'] }), 20);
            watch(stream({ folders: ['drafts'], events: ['created'] }), 20);
            at(5, () => server.deliverMail());
            at(6, () => server.createItem('drafts'));
          },
          { dialect },
        );
        expect(connectionsOf(run)).to.deep.equal(['0.1 ×2']);
        // With what has happened for one, grommunio sends a status for the others.
        expect(newsOf(run)).to.deep.equal(['5 newMail', '6 created']);
        const [first, second] = run.events.filter(({ type }) => type !== 'status');
        expect(first!.subscriptionId).to.not.equal(second!.subscriptionId);
      });

      it('should go on for the others when one leaves', () => {
        const run = streaming(
          ({ stream, watch, at, server }) => {
            watch(stream({ events: ['newMail'] }), 10);
            watch(stream({ events: ['created'] }), 20);
            watch(stream({ events: ['modified'] }), 20);
            at(9, () => server.deliverMail());
            at(11, () => server.deliverMail());
          },
          { dialect },
        );
        expect(newsOf(run).sort()).to.deep.equal([
          '11 created',
          '11 modified',
          '9 created',
          '9 modified',
          '9 newMail',
        ]);
        expect(outcomesOf(run)).to.deep.equal(['Released', 'Released', 'Released']);
      });

      it('should lose nothing, double nothing and keep the order while others join and leave', () => {
        for (const latencyMs of [0, 700]) {
          const sent: string[] = [];
          const run = streaming(
            ({ stream, watch, at, server }) => {
              // grommunio sends what came while no stream was open with the first heartbeat.
              watch(stream({ events: ['newMail'] }), 200);
              for (let second = 3; second < 60; second += 1) {
                at(second + 0.35, () =>
                  watch(stream({ folders: ['notes'], events: ['created'] }), second + 9),
                );
              }
              for (let turn = 0; turn < 1400; turn += 1)
                at(2 + turn / 16, () => sent.push(server.deliverMail()));
            },
            { dialect, latencyMs },
          );
          const mails = run.events.flatMap((event) => (event.type === 'newMail' ? [event.item!.id] : []));
          expect(mails).to.deep.equal(sent);
          expect(gapsOf(run)).to.deep.equal([]);
          expect(run.left()).to.deep.equal([]);
        }
      });
    });
  }

  it('should make silence visible, by the signs of life of the server', () => {
    const run = streaming(({ stream, watch }) => watch(stream(), 140));
    expect(run.seen).to.deep.equal(['45.1 status', '90.1 status', '135.1 status']);
  });

  it('should ask for an answer that nobody compresses, and so holds back', () => {
    const run = streaming(({ stream, watch }) => watch(stream(), 2));
    const [subscribe, connection] = run.server.requests;
    expect(connection!.headers).to.include({ 'accept-encoding': 'identity' });
    expect(subscribe!.headers).to.not.have.property('accept-encoding');
  });

  it('should watch all folders', () => {
    const run = streaming(({ stream, watch, at, server }) => {
      watch(stream({ folders: undefined, allFolders: true, events: ['created'] } as object), 40);
      at(1, () => server.createItem('notes'));
    });
    expect(run.seen).to.deep.equal(['1 created']);
  });

  it('should ask for the shortest connection of those that share it', () => {
    const run = streaming(({ stream, watch }) => {
      watch(stream({ connectionMinutes: 20 }), 5);
      watch(stream({ connectionMinutes: 7 }), 5);
    });
    const [asked] = run.server.requests.filter(({ operation }) => operation === 'GetStreamingEvents');
    expect(asked!.body).to.contain('<m:ConnectionTimeout>7</m:ConnectionTimeout>');
  });

  describe('however it ends', () => {
    it('should unsubscribe on the server on complete, by take', () => {
      const run = streaming(({ stream, watch, at, server }) => {
        watch(stream().pipe(take(1)), 100);
        at(5, () => server.deliverMail());
      });
      expect(run.seen).to.deep.equal(['5 created', '5 complete']);
      expect(run.sent()).to.deep.equal(['0 Subscribe', '0.1 GetStreamingEvents', '5 Unsubscribe']);
      expect(run.server.streams).to.have.length(0);
    });

    it('should unsubscribe on the server on an error behind it', () => {
      const run = streaming(({ stream, watch, at, server }) => {
        watch(stream().pipe(concatMap(() => throwError(() => new RangeError('mine')))), 100);
        at(5, () => server.deliverMail());
      });
      expect(run.seen).to.deep.equal(['5 RangeError']);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('should unsubscribe on the server when switchMap leaves it', () => {
      const run = streaming(({ stream, watch }) => {
        watch(
          timer(0, 10_000).pipe(
            take(3),
            switchMap(() => stream()),
          ),
          25,
        );
      });
      expect(run.sent()).to.deep.equal([
        '0 Subscribe',
        '0.1 GetStreamingEvents',
        '10 Unsubscribe',
        '10 Subscribe',
        '10.1 GetStreamingEvents',
        '20 Unsubscribe',
        '20 Subscribe',
        '20.1 GetStreamingEvents',
        '25 Unsubscribe',
      ]);
    });

    it('should unsubscribe on the server when a callback throws', () => {
      const run = streaming(({ stream, watch, at, server }) => {
        watch(
          stream().pipe(
            map(() => {
              throw new RangeError('mine');
            }),
          ),
          100,
        );
        at(5, () => server.deliverMail());
      });
      expect(run.seen).to.deep.equal(['5 RangeError']);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('should complete when the service is closed, and be removed', () => {
      const run = streaming(({ stream, watch, at, service }) => {
        watch(stream(), 100);
        at(5, () => void service.close());
        at(6, () => watch(stream(), 100));
      });
      expect(run.seen).to.deep.equal(['5 complete', '6 ClosedError']);
      expect(run.errors[0]).to.be.instanceOf(ClosedError);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('should send nothing when it is left before the Subscribe, and remove what comes after it', () => {
      const run = streaming(
        ({ stream, watch }) => {
          stream().subscribe().unsubscribe();
          watch(stream(), 0.2);
        },
        { latencyMs: 1000 },
      );
      expect(run.sent()).to.deep.equal(['0 Subscribe', '0 Subscribe', '1 Unsubscribe', '1 Unsubscribe']);
      expect(outcomesOf(run)).to.deep.equal(['Released', 'Released']);
    });

    it('should not wait for a stream that lingers', () => {
      const run = streaming(({ stream, watch, at, server }) => {
        watch(stream(), 10);
        at(5, () => server.stallStreams());
      });
      expect(run.sent().at(-1)).to.equal('10 Unsubscribe');
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('should be tried as long as the server may hold it, however long it was streamed', () => {
      const run = streaming(({ stream, watch, at, server }) => {
        watch(stream(), 7200);
        at(7199, () => server.failNext(10_000, { error: 'ErrorMailboxMoveInProgress' }, 'Unsubscribe'));
        at(7200 + 25 * 60, () => server.clearFailures());
      });
      expect(outcomesOf(run)).to.deep.equal(['Released']);
      const { outcomes } = run;
      expect(outcomes[0]!.at.getTime() / 1000).to.be.within(7200 + 25 * 60, 7200 + 26 * 60);
    });

    it('should be gone by the clock of the server where it cannot be removed in half an hour', () => {
      const run = streaming(({ stream, watch, at, server }) => {
        watch(stream(), 3600);
        at(3599, () => server.failNext(10_000, 'reset', 'Unsubscribe'));
      });
      expect(outcomesOf(run)).to.deep.equal(['Expired']);
      expect(run.outcomes[0]!.at.getTime() / 1000).to.be.within(3600 + 1800, 3600 + 1830);
    });
  });

  it('should share one subscription for its grace time', () => {
    const run = streaming(({ stream, watch, at }) => {
      const shared$ = stream({ graceSeconds: 5 });
      watch(shared$, 10);
      watch(shared$, 12);
      at(15, () => watch(shared$, 20));
    });
    expect(run.sent()).to.deep.equal(['0 Subscribe', '0.1 GetStreamingEvents', '40 Unsubscribe']);
  });

  it('should fail where all connections are full, and be removed', () => {
    const run = streaming(
      ({ stream, watch }) => {
        for (let each = 0; each < 201; each += 1) watch(stream(), 5);
      },
      {},
      { streaming: { maxConnections: 1 } },
    );
    expect(run.errors).to.have.length(1);
    expect(run.errors[0]).to.be.instanceOf(ConnectionsFullError);
    expect(run.errors[0]).to.have.property('message').that.contains('streaming.maxConnections');
    expect(run.outcomes).to.have.length(201);
    expect(run.left()).to.deep.equal([]);
  });

  it('backs off when each connection names its subscriptions as gone', () => {
    const subscribedAt: number[] = [];
    const run = streaming(
      ({ stream, watch }) => watch(stream(), 20),
      {},
      {
        transport: (request) => {
          const { operation } = summarize(request.body ?? '');
          if (operation === 'Subscribe') subscribedAt.push(asyncScheduler.now() / 1000);
          const id = `S${subscribedAt.length}`;
          const body =
            operation === 'GetStreamingEvents'
              ? [message(streamed(id, 'NewMailEvent')), closed('ErrorSubscriptionNotFound', id)]
              : [
                  answer(
                    operation!,
                    `<m:ResponseCode>NoError</m:ResponseCode><m:SubscriptionId>${id}</m:SubscriptionId>`,
                  ),
                ];
          return of(response(200, { headers: { 'content-type': 'text/xml' }, body }));
        },
      },
    );
    expect(subscribedAt).to.deep.equal([0, 0.1, 2.2, 6.3, 14.4]);
    expect(run.errors).to.deep.equal([]);
  });

  it('should throw for options that cannot be used, before anything is sent', () => {
    const { server } = streaming(({ stream }) => {
      const wrong: readonly [object, RegExp][] = [
        [{ connectionMinutes: 0 }, /connectionMinutes must be a whole number from 1 to 30/],
        [{ connectionMinutes: 31 }, /connectionMinutes/],
        [{ connectionMinutes: 1.5 }, /connectionMinutes/],
        [{ graceSeconds: -1 }, /graceSeconds/],
        [{ events: [] }, /events must be/],
        [{ events: ['status'] }, /events\[0\]/],
        [{ folders: [] }, /folders must be/],
        [{ allFolders: true }, /folders must be/],
      ];
      for (const [options, message] of wrong)
        expect(() => stream(options), String(message)).to.throw(TypeError, message);
    });
    expect(server.requests).to.deep.equal([]);
    for (const limits of [{ maxConnections: 0 }, { maxConnections: 1.5 }]) {
      expect(() => streaming(() => undefined, {}, { streaming: limits }), JSON.stringify(limits)).to.throw(
        TypeError,
        /streaming\./,
      );
    }
  });
});
