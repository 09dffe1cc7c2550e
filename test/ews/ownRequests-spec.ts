import { expect } from 'chai';
import { gapsOf, streaming } from './streaming/streaming.ts';
import { pulling } from './pull/pulling.ts';

const named = (outcomes: readonly { readonly outcome: string }[]): string[] =>
  outcomes.map(({ outcome }) => outcome);

describe('EWS requests of our own that arrive late', () => {
  it('do not disturb a stream when a GetStreamingEvents was aborted', () => {
    const run = streaming(({ server, stream, watch, at }) => {
      server.failNext(1, { arrivalDelayMs: 5000 }, 'GetStreamingEvents');
      watch(stream(), 1);
      at(2, () => watch(stream(), 30));
      at(10, () => server.deliverMail('inbox'));
    });
    expect(run.errors).to.deep.equal([]);
    expect(gapsOf(run)).to.deep.equal([]);
    expect(run.events.filter(({ type }) => type === 'newMail')).to.have.length(1);
    expect(named(run.outcomes)).to.deep.equal(['Released', 'Released']);
  });

  it('do not remove a subscription when an earlier Unsubscribe was lost', () => {
    const run = streaming(({ server, stream, watch, at }) => {
      server.failNext(1, { arrivesAfterMs: 8000 }, 'Unsubscribe');
      watch(stream(), 1);
      at(2, () => watch(stream(), 30));
      at(20, () => server.deliverMail('inbox'));
    });
    expect(run.errors).to.deep.equal([]);
    expect(gapsOf(run)).to.deep.equal([]);
    expect(run.events.filter(({ type }) => type === 'newMail')).to.have.length(1);
    expect(named(run.outcomes)).to.deep.equal(['Released', 'Released']);
  });

  it('do not report a subscription as gone that Unsubscribe overtook', () => {
    const run = pulling(({ server, pull, watch, at }) => {
      at(1, () => server.failNext(1, { arrivalDelayMs: 5000 }, 'GetEvents'));
      watch(pull({ pollIntervalSeconds: 2 }), 3);
      watch(pull({ pollIntervalSeconds: 2 }), 30);
      at(20, () => server.deliverMail('inbox'));
    });
    expect(run.errors).to.deep.equal([]);
    expect(gapsOf(run)).to.deep.equal([]);
    expect(run.events.filter(({ type }) => type === 'newMail')).to.have.length(1);
    expect(named(run.outcomes)).to.deep.equal(['Released', 'Released']);
  });

  it('do not end a stream when Subscribe arrives after an unsubscribe', () => {
    const run = streaming(({ server, stream, watch, at }) => {
      server.failNext(1, { arrivalDelayMs: 5000 }, 'Subscribe');
      watch(stream(), 1);
      at(2, () => watch(stream(), 30));
      at(20, () => server.deliverMail('inbox'));
    });
    expect(run.errors).to.deep.equal([]);
    expect(gapsOf(run)).to.deep.equal([]);
    expect(named(run.outcomes)).to.deep.equal(['Released', 'Released']);
    expect(run.left()).to.deep.equal([]);
  });
});
