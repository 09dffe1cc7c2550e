import { expect } from 'chai';
import {
  FOLLOWING,
  ticks,
  type TimeInput,
  type TimeWindow,
  windowAfter,
} from '../../../docs/inspector/view/timeWindow.ts';
import {
  EMPTY,
  mailReceived,
  remaining,
  sharedContacts,
  type View,
  viewAfter,
} from '../../../docs/inspector/view/view.ts';
import type { InspectorRecord, StreamRecord } from '../../../lib/inspector/records.ts';

const SARA = 'sip:sara@contoso.com';
const BASE = { connection: 'UCWA', stream: 'UCWA 1' };

const connected = (seq = 1): InspectorRecord => ({
  ...{ type: 'connection', connection: 'UCWA', seq, at: 0, protocol: 'UCWA' },
});

const stream = (
  at: number,
  state: StreamRecord['state'],
  extra: Partial<StreamRecord> = {},
): InspectorRecord => ({
  ...BASE,
  ...{ type: 'stream', seq: at, at, name: 'presenceBoard', detail: SARA, state },
  ...extra,
});

const event = (at: number, name = 'updated', value: object = {}): InspectorRecord => ({
  ...BASE,
  ...{ type: 'event', seq: at, at, name, summary: name, value: value as Record<string, string> },
});

const release = (at: number, state: 'pending' | 'Released' | 'Failed', number = 1): InspectorRecord => ({
  ...BASE,
  ...{ type: 'release', seq: at, at, release: number, resource: 'presenceSubscription', state },
  ...(state === 'Released' ? { response: '204' } : {}),
});

const request = (at: number): InspectorRecord => ({
  ...{
    type: 'request',
    connection: 'UCWA',
    seq: at,
    at,
    sentAt: at,
    method: 'GET',
    origin: 'https://a.example',
  },
  ...{ path: '/', ms: 1, bytes: 0, status: 200, end: 'answered' },
});

const server = (resources: number): InspectorRecord => ({
  ...{ type: 'server', connection: 'UCWA', seq: 9, at: 9, isReachable: true },
  resources: Array.from({ length: resources }, (_, index) => ({
    ...{ resource: 'application', id: String(index), detail: '' },
  })),
});

const after = (...records: readonly InspectorRecord[]): View => viewAfter(EMPTY, records);
const marks = (view: View): string[] =>
  (view.lanes.get('UCWA 1')?.marks ?? []).map(({ at, type, label }) => `${at} ${type} ${label}`);

describe('The view of an inspector page', () => {
  it('has a lane with all that happens to a stream', () => {
    const view = after(
      ...[stream(1, 'subscribed'), stream(2, 'created'), event(3), event(4, 'gap')],
      ...[stream(5, 'unsubscribed'), release(5, 'pending'), release(6, 'Released')],
    );
    expect(marks(view)).to.deep.equal([
      '1 subscribed subscribed',
      '2 created created',
      '3 event updated',
      '4 gap gap',
      '5 unsubscribed unsubscribed',
      '6 release 204',
    ]);
    expect(view.lanes.get('UCWA 1')).to.deep.include({
      ...{ subscribedAt: 1, createdAt: 2, endedAt: 5, releasedAt: 6, end: 'unsubscribed', pending: [] },
    });
  });

  it('is the same for records one by one and together', () => {
    const records = [
      connected(),
      stream(1, 'subscribed'),
      event(2),
      request(3),
      server(2),
      release(4, 'pending'),
    ];
    expect(records.reduce((view, record) => viewAfter(view, [record]), EMPTY)).to.deep.equal(
      after(...records),
    );
  });

  it('replaces a pending release by its outcome', () => {
    const view = after(
      stream(1, 'subscribed'),
      release(2, 'pending'),
      release(2, 'pending', 2),
      release(5, 'Failed'),
    );
    expect(
      view.ledger.map(({ record, pendingAt }) => [record.release, record.state, pendingAt]),
    ).to.deep.equal([
      [1, 'Failed', 2],
      [2, 'pending', 2],
    ]);
    expect(view.lanes.get('UCWA 1')?.pending).to.deep.equal([2]);
  });

  it('counts what the servers have, if they say it', () => {
    expect(remaining(after(connected()))).to.equal(undefined);
    expect(remaining(after(connected(), server(2)))).to.equal(2);
    expect(remaining(after(connected(), server(2), server(0)))).to.equal(0);
  });

  it('shows the contacts of a board, and of single states', () => {
    const board = event(2, 'value', { [SARA]: { uri: SARA, availability: 'Busy' } });
    const state = event(3, 'value', { uri: 'sip:bob@contoso.com', availability: 'Away' });
    const view = after(stream(1, 'subscribed', { detail: 'a changing list' }), board);
    expect(sharedContacts(view)).to.deep.equal([SARA]);
    expect([...viewAfter(view, [state]).contacts]).to.deep.equal([
      [SARA, 'Busy'],
      ['sip:bob@contoso.com', 'Away'],
    ]);
  });

  it('counts the mail of the stream that has received most', () => {
    expect(mailReceived(EMPTY)).to.equal(0);
    expect(mailReceived(after(stream(1, 'subscribed'), event(2, 'newMail'), event(3, 'newMail')))).to.equal(
      2,
    );
  });

  it('ignores streams whose beginning it has not seen', () => {
    expect(after(event(1), stream(2, 'completed')).lanes.size).to.equal(0);
  });

  it('has a bounded size', () => {
    const many = Array.from({ length: 5000 }, (_, index) => [
      event(index),
      request(index),
      release(index, 'Released', index),
    ]);
    const streams = Array.from({ length: 100 }, (_, index) =>
      stream(index, 'subscribed', { stream: `UCWA ${index}` }),
    );
    const view = after(stream(1, 'subscribed'), ...many.flat(), ...streams);
    expect(view.lanes.size).to.equal(40);
    expect(view.requests.length).to.equal(200);
    expect(view.ledger.length).to.equal(100);
    const lane = viewAfter(after(stream(1, 'subscribed')), many.flat()).lanes.get('UCWA 1');
    expect(lane?.marks.length).to.equal(2000);
    expect(lane?.events).to.equal(5000);
  });
});

describe('The time window of an inspector page', () => {
  const NOW = 100_000;
  const cases: readonly (readonly [TimeWindow, TimeInput, TimeWindow])[] = [
    [FOLLOWING, 'pause', { spanMs: 15_000, until: NOW }],
    [{ spanMs: 15_000, until: 5 }, 'follow', { spanMs: 15_000 }],
    [FOLLOWING, 'back', { spanMs: 15_000, until: NOW - 3750 }],
    [{ spanMs: 15_000, until: NOW - 1 }, 'forward', { spanMs: 15_000 }],
    [{ spanMs: 15_000, until: 50_000 }, 'forward', { spanMs: 15_000, until: 53_750 }],
    [{ spanMs: 15_000, until: 50_000 }, { by: -1000 }, { spanMs: 15_000, until: 49_000 }],
    [FOLLOWING, 'narrower', { spanMs: 5000 }],
    [{ spanMs: 5000 }, 'narrower', { spanMs: 5000 }],
    [FOLLOWING, 'wider', { spanMs: 60_000 }],
  ];
  for (const [before, input, expected] of cases)
    it(`becomes ${JSON.stringify(expected)} from ${JSON.stringify(before)} by ${JSON.stringify(input)}`, () => {
      expect(windowAfter(before, input, NOW)).to.deep.equal(expected);
    });

  it('has ticks at round times', () => {
    expect(ticks(1500, 6500, 900)).to.deep.equal({
      step: 500,
      at: [1500, 2000, 2500, 3000, 3500, 4000, 4500, 5000, 5500, 6000, 6500],
    });
    expect(ticks(0, 60_000, 360)).to.deep.equal({ step: 30_000, at: [0, 30_000, 60_000] });
  });
});
