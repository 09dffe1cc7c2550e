import { expect } from 'chai';
import { take, throwError } from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import { EwsError, SoapFault } from '../../../lib/ews/protocol/errors.ts';
import type { GapEvent } from '../../../lib/ews/protocol/events.ts';
import type { EwsFailure } from '../../../lib/testing/ews/simulator.ts';
import { outcomesOf, type Pulling, pulling } from '../pull/pulling.ts';

const gapsOf = ({ events }: Pulling): GapEvent[] => events.filter((event) => event.type === 'gap');

describe('A pull whose subscription is lost', () => {
  it('re-creates it from the last watermark, and loses nothing', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull(), 70);
      at(10, () => {
        server.deliverMail();
        server.expire();
      });
      at(40, () => server.deliverMail());
    });
    expect(run.seen).to.deep.equal([
      '0 status',
      '30 created',
      '30 newMail',
      '30 modified',
      '60 created',
      '60 newMail',
      '60 modified',
    ]);
    expect(run.sent()).to.deep.equal([
      '0 Subscribe',
      '0 GetEvents',
      '30 GetEvents',
      '30 Subscribe',
      '30 GetEvents',
      '60 GetEvents',
      '70 Unsubscribe',
    ]);
  });

  it('records an outcome for each subscription, and removes only the last', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull(), 70);
      at(10, () => server.expire());
    });
    expect(outcomesOf(run)).to.deep.equal(['EndedByServer', 'Released']);
    expect(run.outcomes[0]).to.deep.include({ detail: { code: 'ErrorSubscriptionNotFound' } });
    const [lost, last] = run.outcomes.map(({ id }) => id);
    expect(lost).to.not.equal(last);
    const removed = run.server.requests.filter(({ operation }) => operation === 'Unsubscribe');
    expect(removed.map(({ subscriptionId }) => subscriptionId)).to.deep.equal([last]);
  });

  it('starts from now with a gap if onLost is fresh', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull({ onLost: 'recreate' }), 70);
      at(10, () => server.deliverMail());
      at(40, () => {
        server.deliverMail();
        server.expire();
      });
    });
    expect(run.seen.slice(4)).to.deep.equal(['60 gap', '60 status']);
    expect(gapsOf(run)).to.deep.equal([
      {
        type: 'gap',
        subscriptionId: run.outcomes[1]!.id,
        reason: 'subscriptionLost',
        since: new Date(30_000),
      },
    ]);
  });

  it('emits the gap after the new Subscribe, before its first event', () => {
    const run = pulling(
      ({ pull, watch, at, server, events }) => {
        watch(pull({ onLost: 'recreate' }), 60);
        at(10, () => server.expire());
        at(33.8, () => expect(server.subscriptions, 'it stands').to.have.length(1));
        at(33.8, () => expect(events.at(-1)!.type, 'no gap before the response').to.equal('status'));
        at(33.9, () => server.deliverMail());
      },
      { latencyMs: 1000 },
    );
    expect(run.seen).to.deep.equal(['2 status', '34 gap', '35 created', '35 newMail', '35 modified']);
  });

  it('starts from now with a gap if the server refuses the watermark', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull(), 40);
      at(10, () => {
        server.deliverMail();
        server.restart();
        server.forgetHistory();
        server.deliverMail();
      });
    });
    expect(run.seen).to.deep.equal(['0 status', '32 gap', '32 status']);
    expect(gapsOf(run)[0]).to.include({ reason: 'watermarkRefused' });
  });

  it('removes a subscription whose watermark the server refuses', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull(), 40);
      at(10, () => server.failNext(1, { error: 'ErrorInvalidWatermark' }, 'GetEvents'));
    });
    expect(run.seen).to.deep.equal(['0 status', '30 gap', '30 status']);
    expect(run.sent()).to.deep.equal([
      '0 Subscribe',
      '0 GetEvents',
      '30 GetEvents',
      '30 Unsubscribe',
      '30 Subscribe',
      '30 GetEvents',
      '40 Unsubscribe',
    ]);
    expect(outcomesOf(run)).to.deep.equal(['Released', 'Released']);
  });

  it('emits a gap if the server refuses the watermark option', () => {
    const run = pulling(({ pull, watch }) => watch(pull({ watermark: 'W-of-last-year' }), 10));
    expect(run.seen).to.deep.equal(['0 gap', '0 status']);
    expect(gapsOf(run)[0]).to.not.have.property('since');
  });

  it('backs off if each new subscription is lost at once', () => {
    const run = pulling(({ pull, watch, server }) => {
      server.failNext(4, { error: 'ErrorSubscriptionNotFound' }, 'GetEvents');
      watch(pull(), 30);
    });
    expect(run.sent().filter((line) => line.includes('Subscribe'))).to.deep.equal([
      '0 Subscribe',
      '0 Subscribe',
      '2 Subscribe',
      '6 Subscribe',
      '14 Subscribe',
    ]);
    expect(run.left(), 'what the server denied is not removed').to.have.length(4);
  });

  it('continues after a gap if the server has missed events', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull(), 70);
      at(10, () => server.failNext(1, { error: 'ErrorMissedNotificationEvents' }, 'GetEvents'));
      at(40, () => server.deliverMail());
    });
    expect(run.seen).to.deep.equal(['0 status', '30 gap', '60 created', '60 newMail', '60 modified']);
    expect(gapsOf(run)[0]).to.include({ reason: 'eventsMissed' });
    expect(outcomesOf(run)).to.deep.equal(['Released']);
  });

  it('waits while the mailbox moves, and then emits a gap', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull(), 200);
      at(10, () => server.failNext(1, { error: 'ErrorMailboxMoveInProgress' }, 'GetEvents'));
    });
    expect(run.sent().slice(2, 6)).to.deep.equal([
      '30 GetEvents',
      '30 Unsubscribe',
      '91 Subscribe',
      '91 GetEvents',
    ]);
    expect(gapsOf(run)[0]).to.include({ reason: 'mailboxMoved' });
  });

  it('emits no gap if it has not started', () => {
    const run = pulling(({ pull, watch, server }) => {
      server.failNext(1, { error: 'ErrorMailboxMoveInProgress' }, 'Subscribe');
      watch(pull(), 70);
    });
    expect(run.seen).to.deep.equal(['61 status']);
  });

  it('re-creates it if access is denied', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull(), 40);
      at(10, () => {
        server.failNext(1, { error: 'ErrorAccessDenied' }, 'GetEvents');
        server.failNext(1, { error: 'ErrorSubscriptionNotFound' }, 'Unsubscribe');
      });
    });
    expect(run.seen).to.deep.equal(['0 status', '30 gap', '30 status']);
    expect(outcomesOf(run)).to.deep.equal(['AlreadyGone', 'Released']);
  });
});

describe('A pull whose Subscribe fails', () => {
  const transient: readonly [name: string, failure: EwsFailure][] = [
    ['a fault that passes', { fault: 'ErrorInternalServerTransientError' }],
    ['an error that passes', { error: 'ErrorTimeoutExpired' }],
    ['a broken connection', 'reset'],
    ['status 502', { status: 502 }],
  ];
  for (const [name, failure] of transient) {
    it(`backs off and retries after ${name}`, () => {
      const run = pulling(({ pull, watch, server }) => {
        server.failNext(2, failure, 'Subscribe');
        watch(pull(), 10);
      });
      expect(run.sent()).to.deep.equal([
        '0 Subscribe',
        '1 Subscribe',
        '3 Subscribe',
        '3 GetEvents',
        '10 Unsubscribe',
      ]);
      expect(run.seen).to.deep.equal(['3 status']);
      expect(run.left()).to.deep.equal([]);
    });
  }

  it('fails after the retries of the connection if none ever succeeded', () => {
    const run = pulling(
      ({ pull, watch, server }) => {
        server.failNext(100, 'reset');
        watch(pull(), 1000);
      },
      {},
      { retry: { retries: 2, initialMs: 2000, random: () => 0.5 } },
    );
    expect(run.sent()).to.deep.equal(['0 Subscribe', '1 Subscribe', '3 Subscribe']);
    expect(run.seen).to.deep.equal(['3 NetworkError']);
    expect(outcomesOf(run)).to.deep.equal(['Unknown', 'Unknown', 'Unknown']);
  });

  it("gives up after the connection's retries when each response is 503", () => {
    const run = pulling(
      ({ pull, watch, server }) => {
        server.failNext(100, { status: 503 });
        watch(pull(), 1000);
      },
      {},
      { retry: { retries: 2, initialMs: 2000, random: () => 0.5 } },
    );
    expect(run.sent().map((line) => line.split(' ')[1])).to.deep.equal([
      'Subscribe',
      'Subscribe',
      'Subscribe',
    ]);
    expect(run.seen.map((line) => line.split(' ')[1])).to.deep.equal(['HttpError']);
  });

  it('fails after four retries by default', () => {
    const run = pulling(
      ({ pull, watch, server }) => {
        server.failNext(100, { error: 'ErrorTimeoutExpired' });
        watch(pull(), 1000);
      },
      {},
      { retry: { random: () => 0.5 } },
    );
    expect(run.sent()).to.have.length(5);
    expect(run.seen).to.have.length(1);
  });

  it('never gives up after it has subscribed once', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull(), 4000);
      at(10, () => {
        server.restart();
        server.failNext(20, { error: 'ErrorTimeoutExpired' });
      });
    });
    expect(run.server.requests.length).to.be.above(22);
    expect(run.errors).to.deep.equal([]);
    expect(run.seen.at(-1)).to.match(/status$/);
  });

  it('limits the wait that the server requests', () => {
    const run = pulling(
      ({ pull, watch, server }) => {
        const values = { BackOffMilliseconds: '99999999999' };
        server.failNext(1, { fault: 'ErrorServerBusy', values }, 'Subscribe');
        watch(pull(), 20);
      },
      {},
      { retry: { maxRetryAfterMs: 10_000, initialMs: 2000, random: () => 0.5 } },
    );
    expect(run.sent()).to.deep.equal(['0 Subscribe', '11 Subscribe', '11 GetEvents', '20 Unsubscribe']);
  });

  for (const [how, errorClass] of [
    ['fault', SoapFault],
    ['error', EwsError],
  ] as const) {
    it(`fails at once on a refusal, as ${how}`, () => {
      const run = pulling(({ pull, watch, server }) => {
        const failure = how === 'fault' ? { fault: 'ErrorAccessDenied' } : { error: 'ErrorAccessDenied' };
        server.failNext(1, failure, 'Subscribe');
        watch(pull(), 10);
      });
      expect(run.errors).to.have.length(1);
      expect(run.errors[0]).to.be.instanceOf(errorClass).and.to.include({ code: 'ErrorAccessDenied' });
      expect(run.sent()).to.deep.equal(['0 Subscribe']);
      expect(outcomesOf(run)).to.deep.equal([]);
    });
  }

  describe('because of the subscription limit', () => {
    it('fails if this process is releasing nothing', () => {
      const run = pulling(({ pull, watch }) => watch(pull(), 10), { maxSubscriptions: 0 });
      expect(run.errors[0]).to.include({ code: 'ErrorExceededSubscriptionCount' });
      expect(run.sent()).to.deep.equal(['0 Subscribe']);
    });

    it('retries when this process has released a subscription', () => {
      const run = pulling(
        ({ pull, watch, at, server }) => {
          watch(pull(), 10);
          at(9, () => server.failNext(1, 'reset', 'Unsubscribe'));
          at(10.5, () => watch(pull(), 20));
        },
        { maxSubscriptions: 1 },
      );
      expect(run.sent()).to.deep.equal([
        '0 Subscribe',
        '0 GetEvents',
        '10 Unsubscribe',
        '11 Unsubscribe',
        '11 Subscribe',
        '11 GetEvents',
        '30.5 Unsubscribe',
      ]);
      expect(run.errors).to.deep.equal([]);
    });
  });
});

describe('A pull from a server without watermarks', () => {
  const dialect = 'grommunio';

  it('sends an empty watermark with GetEvents', () => {
    const run = pulling(
      ({ pull, watch, at, server }) => {
        watch(pull(), 40);
        at(10, () => server.deliverMail());
      },
      { dialect },
    );
    expect(run.seen).to.deep.equal(['0 status', '30 created', '30 newMail', '30 modified']);
    const questions = run.server.requests.filter(({ operation }) => operation === 'GetEvents');
    expect(questions.map(({ watermark }) => watermark)).to.deep.equal(['', '']);
  });

  it('emits each event once, and polls at once for more', () => {
    const run = pulling(
      ({ pull, watch, at, server }) => {
        watch(pull(), 40);
        at(1, () => {
          for (let mails = 0; mails < 40; mails += 1) server.deliverMail();
        });
      },
      { dialect },
    );
    expect(run.events.filter(({ type }) => type === 'newMail')).to.have.length(40);
    expect(run.events).to.have.length(121);
  });

  it('emits a gap after a lost response, since its events are lost', () => {
    const run = pulling(
      ({ pull, watch, at, server }) => {
        watch(pull(), 40);
        at(10, () => {
          server.deliverMail();
          server.failNext(1, 'resetAfterActing', 'GetEvents');
        });
      },
      { dialect },
    );
    expect(run.seen).to.deep.equal(['0 status', '31 gap', '31 status']);
    expect(gapsOf(run)).to.deep.equal([
      { type: 'gap', subscriptionId: run.outcomes[1]!.id, reason: 'responseLost', since: new Date(0) },
    ]);
    expect(outcomesOf(run)).to.deep.equal(['Released', 'Released']);
  });

  it('loses nothing to a GetEvents that arrives after its connection broke', () => {
    const run = pulling(
      ({ pull, watch, at, server }) => {
        watch(pull(), 70);
        at(29, () => server.failNext(1, { arrivesAfterMs: 4000 }, 'GetEvents'));
        at(32, () => server.deliverMail());
      },
      { dialect },
    );
    expect(run.seen).to.deep.equal([
      '0 status',
      '31 gap',
      '31 status',
      '61 created',
      '61 newMail',
      '61 modified',
    ]);
    expect(run.left()).to.deep.equal([]);
  });

  it('starts from now with a gap after a refused connection', () => {
    let transport: Transport | undefined;
    let isDown = false;
    const run = pulling(
      ({ pull, watch, at, server }) => {
        ({ transport } = server);
        watch(pull(), 40);
        at(29, () => (isDown = true));
        at(30.5, () => (isDown = false));
      },
      { dialect },
      {
        transport: (request) =>
          isDown || transport === undefined
            ? throwError(() => new NetworkError('refused', request, { code: 'ECONNREFUSED' }))
            : transport(request),
      },
    );
    expect(run.seen).to.deep.equal(['0 status', '31 gap', '31 status']);
  });

  it('emits no gap if the server refused GetEvents', () => {
    const run = pulling(
      ({ pull, watch, at, server }) => {
        watch(pull(), 40);
        at(10, () => {
          server.deliverMail();
          server.failNext(1, { fault: 'ErrorServerBusy' }, 'GetEvents');
        });
      },
      { dialect },
    );
    expect(run.seen).to.deep.equal(['0 status', '31 created', '31 newMail', '31 modified']);
  });

  it('loses nothing with a lost response if the server has watermarks', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull(), 40);
      at(10, () => {
        server.deliverMail();
        server.failNext(1, 'resetAfterActing', 'GetEvents');
      });
    });
    expect(run.seen).to.deep.equal(['0 status', '31 created', '31 newMail', '31 modified']);
  });

  it('starts from now with a gap after a restart, whatever its id', () => {
    const run = pulling(
      ({ pull, watch, at, server }) => {
        watch(pull(), 40);
        at(10, () => server.restart());
      },
      { dialect },
    );
    expect(run.seen).to.deep.equal(['0 status', '30 gap', '30 status']);
    expect(run.sent().filter((line) => line.includes('Unsubscribe'))).to.deep.equal(['40 Unsubscribe']);
    const [before, after] = run.outcomes.map(({ id }) => id);
    expect(before, 'the server uses the same id again').to.equal(after);
    expect(outcomesOf(run)).to.deep.equal(['EndedByServer', 'Released']);
  });

  it('keeps two subscriptions apart when the server reuses ids', () => {
    const run = pulling(
      ({ pull, watch, at, server }) => {
        watch(pull({ pollIntervalSeconds: 40 }), 100);
        at(1, () => watch(pull({ pollIntervalSeconds: 30 }), 90));
        at(20, () => server.restart());
        at(45, () => expect(new Set(server.subscriptions.map(({ id }) => id)).size).to.equal(2));
        at(50, () => server.deliverMail());
      },
      { dialect },
    );
    // The second pull notices the loss first, and gets the old id of the first pull.
    expect(run.sent().filter((line) => /scribe/.test(line))).to.deep.equal([
      '0 Subscribe',
      '1 Subscribe',
      '31 Subscribe',
      '31 Subscribe',
      '91 Unsubscribe',
      '100 Unsubscribe',
    ]);
    expect(run.events.filter(({ type }) => type === 'newMail')).to.have.length(2);
    expect(run.left()).to.deep.equal([]);
    expect(outcomesOf(run)).to.deep.equal(['EndedByServer', 'EndedByServer', 'Released', 'Released']);
  });

  describe('while an expected id may equal its own', () => {
    /**
     * The response to a second Subscribe is late; the server restarts, and then the first subscription polls.
     */
    const late = (delayMs: number, isRestarted: boolean, seconds = 60): Pulling =>
      pulling(
        ({ pull, watch, at, server }) => {
          const [folder, other] = [server.createFolder(), server.createFolder()];
          watch(pull({ folders: [{ id: folder }] }), seconds);
          at(20, () => {
            server.deliverMail(folder);
            if (isRestarted) server.restart();
          });
          at(25, () => {
            server.failNext(1, { delayMs }, 'Subscribe');
            pull({ folders: [{ id: other }] })
              .pipe(take(1))
              .subscribe();
          });
          at(26, () => server.deliverMail(other));
        },
        { dialect },
      );

    it('emits no events of the new owner, but a gap', () => {
      const run = late(10_000, true);
      expect(run.seen).to.deep.equal(['0 status', '35 gap', '35 status']);
      const [, gap] = run.events;
      expect(gap?.type === 'gap' && [gap.reason, gap.since?.getTime()]).to.deep.equal([
        'subscriptionLost',
        0,
      ]);
      expect(run.left()).to.deep.equal([]);
    });

    it('emits the buffered events when the id is another one', () => {
      const run = late(10_000, false);
      expect(run.seen).to.deep.equal(['0 status', '35 created', '35 newMail', '35 modified']);
    });

    it('emits the buffered events when no id can arrive any more', () => {
      // After two minutes without a response.
      const run = late(1_000_000, false, 150);
      expect(run.seen).to.deep.equal(['0 status', '145 created', '145 newMail', '145 modified']);
    });
  });

  it('re-creates both if a response before a restart gives an id twice', () => {
    const run = pulling(
      ({ pull, watch, at, server }) => {
        server.failNext(1, { delayMs: 10_000 }, 'Subscribe');
        watch(pull(), 60);
        at(2, () => {
          server.restart();
          watch(pull({ folders: [{ id: server.createFolder() }] }), 50);
        });
        at(15, () =>
          expect(new Set(server.subscriptions.map(({ folders }) => folders?.[0])).size).to.equal(2),
        );
        at(15, () => server.deliverMail());
      },
      { dialect },
    );
    expect(run.sent().filter((line) => /scribe/.test(line))).to.deep.equal([
      '0 Subscribe',
      '2 Subscribe',
      '10 Unsubscribe',
      '10 Subscribe',
      '10 Subscribe',
      '52 Unsubscribe',
      '60 Unsubscribe',
    ]);
    expect(run.seen).to.deep.equal([
      '10 gap',
      '10 status',
      '10 status',
      '40 status',
      '40 created',
      '40 newMail',
      '40 modified',
    ]);
    expect(run.left()).to.deep.equal([]);
  });

  it('never removes a new subscription by a late Unsubscribe of its id', () => {
    const run = pulling(
      ({ pull, watch, at, server }) => {
        watch(pull(), 10);
        at(9, () => {
          server.restart();
          server.failNext(1, 'reset', 'Unsubscribe');
        });
        at(10.5, () => watch(pull(), 60));
        at(50, () => expect(server.subscriptions).to.have.length(1));
      },
      { dialect },
    );
    expect(run.sent().filter((line) => line.includes('Unsubscribe'))).to.deep.equal([
      '10 Unsubscribe',
      '11 Unsubscribe',
      '70.5 Unsubscribe',
    ]);
    expect(outcomesOf(run)).to.deep.equal(['AlreadyGone', 'Released']);
  });
});
