import { expect } from 'chai';
import { concatMap, firstValueFrom, map, mergeMap, switchMap, take, throwError, timeout, timer } from 'rxjs';
import { readText } from '../../../lib/core/transport/transport.ts';
import { ClosedError } from '../../../lib/core/errors.ts';
import type { Fetch } from '../../../lib/core/transport/send.ts';
import { pullNotifications } from '../../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { type Exchange } from '../../../lib/ews/session/session.ts';
import { summarize } from '../../../lib/testing/ews/requests/readRequest.ts';
import { ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { expectUncaught } from '../../support/uncaught.ts';
import { outcomesOf, pulling } from './pulling.ts';

describe('pullNotifications', () => {
  it('sends nothing before it is subscribed to', () => {
    const { server } = pulling(({ pull }) => {
      pull();
    });
    expect(server.requests).to.deep.equal([]);
  });

  it('subscribes, polls at once and then at the interval, and unsubscribes', () => {
    const run = pulling(({ pull, watch }) => watch(pull({ pollIntervalSeconds: 30 }), 70));
    expect(run.sent()).to.deep.equal([
      '0 Subscribe',
      '0 GetEvents',
      '30 GetEvents',
      '60 GetEvents',
      '70 Unsubscribe',
    ]);
    expect(run.seen).to.deep.equal(['0 status', '30 status', '60 status']);
    expect(run.left()).to.deep.equal([]);
    expect(run.outcomes).to.have.length(1);
    expect(run.outcomes[0]).to.include({ outcome: 'Released', resource: 'PullSubscription', attempts: 1 });
    expect(run.outcomes[0]!.id).to.equal(run.server.requests[1]!.subscriptionId);
  });

  it('emits events of all types in the order of the server', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull(), 40);
      at(10, () => {
        server.deliverMail();
        server.deliverMail();
      });
    });
    expect(run.seen).to.deep.equal([
      '0 status',
      '30 created',
      '30 newMail',
      '30 modified',
      '30 created',
      '30 newMail',
      '30 modified',
    ]);
  });

  it('creates a subscription for each subscriber, and removes each', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      const events$ = pull();
      watch(events$, 10);
      watch(events$, 20);
      at(5, () => expect(server.subscriptions).to.have.length(2));
      at(15, () => expect(server.subscriptions).to.have.length(1));
    });
    expect(outcomesOf(run)).to.deep.equal(['Released', 'Released']);
  });

  it('resumes from a watermark of another process without loss', () => {
    const run = pulling(({ pull, watch, at, server, events }) => {
      watch(pull(), 5);
      at(6, () => server.deliverMail());
      at(10, () => {
        const watermark = events.flatMap((event) => ('watermark' in event ? [event.watermark] : [])).at(-1);
        watch(pull({ watermark: watermark! }), 12);
      });
    });
    expect(run.seen).to.deep.equal(['0 status', '10 created', '10 newMail', '10 modified']);
  });

  it('watches all folders', () => {
    const run = pulling(({ exchange, watch, at, server }) => {
      watch(pullNotifications(exchange, { allFolders: true, events: ['created'] }), 40);
      at(1, () => server.createItem('notes'));
    });
    expect(run.seen).to.deep.equal(['0 status', '30 created']);
  });

  it('makes silence visible, so that an application can time out', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull().pipe(timeout({ each: 45_000 })), 200);
      at(40, () => server.failNext(1, { delayMs: 600_000 }));
    });
    expect(run.seen).to.deep.equal(['0 status', '30 status', '75 TimeoutError']);
    expect(outcomesOf(run)).to.deep.equal(['Released']);
  });

  describe('however it ends', () => {
    it('removes the subscription when take completes', () => {
      const run = pulling(({ pull, watch }) => watch(pull().pipe(take(1)), 100));
      expect(run.seen).to.deep.equal(['0 status', '0 complete']);
      expect(run.sent()).to.deep.equal(['0 Subscribe', '0 GetEvents', '0 Unsubscribe']);
    });

    it('removes the subscription when a later operator errors', () => {
      const run = pulling(({ pull, watch }) =>
        watch(pull().pipe(concatMap(() => throwError(() => new RangeError('own')))), 100),
      );
      expect(run.seen).to.deep.equal(['0 RangeError']);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('removes the subscription when switchMap unsubscribes', () => {
      const run = pulling(({ pull, watch }) => {
        watch(
          timer(0, 10_000).pipe(
            take(3),
            switchMap(() => pull()),
          ),
          25,
        );
      });
      expect(run.sent().filter((line) => !line.includes('GetEvents'))).to.deep.equal([
        '0 Subscribe',
        '10 Unsubscribe',
        '10 Subscribe',
        '20 Unsubscribe',
        '20 Subscribe',
        '25 Unsubscribe',
      ]);
    });

    it('removes the subscription when a callback throws', () => {
      const run = pulling(({ pull, watch }) =>
        watch(
          pull().pipe(
            map(() => {
              throw new RangeError('own');
            }),
          ),
          100,
        ),
      );
      expect(run.seen).to.deep.equal(['0 RangeError']);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('keeps the subscription when an observer throws, until it unsubscribes', async () => {
      const server = ewsSimulator();
      const exchange = connectExchange({ server: server.url, transport: server.transport });
      const uncaught = expectUncaught();
      const watching = pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe(
        () => {
          throw new RangeError('own');
        },
      );
      expect(await uncaught).to.be.instanceOf(RangeError);
      expect(server.subscriptions).to.have.length(1);
      watching.unsubscribe();
      expect((await exchange.drain()).clean).to.equal(true);
      expect(server.subscriptions).to.have.length(0);
    });

    it('removes the subscription when the server refuses GetEvents', () => {
      const run = pulling(({ pull, watch, server }) => {
        server.failNext(1, { error: 'ErrorAccessDenied' }, 'GetEvents');
        watch(pull(), 100);
      });
      expect(run.seen).to.deep.equal(['0 EwsError']);
      expect(run.sent()).to.deep.equal(['0 Subscribe', '0 GetEvents', '0 Unsubscribe']);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('completes on close, removes the subscription, and refuses later subscribers', () => {
      const run = pulling(({ pull, watch, at, exchange }) => {
        watch(pull(), 100);
        at(10, () => void exchange.close());
        at(11, () => watch(pull(), 100));
      });
      expect(run.seen).to.deep.equal(['0 status', '10 complete', '11 ClosedError']);
      expect(run.errors[0]).to.be.instanceOf(ClosedError);
      expect(run.sent().at(-1)).to.equal('10 Unsubscribe');
    });
  });

  describe('unsubscribed during Subscribe', () => {
    const latencyMs = 2000;

    it('releases the subscription at once when the late response arrives', () => {
      const run = pulling(({ pull, watch }) => watch(pull(), 0.5), { latencyMs });
      expect(run.sent()).to.deep.equal(['0 Subscribe', '2 Unsubscribe']);
      expect(run.seen).to.deep.equal([]);
      expect(run.left()).to.deep.equal([]);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('sends nothing after a refusal', () => {
      const run = pulling(
        ({ pull, watch, server }) => {
          server.failNext(1, { error: 'ErrorAccessDenied' }, 'Subscribe');
          watch(pull(), 0.5);
        },
        { latencyMs },
      );
      expect(run.sent()).to.deep.equal(['0 Subscribe']);
      expect(outcomesOf(run)).to.deep.equal([]);
    });

    it('records a lost response as Unknown', () => {
      const run = pulling(({ pull, watch, server }) => {
        server.failNext(1, 'resetAfterActing', 'Subscribe');
        watch(pull(), 0);
      });
      expect(outcomesOf(run)).to.deep.equal(['Unknown']);
      expect(run.outcomes[0]).to.have.property('hint').that.contains('10 minutes');
    });

    it('aborts the open GetEvents, but never the Unsubscribe', () => {
      const run = pulling(({ pull, watch }) => watch(pull(), 3), { latencyMs });
      expect(run.sent()).to.deep.equal(['0 Subscribe', '2 GetEvents', '3 Unsubscribe']);
      expect(run.server.requests.map(({ status }) => status)).to.deep.equal([200, undefined, 200]);
      expect(run.seen).to.deep.equal([]);
    });
  });

  describe('shared', () => {
    it('creates one subscription, and removes it after the last subscriber', () => {
      const run = pulling(({ pull, watch, at, server }) => {
        const events$ = pull({ graceSeconds: 0 });
        watch(events$, 10);
        watch(events$, 20);
        at(15, () => expect(server.subscriptions).to.have.length(1));
      });
      expect(run.sent()).to.deep.equal(['0 Subscribe', '0 GetEvents', '20 Unsubscribe']);
    });

    it('keeps the subscription for the grace period', () => {
      const run = pulling(({ pull, watch, at }) => {
        const events$ = pull({ graceSeconds: 5 });
        watch(events$, 10);
        at(14, () => watch(events$, 2));
      });
      expect(run.sent()).to.deep.equal(['0 Subscribe', '0 GetEvents', '21 Unsubscribe']);
    });

    it('removes the subscription at once on drain', () => {
      const run = pulling(({ pull, watch, at, exchange }) => {
        watch(pull({ graceSeconds: 3600 }), 10);
        at(12, () => void exchange.drain());
      });
      expect(run.sent().at(-1)).to.equal('12 Unsubscribe');
    });
  });

  it('throws for a value that is not a connection', () => {
    const real = connectExchange({ server: 'https://mail.example/EWS/Exchange.asmx' });
    const exchange = Object.fromEntries(Object.entries(real)) as unknown as Exchange;
    expect(() => pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] })).to.throw(
      TypeError,
      'exchange must be what connectExchange() returned',
    );
  });

  describe('avoids the mistakes of existing clients', () => {
    it('dispose sends no Unsubscribe', () => {
      const run = pulling(({ pull, watch }) => watch(pull(), 1));
      expect(run.sent().at(-1)).to.equal('1 Unsubscribe');
    });

    it('Unsubscribe is sent with an already aborted signal, so never sent', async () => {
      const server = ewsSimulator();
      const signals: [operation: string, wasAborted: boolean, signal: AbortSignal][] = [];
      const fetch: Fetch = async (url, { method = '', headers, body, signal }) => {
        const request = { method, url, headers: headers as Record<string, string>, body: body as string };
        signals.push([summarize(request.body).operation!, signal!.aborted, signal!]);
        const response = await firstValueFrom(
          server
            .transport(request)
            .pipe(
              mergeMap((answer) =>
                readText(answer, 'answer').pipe(map((text) => ({ text, status: answer.status }))),
              ),
            ),
        );
        return new Response(response.text, {
          status: response.status,
          headers: { 'content-type': 'text/xml' },
        });
      };
      const exchange = connectExchange({ server: server.url, fetch });
      await firstValueFrom(pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }));
      await exchange.drain();
      const released = signals.filter(([operation]) => operation === 'Unsubscribe');
      expect(released.map(([, wasAborted, signal]) => [wasAborted, signal.aborted])).to.deep.equal([
        [false, false],
      ]);
      expect(server.subscriptions).to.have.length(0);
    });

    it('an unsubscribe that races an in-flight Subscribe leaks the subscription', () => {
      const run = pulling(({ pull, watch }) => watch(pull(), 1), { latencyMs: 4000 });
      expect(run.server.requests.map(({ operation }) => operation)).to.deep.equal([
        'Subscribe',
        'Unsubscribe',
      ]);
      expect(run.left()).to.deep.equal([]);
    });

    it('events are regrouped by type, so their order is lost', () => {
      const run = pulling(({ pull, watch, at, server }) => {
        watch(pull({ events: ['created', 'newMail'] }), 40);
        at(1, () => {
          server.deliverMail();
          server.createItem('inbox');
          server.deliverMail();
        });
      });
      const types = run.events.slice(1).map(({ type }) => type);
      expect(types).to.deep.equal(['created', 'newMail', 'created', 'created', 'newMail']);
    });

    it('the watermark of the wrong event is kept', () => {
      const run = pulling(({ pull, watch, at, server }) => {
        watch(pull(), 70);
        at(1, () => server.deliverMail());
      });
      const asked = run.server.requests.map(({ watermark }) => watermark);
      const got = run.events.map((event) => ('watermark' in event ? event.watermark : undefined));
      expect(got).to.have.length(5);
      expect(asked.slice(2), 'of the StatusEvent, then of the last of three').to.deep.equal([
        got[0],
        got[3],
        undefined,
      ]);
    });

    it('MoreEvents is requested with a stale watermark', () => {
      const run = pulling(({ pull, watch, at, server }) => {
        watch(pull(), 40);
        at(1, () => {
          for (let mails = 0; mails < 40; mails += 1) server.deliverMail();
        });
      });
      const items = run.events.filter(({ type }) => type === 'newMail');
      expect(items).to.have.length(40);
      expect(new Set(items.map((event) => JSON.stringify(event))).size, 'none twice').to.equal(40);
      expect(run.sent(), 'again at once, twice').to.deep.equal([
        '0 Subscribe',
        '0 GetEvents',
        '30 GetEvents',
        '30 GetEvents',
        '30 GetEvents',
        '40 Unsubscribe',
      ]);
    });

    it('only the first Value of a ServerBusy fault is read', () => {
      const run = pulling(({ pull, watch, server }) => {
        const values = { Policy: 'MaxConcurrency', Limit: '27', BackOffMilliseconds: '20000' };
        server.failNext(1, { fault: 'ErrorServerBusy', values }, 'GetEvents');
        watch(pull(), 22);
      });
      expect(run.sent(), '20 seconds and a jitter of 1').to.deep.equal([
        '0 Subscribe',
        '0 GetEvents',
        '21 GetEvents',
        '22 Unsubscribe',
      ]);
    });

    it('HTTP 401, 500 and 503 kill the process', () => {
      for (const status of [401, 500, 503]) {
        const run = pulling(({ pull, watch, server }) => {
          server.failNext(
            1,
            { status, headers: { 'content-type': 'text/html' }, body: '<html>' },
            'GetEvents',
          );
          watch(pull(), 10);
        });
        expect(run.left()).to.deep.equal([]);
        expect(run.seen.at(0)).to.equal(status === 401 ? '0 HttpError' : '1 status');
      }
    });

    it('closing one subscription closes another', () => {
      const run = pulling(({ pull, watch, at, server }) => {
        watch(pull(), 10);
        watch(pull(), 40);
        at(20, () => expect(server.subscriptions).to.have.length(1));
        at(25, () => server.deliverMail());
      });
      expect(run.seen.at(-1)).to.equal('30 modified');
    });
  });

  it('runs thirty minutes of virtual time with the simulator', () => {
    const run = pulling(({ pull, watch }) => watch(pull(), 30 * 60));
    expect(run.seen, 'a status each half minute').to.have.length(60);
  });
});
