import { expect } from 'chai';
import { outcomesOf, pulling } from './pull/pulling.ts';
import { gapsOf, streaming } from './streaming/streaming.ts';
import { expectTokenRefreshes } from './tokenRefreshes.ts';

describe('A subscription, as users of existing clients request,', () => {
  it('resumes a pull without loss after every type of failure', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull({ events: ['newMail'] }), 900);
      for (let second = 10; second < 800; second += 10) at(second, () => server.deliverMail());
      at(100, () => server.failNext(3, 'reset'));
      at(200, () => server.failNext(2, 'resetAfterActing', 'GetEvents'));
      at(300, () => server.failNext(2, { status: 503 }));
      at(400, () => server.expire());
      at(500, () => server.restart());
      at(600, () =>
        server.failNext(1, { fault: 'ErrorServerBusy', values: { BackOffMilliseconds: '20000' } }),
      );
    });
    const mails = run.events.flatMap((event) => (event.type === 'newMail' ? [event.item!.id] : []));
    expect(mails).to.have.length(79);
    expect(new Set(mails).size, 'none twice').to.equal(79);
    expect(gapsOf(run)).to.deep.equal([]);
    expect(run.left()).to.deep.equal([]);
  });

  it('reports its end to the subscriber and to the ledger', () => {
    const run = pulling(({ pull, watch, at, server, errors }) => {
      watch(pull(), 100);
      at(40, () => server.failNext(1, { error: 'ErrorAccessDenied' }, 'GetEvents'));
      at(55, () => server.failNext(1, { error: 'ErrorFolderNotFound' }, 'GetEvents'));
      at(90, () => expect(errors).to.have.length(1));
    });
    expect(run.seen.at(-1)).to.match(/EwsError$/);
    expect(outcomesOf(run).every((outcome) => outcome === 'Released')).to.equal(true);
  });

  it('is removed when its process closes the connection', async () => {
    const run = pulling(({ pull, watch, at, exchange, server }) => {
      for (let each = 0; each < 5; each += 1) watch(pull(), 1000);
      at(100, () => {
        void exchange.close();
        expect(server.subscriptions).to.deep.equal([]);
      });
    });
    expect(outcomesOf(run)).to.deep.equal(Array<string>(5).fill('Released'));
    expect(await run.exchange.drain()).to.include({ clean: true });
  });

  it('resumes from an event of the previous process', () => {
    let watermark: string | undefined;
    const run = pulling(({ pull, watch, at, server, events }) => {
      watch(pull({ events: ['newMail'] }), 100);
      at(50, () => server.deliverMail());
      at(110, () => {
        const [last] = events.filter((event) => event.type === 'newMail');
        watermark = last?.watermark;
        server.deliverMail();
      });
      at(120, () => watch(pull({ events: ['newMail'], watermark: watermark! }), 200));
    });
    const mails = run.events.flatMap((event) => (event.type === 'newMail' ? [event.item!.id] : []));
    expect(mails).to.have.length(2);
    expect(new Set(mails).size).to.equal(2);
    expect(run.events.every(({ subscriptionId }) => subscriptionId !== '')).to.equal(true);
    expect(gapsOf(run)).to.deep.equal([]);
  });

  it('refreshes hourly tokens for two days, only when necessary', () => {
    expectTokenRefreshes(2);
  });

  it('does not block other calls by an open stream', () => {
    const run = streaming(
      ({ stream, pull, watch }) => {
        for (let each = 0; each < 3; each += 1) watch(stream(), 100);
        watch(pull(), 60);
      },
      { latencyMs: 100 },
      { maxConcurrentRequests: 1 },
    );
    expect(run.seen.filter((line) => line.endsWith('status')).length).to.be.above(1);
    expect(run.left()).to.deep.equal([]);
  });
});

describe('A subscription, unlike in existing clients,', () => {
  for (const kind of ['pull', 'stream'] as const) {
    it(`reads all Values of a ServerBusy fault in a Subscribe: ${kind}`, () => {
      const run = streaming(({ stream, pull, watch, server }) => {
        const values = { Policy: 'EWSMaxConcurrency', Other: '1', BackOffMilliseconds: '40000' };
        server.failNext(1, { fault: 'ErrorServerBusy', values }, 'Subscribe');
        watch(kind === 'pull' ? pull() : stream(), 100);
      });
      const [first, second] = run.sent();
      expect(first).to.equal('0 Subscribe');
      expect(second).to.match(/^4[01](\.\d+)? Subscribe$/);
    });

    it(`does not leak after an unsubscribe during its queued Subscribe: ${kind}`, () => {
      const run = streaming(
        ({ stream, pull, watch }) => {
          for (let each = 0; each < 5; each += 1) watch(kind === 'pull' ? pull() : stream(), 1.5);
        },
        { latencyMs: 1000 },
        { maxConcurrentRequests: 1 },
      );
      const sent = run.sent().map((line) => line.split(' ')[1]);
      const count = (operation: string): number => sent.filter((each) => each === operation).length;
      expect(count('Unsubscribe')).to.equal(count('Subscribe'));
      expect(count('Subscribe')).to.be.below(5);
      expect(run.left()).to.deep.equal([]);
    });
  }
});
