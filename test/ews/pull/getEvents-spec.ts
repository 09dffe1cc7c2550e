import { expect } from 'chai';
import { asyncScheduler, concat, of, take, throwError } from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import type { HttpResponse, Transport } from '../../../lib/core/transport/transport.ts';
import { summarize } from '../../../lib/testing/ews/requests/readRequest.ts';
import { response } from '../../support/responses.ts';
import { answer, errorAnswer, eventsAnswer, itemEvent } from '../answers.ts';
import { outcomesOf, type Pulling, pulling } from './pulling.ts';
import { MAX_IMMEDIATE, nextPace, type PollResult, type PollPace } from '../../../lib/ews/pull/getEvents.ts';

const XML = { 'content-type': 'text/xml' };

/** The start of a response whose connection then breaks. */
interface BrokenOff {
  readonly brokenOff: string;
}

function bodyOf(given: string | BrokenOff): HttpResponse['body$'] {
  if (typeof given === 'string') return of(bytes(given));
  return concat(
    of(bytes(given.brokenOff)),
    throwError(
      () => new NetworkError('the answer broke off', { method: 'POST', url: 'https://server.example/' }),
    ),
  );
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Runs a pull with given GetEvents responses; the simulator answers everything else. */
function against(
  answers: readonly (string | BrokenOff)[],
  seconds: number,
  subscribeAnswer?: string,
): Pulling {
  const queue = [...answers];
  const run: Pulling = pulling(
    ({ pull, watch, exchange }) => {
      exchange.activity$.subscribe((activity) =>
        dropped.push(...(activity.dropped === undefined ? [] : [activity.dropped])),
      );
      watch(pull(), seconds);
    },
    {},
    {
      transport: (request) => {
        const { operation } = summarize(request.body ?? '');
        const given =
          operation === 'GetEvents'
            ? queue.shift()
            : answer(
                operation!,
                `<m:ResponseCode>NoError</m:ResponseCode>${operation === 'Subscribe' ? (subscribeAnswer ?? '<m:SubscriptionId>S1</m:SubscriptionId>') : ''}`,
              );
        sent.push(`${operation!} ${summarize(request.body ?? '').watermark ?? ''}`.trim());
        return of({ ...response(200, { headers: XML }), body$: bodyOf(given ?? eventsAnswer('')) });
      },
    },
  );
  return run;
}

let sent: string[] = [];
let dropped: number[] = [];

describe('The GetEvents requests of a pull', () => {
  beforeEach(() => {
    sent = [];
    dropped = [];
  });

  describe('if a response breaks off', () => {
    const begun = (...events: readonly string[]): BrokenOff => ({
      brokenOff: eventsAnswer(events.join('')).split('</m:Notification>')[0]!,
    });
    const marks = (run: Pulling): readonly (string | undefined)[] =>
      run.events.map((event) => (event.type === 'gap' ? event.reason : event.watermark));

    it('emit the events that arrived, and request the later ones', () => {
      const run = against(
        [
          begun(itemEvent('CreatedEvent', 'W7'), itemEvent('NewMailEvent', 'W8'), '<t:NewMailEvent>'),
          eventsAnswer(itemEvent('NewMailEvent', 'W9')),
        ],
        29,
        '<m:SubscriptionId>S1</m:SubscriptionId><m:Watermark>W6</m:Watermark>',
      );
      expect(sent.slice(0, 3)).to.deep.equal(['Subscribe', 'GetEvents W6', 'GetEvents W8']);
      expect(marks(run)).to.deep.equal(['W7', 'W8', 'W9']);
    });

    it('emit no events after the last watermark, which the server sends again', () => {
      const unmarked = itemEvent('NewMailEvent', 'W8').replace('<t:Watermark>W8</t:Watermark>', '');
      const run = against(
        [
          begun(itemEvent('CreatedEvent', 'W7'), unmarked),
          eventsAnswer(unmarked + itemEvent('NewMailEvent', 'W9')),
        ],
        29,
        '<m:SubscriptionId>S1</m:SubscriptionId><m:Watermark>W6</m:Watermark>',
      );
      expect(sent.slice(0, 3)).to.deep.equal(['Subscribe', 'GetEvents W6', 'GetEvents W7']);
      expect(marks(run)).to.deep.equal(['W7', undefined, 'W9']);
    });

    it('emit the events that arrived and then a gap, without watermarks', () => {
      const unmarked = itemEvent('NewMailEvent', 'W8').replace('<t:Watermark>W8</t:Watermark>', '');
      const run = against([begun(unmarked, unmarked), eventsAnswer('')], 29);
      expect(marks(run)).to.deep.equal([undefined, undefined, 'responseLost']);
    });

    it('emit no events of another subscription', () => {
      const run = against(
        [{ brokenOff: eventsAnswer(itemEvent('NewMailEvent', 'W8'), 'S2').split('</m:Notification>')[0]! }],
        29,
        '<m:SubscriptionId>S1</m:SubscriptionId><m:Watermark>W6</m:Watermark>',
      );
      expect(sent.slice(0, 3)).to.deep.equal(['Subscribe', 'GetEvents W6', 'GetEvents W6']);
      expect(run.events).to.deep.equal([]);
    });
  });

  it('send the watermark of Subscribe, and then that of the last event', () => {
    against(
      [
        eventsAnswer(itemEvent('CreatedEvent', 'W7') + itemEvent('NewMailEvent', 'W8')),
        eventsAnswer('<t:StatusEvent><t:Watermark>W9</t:Watermark></t:StatusEvent>'),
        eventsAnswer(''),
        eventsAnswer('<t:StatusEvent/>'),
      ],
      125,
      '<m:SubscriptionId>S1</m:SubscriptionId><m:Watermark>W6</m:Watermark>',
    );
    expect(sent).to.deep.equal([
      'Subscribe',
      'GetEvents W6',
      'GetEvents W8',
      'GetEvents W9',
      'GetEvents W9',
      'GetEvents W9',
      'Unsubscribe',
    ]);
  });

  it('skip events of unknown types, and resume after them', () => {
    const run = against(
      [
        eventsAnswer(itemEvent('CreatedEvent', 'W7') + itemEvent('PinnedEvent', 'W8'), 'S1', true),
        eventsAnswer(itemEvent('PinnedEvent', 'W9')),
        eventsAnswer(itemEvent('PinnedEvent', 'W10') + itemEvent('NewMailEvent', 'W11')),
      ],
      65,
      '<m:SubscriptionId>S1</m:SubscriptionId><m:Watermark>W6</m:Watermark>',
    );
    expect(sent.slice(1, 5)).to.deep.equal(['GetEvents W6', 'GetEvents W8', 'GetEvents W9', 'GetEvents W11']);
    expect(run.seen).to.deep.equal(['0 created', '30 newMail']);
    expect(dropped).to.deep.equal([1, 1, 1]);
  });

  it('emit several notifications of one response in order', () => {
    const two = eventsAnswer(itemEvent('CreatedEvent', 'W1')).replace(
      '</m:Notification>',
      `</m:Notification><m:Notification><t:SubscriptionId>S1</t:SubscriptionId>${itemEvent('NewMailEvent', 'W2')}</m:Notification>`,
    );
    expect(against([two], 10).seen).to.deep.equal(['0 created', '0 newMail']);
  });

  it('re-create the subscription after a response for another one', () => {
    const foreign = eventsAnswer(itemEvent('NewMailEvent', 'W1'), 'S2');
    const run = against([foreign, eventsAnswer('<t:StatusEvent/>')], 10);
    expect(run.seen).to.deep.equal(['0 gap', '0 status']);
    expect(sent).to.deep.equal([
      'Subscribe',
      'GetEvents',
      'Unsubscribe',
      'Subscribe',
      'GetEvents',
      'Unsubscribe',
    ]);
    expect(outcomesOf(run)).to.deep.equal(['Released', 'Released']);
  });

  it('emit nothing of a response that is partly unreadable, and unsubscribe', () => {
    const broken = eventsAnswer(itemEvent('CreatedEvent', 'W1') + '<t:NewMailEvent>');
    const run = against([broken], 10);
    expect(run.seen).to.deep.equal(['0 DecodeError']);
    expect(sent.at(-1)).to.equal('Unsubscribe');
    expect(outcomesOf(run)).to.deep.equal(['Released']);
  });

  it("continue after a proxy's page, without watermarks with a gap", () => {
    const page: Transport = () =>
      of(response(200, { headers: { 'content-type': 'text/html' }, body: ['<html/>'] }));
    let isBlocked = false;
    const run = pulling(
      ({ pull, watch, at }) => {
        watch(pull(), 100);
        at(10, () => (isBlocked = true));
        at(30.5, () => (isBlocked = false));
      },
      {},
      {
        transport: (request) => {
          if (isBlocked) return page(request);
          const { operation } = summarize(request.body ?? '');
          sent.push(operation!);
          const body =
            operation === 'GetEvents'
              ? eventsAnswer('<t:StatusEvent/>')
              : answer(
                  operation!,
                  '<m:ResponseCode>NoError</m:ResponseCode><m:SubscriptionId>S1</m:SubscriptionId>',
                );
          return of(response(200, { headers: XML, body: [body] }));
        },
      },
    );
    expect(run.seen).to.deep.equal(['0 status', '31 gap', '31 status', '61 status', '91 status']);
    expect(outcomesOf(run)).to.deep.equal(['Released', 'Released']);
  });

  it('fail if the Subscribe response has no id, with an Unknown outcome', () => {
    const run = against([], 10, '');
    expect(run.seen).to.deep.equal(['0 DecodeError']);
    expect(outcomesOf(run)).to.deep.equal(['Unknown']);
  });
});

describe('A pull from a server that always has more events', () => {
  /** Answers each GetEvents with `eventsOf` its number, and returns when each was sent. */
  const askedAt = (eventsOf: (count: number) => string, seconds: number): [run: Pulling, times: number[]] => {
    const times: number[] = [];
    const run = pulling(
      ({ pull, watch }) => {
        watch(pull(), seconds);
      },
      {},
      {
        transport: (request) => {
          const { operation } = summarize(request.body ?? '');
          if (operation === 'GetEvents') times.push(asyncScheduler.now() / 1000);
          // Virtual time stops while requests follow one another without a wait.
          if (times.length > 3000) throw new Error('there is no end of the questions');
          const body =
            operation === 'GetEvents'
              ? eventsAnswer(eventsOf(times.length), 'S1', true)
              : answer(
                  operation!,
                  '<m:ResponseCode>NoError</m:ResponseCode><m:SubscriptionId>S1</m:SubscriptionId>',
                );
          return of(response(200, { headers: XML, body: [body] }));
        },
      },
    );
    return [run, times];
  };

  it('keeps the interval while the answers bring no events', () => {
    expect(askedAt(() => '', 65)[1]).to.deep.equal([0, 30, 60]);
    const status = (count: number): string =>
      `<t:StatusEvent><t:Watermark>W${count}</t:Watermark></t:StatusEvent>`;
    expect(askedAt(status, 65)[1]).to.deep.equal([0, 30, 60]);
  });

  it('polls at once a bounded number of times, then by interval', () => {
    const [, times] = askedAt((count) => itemEvent('NewMailEvent', `W${count}`), 65);
    const inSecond = (second: number): number => times.filter((time) => time === second).length;
    expect([0, 30, 60].map(inSecond)).to.deep.equal([501, 501, 501]);
    expect(times).to.have.length(3 * 501);
  });

  it('drains a backlog of 10,000 events without a wait', () => {
    const page = (count: number): string =>
      Array.from({ length: 50 }, (_, index) => itemEvent('NewMailEvent', `W${count * 50 + index}`)).join('');
    const [run] = askedAt((count) => (count <= 200 ? page(count) : ''), 20);
    expect(run.seen).to.have.length(10_000);
    expect(new Set(run.seen)).to.deep.equal(new Set(['0 newMail']));
  });

  it('asks at once after an answer whose events all have unknown types', () => {
    const [, times] = askedAt((count) => (count < 3 ? itemEvent('PinnedEvent', `W${count}`) : ''), 20);
    expect(times).to.deep.equal([0, 0, 0]);
  });
});

describe('A pull whose subscriptions bring events and are lost', () => {
  it('backs off from a server that loses every new subscription', () => {
    const subscribedAt: number[] = [];
    let questions = 0;
    const run = pulling(
      ({ pull, watch }) => watch(pull(), 20),
      {},
      {
        transport: (request) => {
          const { operation } = summarize(request.body ?? '');
          if (operation === 'Subscribe') subscribedAt.push(asyncScheduler.now() / 1000);
          // Virtual time stops while a subscription is re-created without a wait.
          if (subscribedAt.length > 500) throw new Error('there is no end of the subscriptions');
          const body =
            operation === 'GetEvents'
              ? (questions += 1) % 2 === 1
                ? eventsAnswer(itemEvent('NewMailEvent', `W${questions}`), 'S1', true)
                : errorAnswer('GetEvents', 'ErrorSubscriptionNotFound')
              : answer(
                  operation!,
                  '<m:ResponseCode>NoError</m:ResponseCode><m:SubscriptionId>S1</m:SubscriptionId>',
                );
          return of(response(200, { headers: XML, body: [body] }));
        },
      },
    );
    expect(subscribedAt).to.deep.equal([0, 0, 2, 6, 14]);
    expect(run.errors).to.deep.equal([]);
  });

  it('subscribes again at once after a loss, if the subscription has lasted', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull(), 130);
      for (const second of [10, 40, 70, 100]) at(second, () => server.restart());
    });
    expect(run.sent().filter((line) => line.endsWith(' Subscribe'))).to.deep.equal([
      '0 Subscribe',
      '30 Subscribe',
      '60 Subscribe',
      '90 Subscribe',
      '120 Subscribe',
    ]);
  });
});

describe('The lease of a pull', () => {
  it('extends the retries of a release with each GetEvents', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull({ timeoutMinutes: 1, pollIntervalSeconds: 30 }), 100);
      at(99, () => server.failNext(1000, 'reset'));
      at(149, () => expect(server.subscriptions).to.have.length(1));
      at(151, () => expect(server.subscriptions).to.have.length(0));
    });
    expect(run.outcomes).to.have.length(1);
    expect(run.outcomes[0]).to.include({ outcome: 'Expired' });
    const last = run.server.requests.at(-1)!;
    expect(last.time, 'the last question was at 90 s').to.be.within(150_000, 180_000);
  });

  it('ends by the clock of the server after the last request', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull({ timeoutMinutes: 1 }), 10);
      server.failNext(1000, 'reset', 'Unsubscribe');
      at(59, () => expect(server.subscriptions).to.have.length(1));
      at(61, () => expect(server.subscriptions).to.have.length(0));
    });
    expect(outcomesOf(run)).to.deep.equal(['Expired']);
  });
});

describe('A pull from a server that never answers', () => {
  it('sends GetEvents again after two minutes, and loses nothing', () => {
    const run = pulling(({ pull, watch, at, server }) => {
      watch(pull(), 160);
      at(10, () => {
        server.deliverMail();
        server.failNext(1, { delayMs: 3_600_000 }, 'GetEvents');
      });
    });
    expect(run.seen).to.deep.equal(['0 status', '151 created', '151 newMail', '151 modified']);
    expect(run.sent().slice(2, 4)).to.deep.equal(['30 GetEvents', '151 GetEvents']);
  });

  it('emits a gap if the server does not send the events again', () => {
    const run = pulling(
      ({ pull, watch, at, server }) => {
        watch(pull(), 160);
        at(10, () => server.failNext(1, { delayMs: 3_600_000 }, 'GetEvents'));
      },
      { dialect: 'grommunio' },
    );
    expect(run.seen).to.deep.equal(['0 status', '151 gap', '151 status']);
  });

  it('sends Unsubscribe again, so that a drain ends', () => {
    const run = pulling(({ pull, watch, server }) => {
      server.failNext(1, { delayMs: 3_600_000 }, 'Unsubscribe');
      watch(pull(), 10);
    });
    expect(run.sent().slice(2)).to.deep.equal(['10 Unsubscribe', '131 Unsubscribe']);
    expect(run.outcomes).to.have.length(1);
    expect(run.outcomes[0]).to.include({ outcome: 'AlreadyGone', attempts: 2 });
  });

  it('sends Subscribe again, and records that a subscription may be left', () => {
    const run = pulling(({ pull, watch, server }) => {
      server.failNext(1, { delayMs: 86_400_000 }, 'Subscribe');
      watch(pull(), 150);
    });
    expect(run.sent().slice(0, 2)).to.deep.equal(['0 Subscribe', '121 Subscribe']);
    expect(run.errors).to.deep.equal([]);
    expect(outcomesOf(run)).to.deep.equal(['Unknown', 'Released']);
  });

  it('records an abandoned Subscribe as Unknown, so that a drain ends', () => {
    let pendingAt121: number | undefined;
    const run = pulling(({ pull, watch, server, exchange, at }) => {
      server.failNext(1, { delayMs: 86_400_000 }, 'Subscribe');
      watch(pull(), 1);
      at(121, () => exchange.releases.pending$.pipe(take(1)).subscribe((count) => (pendingAt121 = count)));
    });
    expect(run.sent()).to.deep.equal(['0 Subscribe']);
    expect(outcomesOf(run)).to.deep.equal(['Unknown']);
    expect(run.outcomes[0]?.at).to.deep.equal(new Date(120_000));
    expect(pendingAt121).to.equal(0);
  });
});

const INTERVAL_MS = 30_000;
const INTERVAL: PollPace = { waitMs: INTERVAL_MS, immediate: 0 };

describe('nextPace', () => {
  const cases: readonly [name: string, atOnce: number, answer: PollResult, expected: PollPace][] = [
    ['after the last events', 7, { moreEvents: false, events: 50 }, INTERVAL],
    ['after nothing', 0, { moreEvents: false, events: 0 }, INTERVAL],
    ['at once while there are more', 0, { moreEvents: true, events: 50 }, { waitMs: 0, immediate: 1 }],
    ['at once after a single event', 7, { moreEvents: true, events: 1 }, { waitMs: 0, immediate: 8 }],
    ['when more are said to follow none', 7, { moreEvents: true, events: 0 }, INTERVAL],
    [
      'at once for the last time',
      MAX_IMMEDIATE - 1,
      { moreEvents: true, events: 1 },
      { waitMs: 0, immediate: MAX_IMMEDIATE },
    ],
    ['after too many in a row', MAX_IMMEDIATE, { moreEvents: true, events: 50 }, INTERVAL],
  ];
  for (const [name, atOnce, answer, expected] of cases) {
    it(`asks ${expected.waitMs === 0 ? name : `after the interval ${name}`}`, () => {
      expect(nextPace({ waitMs: 0, immediate: atOnce }, answer, INTERVAL_MS)).to.deep.equal(expected);
    });
  }
});
