import { expect } from 'chai';
import { HttpError, NetworkError } from '../../../lib/core/errors.ts';
import { noPendingGets } from '../../../lib/ucwa/application/pendingGets.ts';
import { firstPoll, pollAfter, type PollInput, type PollState } from '../../../lib/ucwa/channel/pollState.ts';
import type { EventBatch } from '../../../lib/ucwa/protocol/cursor.ts';
import { recreatedEvent } from '../../../lib/ucwa/protocol/events.ts';

const url = 'https://pool.contoso.com/events?ack=1';
const cursor = { url };
const next = { url: `${url}&next` };
const gets = noPendingGets(true, 0);
const sentGets = { ...gets, parameters: {}, priority: 1 };
const lost = new NetworkError('no answer', { method: 'GET', url });
const busy = new HttpError(503, { method: 'GET', url });
const replaced = new HttpError(409, { method: 'GET', url }, { subcode: 'PGetReplaced' });

const event = recreatedEvent({ rel: 'application', href: '/1' }, url);
const batch: EventBatch = { next: next.url, events: [event, event] };
const gap: EventBatch = { next: next.url, gap: 'resume', events: [event] };
const idle: EventBatch = { next: next.url, events: [] };

const due = firstPoll(cursor, false, gets, []);
const requested: Extract<PollInput, { type: 'requested' }> = { type: 'requested', cursor, gets: sentGets };
const sent: PollInput = { type: 'progressed', progress: 'sent' };
const failed = (error: unknown): PollInput => ({ type: 'failed', error });
const responded = (received: EventBatch): PollInput => ({
  type: 'responded',
  step: { cursor: next, batch: received },
});
const decided = (decision: 'retry' | 'gone' | 'fail', isLeft = false): PollInput => ({
  ...{ type: 'decided', error: busy },
  decision,
  isLeft,
});

/** The state after inputs at the times 100, 200 and so on, in milliseconds. */
const after = (...inputs: readonly PollInput[]): PollState =>
  inputs.reduce((state, input, index) => pollAfter(state, input, (index + 1) * 100), due);

describe('pollAfter', () => {
  const cases: readonly [name: string, inputs: readonly PollInput[], part: Partial<PollState>][] = [
    ['is due first', [], { stage: { type: 'due', cursor }, unsaved: cursor, trustedAfterMs: 0 }],
    [
      'saves the position once',
      [{ type: 'saving' }],
      { stage: { type: 'saving', cursor }, unsaved: undefined },
    ],
    [
      'ends if the position cannot be saved',
      [{ type: 'saving' }, { type: 'notSaved', error: busy }],
      { stage: { type: 'ended', error: busy, then: 'fail' } },
    ],
    [
      'is pending after a request, which may be queued',
      [requested],
      { stage: { type: 'pending', cursor, sentAt: 100, isInFlight: false }, gets: sentGets },
    ],
    [
      'is in flight since it was sent',
      [requested, sent],
      { stage: { type: 'pending', cursor, sentAt: 200, isInFlight: true } },
    ],
    [
      'is not in flight if the server did not act',
      [requested, sent, { type: 'progressed', progress: 'notProcessed' }],
      { stage: { type: 'pending', cursor, sentAt: 200, isInFlight: false } },
    ],
    [
      'is due at the next cursor after events',
      [requested, sent, responded(batch)],
      { stage: { type: 'due', cursor: next }, batches: [batch], unsaved: next },
    ],
    [
      'drops a batch that was emitted',
      [requested, sent, responded(batch), { type: 'emitted' }],
      { batches: [] },
    ],
    [
      'waits after an immediate response without events',
      [requested, sent, responded(idle)],
      { stage: { type: 'waiting', cursor: next, failures: 1 }, batches: [] },
    ],
    [
      'is due after the wait',
      [requested, sent, responded(idle), { type: 'waited' }],
      { stage: { type: 'due', cursor: next } },
    ],
    [
      'sends the parameters again after the server has lost its state',
      [requested, sent, responded(gap)],
      { gets: { ...sentGets, parameters: undefined }, batches: [gap] },
    ],
    [
      'may still arrive after a broken connection',
      [requested, sent, failed(lost)],
      {
        stage: { type: 'failed', cursor },
        failures: 1,
        gets: { ...sentGets, minPriority: 2, strays: [300] },
      },
    ],
    [
      'has arrived if the server refuses it',
      [requested, sent, failed(busy)],
      { failures: 1, gets: sentGets },
    ],
    ['did not arrive if it was queued', [requested, failed(lost)], { gets: sentGets }],
    ['is trusted after a second at the earliest', [requested, sent, failed(lost)], { trustedAfterMs: 1000 }],
    [
      'repeats a request that its own predecessor has replaced',
      [{ ...requested, gets: { ...sentGets, strays: [0] } }, sent, failed(replaced)],
      { stage: { type: 'due', cursor }, failures: 0 },
    ],
    [
      'fails if another client has replaced it',
      [requested, sent, failed(replaced)],
      { stage: { type: 'failed', cursor }, failures: 1 },
    ],
    [
      'waits for as many failures as there were in a row',
      [
        requested,
        failed(busy),
        decided('retry'),
        { type: 'waited' },
        requested,
        failed(busy),
        decided('retry'),
      ],
      { stage: { type: 'waiting', cursor, failures: 2, error: busy } },
    ],
    [
      'ends a row of failures with events',
      [requested, failed(busy), decided('retry'), { type: 'waited' }, requested, sent, responded(batch)],
      { failures: 0, trustedAfterMs: 0 },
    ],
    [
      'does not end it with an idle response',
      [requested, failed(busy), decided('retry'), { type: 'waited' }, requested, sent, responded(idle)],
      { failures: 1 },
    ],
    ['marks the application', [requested, failed(busy), decided('gone')], ended('markGone')],
    ['leaves the application', [requested, failed(busy), decided('fail', true)], ended('handOver')],
    ['fails', [requested, failed(busy), decided('fail')], ended('fail')],
    ['stays ended', [requested, failed(busy), decided('fail'), { type: 'waited' }], ended('fail')],
    [
      'emits the rest after its end',
      [requested, sent, responded(batch), { type: 'notSaved', error: busy }, { type: 'emitted' }],
      { ...ended('fail'), batches: [] },
    ],
    [
      'is due again after an abort',
      [requested, sent, { type: 'aborted' }],
      { stage: { type: 'due', cursor }, gets: { ...sentGets, minPriority: 2, strays: [300] } },
    ],
    ['ignores an abort of nothing', [{ type: 'aborted' }], { stage: { type: 'due', cursor }, gets }],
  ];
  for (const [name, inputs, part] of cases) {
    it(name, () => expect(after(...inputs)).to.deep.include(part));
  }

  it('trusts a request after twice the time that the last failure took', () => {
    const pending = [requested, sent].reduce((state, input) => pollAfter(state, input, 0), due);
    expect(pollAfter(pending, failed(busy), 30_000)).to.include({ trustedAfterMs: 60_000 });
  });

  it('trusts a request after a second when the network has failed', () => {
    const pending = [requested, sent].reduce((state, input) => pollAfter(state, input, 0), due);
    expect(pollAfter(pending, failed(lost), 30_000)).to.include({ trustedAfterMs: 1000 });
  });

  it('begins with a gap before the channel counts as current', () => {
    expect(firstPoll(cursor, true, gets, [gap])).to.deep.include({
      ...{ batches: [gap], trustedAfterMs: 1, unsaved: undefined },
    });
  });
});

function ended(then: 'fail' | 'markGone' | 'handOver'): Partial<PollState> {
  return { stage: { type: 'ended', error: busy, then } };
}
