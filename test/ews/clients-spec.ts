import { expect } from 'chai';
import { outcomesOf, pulling } from './pull/pulling.ts';
import { gapsOf, streaming } from './streaming/streaming.ts';
import { expectTokenRefreshes } from './tokenRefreshes.ts';

describe('What users of existing clients ask for, of any subscription', () => {
  it('reconnect without loss: a pull goes on from where it was, through every kind of failure', () => {
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

  it('to be told when it stopped: an error, a gap or the end, and what became of it on the server', () => {
    const run = pulling(({ pull, watch, at, server, errors }) => {
      watch(pull(), 100);
      at(40, () => server.failNext(1, { error: 'ErrorAccessDenied' }, 'GetEvents'));
      at(55, () => server.failNext(1, { error: 'ErrorFolderNotFound' }, 'GetEvents'));
      at(90, () => expect(errors).to.have.length(1));
    });
    expect(run.seen.at(-1)).to.match(/EwsError$/);
    expect(outcomesOf(run).every((outcome) => outcome === 'Released')).to.equal(true);
  });

  it('no leaked subscriptions after restarts: what a process leaves open is removed when it closes', async () => {
    const run = pulling(({ pull, watch, at, service, server }) => {
      for (let each = 0; each < 5; each += 1) watch(pull(), 1000);
      at(100, () => {
        void service.close();
        expect(server.subscriptions).to.deep.equal([]);
      });
    });
    expect(outcomesOf(run)).to.deep.equal(Array<string>(5).fill('Released'));
    expect(await run.service.drain()).to.include({ clean: true });
  });

  it('ids and watermarks that survive a restart: the next life of a process resumes from an event of this one', () => {
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

  it('tokens that refresh on a long-lived stream: two days of tokens of an hour, asked for only when one is needed', () => {
    expectTokenRefreshes(2);
  });

  it('other calls that do not hang while a stream is open, even where one request at a time is allowed', () => {
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

describe('What existing clients get wrong, of any subscription', () => {
  for (const kind of ['pull', 'stream'] as const) {
    it(`only the first Value of a ServerBusy fault read, by the Subscribe of a ${kind}`, () => {
      const run = streaming(({ stream, pull, watch, server }) => {
        const values = { Policy: 'EWSMaxConcurrency', Other: '1', BackOffMilliseconds: '40000' };
        server.failNext(1, { fault: 'ErrorServerBusy', values }, 'Subscribe');
        watch(kind === 'pull' ? pull() : stream(), 100);
      });
      const [first, second] = run.sent();
      expect(first).to.equal('0 Subscribe');
      expect(second).to.match(/^4[01](\.\d+)? Subscribe$/);
    });

    it(`an unsubscribe that races an in-flight Subscribe leaks the subscription, where a ${kind} waits for its turn`, () => {
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
