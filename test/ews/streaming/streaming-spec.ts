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
  it('sends nothing before it is subscribed to', () => {
    const { server } = streaming(({ stream }) => {
      stream();
    });
    expect(server.requests).to.deep.equal([]);
  });

  for (const dialect of dialects) {
    describe(`with ${dialect}`, () => {
      it('subscribes, opens a request, emits events, and unsubscribes', () => {
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

      it('closes the request on unsubscribe', () => {
        streaming(
          ({ stream, watch, at, server }) => {
            watch(stream(), 20);
            at(19, () => expect(server.streams).to.have.length(1));
            at(20.1, () => expect(server.streams).to.have.length(0));
          },
          { dialect },
        );
      });

      it('opens the request again at once when it ends', () => {
        const run = streaming(
          ({ stream, watch, at, server }) => {
            watch(stream({ connectionMinutes: 1 }), 130);
            for (const second of [59, 61, 119, 122]) at(second, () => server.deliverMail());
          },
          { dialect },
        );
        // grommunio closes a stream with its next message.
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

      it('shares one request, and routes each event to its subscription', () => {
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
        // grommunio sends a status to the other subscriptions with each event.
        expect(newsOf(run)).to.deep.equal(['5 newMail', '6 created']);
        const [first, second] = run.events.filter(({ type }) => type !== 'status');
        expect(first!.subscriptionId).to.not.equal(second!.subscriptionId);
      });

      it('continues for the others when one unsubscribes', () => {
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

      it('keeps order and completeness while others join and leave', () => {
        for (const latencyMs of [0, 700]) {
          const sent: string[] = [];
          const run = streaming(
            ({ stream, watch, at, server }) => {
              // grommunio sends events from before the request with its first heartbeat.
              watch(stream({ events: ['newMail'] }), 200);
              for (let second = 3; second < 60; second += 1) {
                at(second + 0.35, () =>
                  watch(stream({ folders: ['notes'], events: ['created'] }), second + 9),
                );
              }
              for (let index = 0; index < 1400; index += 1)
                at(2 + index / 16, () => sent.push(server.deliverMail()));
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

  it('makes silence visible by the status events of the server', () => {
    const run = streaming(({ stream, watch }) => watch(stream(), 140));
    expect(run.seen).to.deep.equal(['45.1 status', '90.1 status', '135.1 status']);
  });

  it('requests an uncompressed response, which is not buffered', () => {
    const run = streaming(({ stream, watch }) => watch(stream(), 2));
    const [subscribe, connection] = run.server.requests;
    expect(connection!.headers).to.include({ 'accept-encoding': 'identity' });
    expect(subscribe!.headers).to.not.have.property('accept-encoding');
  });

  it('watches all folders', () => {
    const run = streaming(({ stream, watch, at, server }) => {
      watch(stream({ folders: undefined, allFolders: true, events: ['created'] } as object), 40);
      at(1, () => server.createItem('notes'));
    });
    expect(run.seen).to.deep.equal(['1 created']);
  });

  it('uses the shortest connectionMinutes of those that share a request', () => {
    const run = streaming(({ stream, watch }) => {
      watch(stream({ connectionMinutes: 20 }), 5);
      watch(stream({ connectionMinutes: 7 }), 5);
    });
    const [asked] = run.server.requests.filter(({ operation }) => operation === 'GetStreamingEvents');
    expect(asked!.body).to.contain('<m:ConnectionTimeout>7</m:ConnectionTimeout>');
  });

  describe('however it ends', () => {
    it('removes the subscription when take completes', () => {
      const run = streaming(({ stream, watch, at, server }) => {
        watch(stream().pipe(take(1)), 100);
        at(5, () => server.deliverMail());
      });
      expect(run.seen).to.deep.equal(['5 created', '5 complete']);
      expect(run.sent()).to.deep.equal(['0 Subscribe', '0.1 GetStreamingEvents', '5 Unsubscribe']);
      expect(run.server.streams).to.have.length(0);
    });

    it('removes the subscription when a later operator errors', () => {
      const run = streaming(({ stream, watch, at, server }) => {
        watch(stream().pipe(concatMap(() => throwError(() => new RangeError('own')))), 100);
        at(5, () => server.deliverMail());
      });
      expect(run.seen).to.deep.equal(['5 RangeError']);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('removes the subscription when switchMap unsubscribes', () => {
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

    it('removes the subscription when a callback throws', () => {
      const run = streaming(({ stream, watch, at, server }) => {
        watch(
          stream().pipe(
            map(() => {
              throw new RangeError('own');
            }),
          ),
          100,
        );
        at(5, () => server.deliverMail());
      });
      expect(run.seen).to.deep.equal(['5 RangeError']);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('completes on close, and removes the subscription', () => {
      const run = streaming(({ stream, watch, at, exchange }) => {
        watch(stream(), 100);
        at(5, () => void exchange.close());
        at(6, () => watch(stream(), 100));
      });
      expect(run.seen).to.deep.equal(['5 complete', '6 ClosedError']);
      expect(run.errors[0]).to.be.instanceOf(ClosedError);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('sends nothing before Subscribe, and releases a late response', () => {
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

    it('does not wait for a response that stays open', () => {
      const run = streaming(({ stream, watch, at, server }) => {
        watch(stream(), 10);
        at(5, () => server.stallStreams());
      });
      expect(run.sent().at(-1)).to.equal('10 Unsubscribe');
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('retries Unsubscribe as long as the server may have the subscription', () => {
      const run = streaming(({ stream, watch, at, server }) => {
        watch(stream(), 7200);
        at(7199, () => server.failNext(10_000, { error: 'ErrorMailboxMoveInProgress' }, 'Unsubscribe'));
        at(7200 + 25 * 60, () => server.clearFailures());
      });
      expect(outcomesOf(run)).to.deep.equal(['Released']);
      const { outcomes } = run;
      expect(outcomes[0]!.at.getTime() / 1000).to.be.within(7200 + 25 * 60, 7200 + 26 * 60);
    });

    it('records Expired if Unsubscribe fails for half an hour', () => {
      const run = streaming(({ stream, watch, at, server }) => {
        watch(stream(), 3600);
        at(3599, () => server.failNext(10_000, 'reset', 'Unsubscribe'));
      });
      expect(outcomesOf(run)).to.deep.equal(['Expired']);
      expect(run.outcomes[0]!.at.getTime() / 1000).to.be.within(3600 + 1800, 3600 + 1830);
    });
  });

  it('shares one subscription for its grace period', () => {
    const run = streaming(({ stream, watch, at }) => {
      const shared$ = stream({ graceSeconds: 5 });
      watch(shared$, 10);
      watch(shared$, 12);
      at(15, () => watch(shared$, 20));
    });
    expect(run.sent()).to.deep.equal(['0 Subscribe', '0.1 GetStreamingEvents', '40 Unsubscribe']);
  });

  it('fails if all connections are full, and removes the subscription', () => {
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

  it('throws for options that cannot be used, before anything is sent', () => {
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
