import { expect } from 'chai';
import { map, merge, of, Subject, take } from 'rxjs';
import { ClosedError } from '../../../lib/core/errors.ts';
import { EwsError } from '../../../lib/ews/protocol/errors.ts';
import type { PushRequest } from '../../../lib/ews/push/pushRequest.ts';
import { pushNotifications, type PushOptions, resolvePushOptions } from '../../../lib/ews/push/push.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { pushCallback } from '../../../lib/testing/ews/push.ts';
import { postedEvents } from './posted.ts';
import { outcomesOf } from '../pull/pulling.ts';
import { CALLBACK_URL, callbackUrlsOf, postsOf, pushing } from './pushing.ts';
import { gapsOf, newsOf } from '../streaming/streaming.ts';

describe('pushNotifications', () => {
  describe('while subscribed', () => {
    it('emits each posted event, and answers OK', () => {
      const run = pushing(({ push, watch, at, server }) => {
        watch(push(), 200);
        at(10, () => server.deliverMail());
        at(100, () => {
          server.deliverMail();
          server.deliverMail();
        });
      });
      expect(run.seen).to.deep.equal([
        '0 status',
        '10 newMail',
        '70 status',
        '100 newMail',
        '100 newMail',
        '160 status',
      ]);
      expect(postsOf(run)).to.deep.equal([
        '0 ×0 OK',
        '10 ×1 OK',
        '70 ×0 OK',
        '100 ×1 OK',
        '100 ×1 OK',
        '160 ×0 OK',
        '220 ×0 Unsubscribe',
      ]);
      expect(run.sent()).to.deep.equal(['0 Subscribe']);
    });

    it('loses no post that arrives before the Subscribe response', () => {
      const run = pushing(
        ({ push, watch, at, server }) => {
          watch(push(), 30);
          at(1.5, () => server.deliverMail());
        },
        { latencyMs: 2000 },
      );
      // The server posts when it acts, a second before its response arrives.
      expect(postsOf(run).slice(0, 2)).to.deep.equal(['1 ×0 OK', '3 ×1 OK']);
      expect(run.seen).to.deep.equal(['2 status', '4 newMail']);
    });

    it('emits events of several posts in order', () => {
      const run = pushing(({ push, watch, at, server, posting }) => {
        watch(push(), 100);
        at(1, () => posting.failNext(1, 'reset'));
        at(2, () => {
          for (let mails = 0; mails < 120; mails += 1) server.deliverMail();
        });
      });
      expect(postsOf(run).slice(0, 5)).to.deep.equal([
        '0 ×0 OK',
        '2 ×1 failed',
        '32 ×50 OK',
        '32 ×50 OK',
        '32 ×20 OK',
      ]);
      const items = run.events.flatMap((event) => (event.type === 'newMail' ? [event.item!.id] : []));
      expect(items).to.have.length(120);
      expect(items).to.deep.equal([...new Set(items)].sort());
    });

    it('emits an event once that the server posts twice', () => {
      const run = pushing(({ push, watch, at, server, posting }) => {
        watch(push(), 100);
        at(1, () => posting.failNext(2, 'resetAfterActing'));
        at(2, () => server.deliverMail());
        at(5, () => server.deliverMail());
      });
      expect(postsOf(run).slice(0, 4)).to.deep.equal(['0 ×0 OK', '2 ×1 failed', '32 ×2 failed', '62 ×2 OK']);
      expect(newsOf(run)).to.deep.equal(['2 newMail', '32 newMail']);
      expect(gapsOf(run)).to.deep.equal([]);
    });

    it('routes each post to its subscription', () => {
      const run = pushing(({ push, watch, at, server }) => {
        watch(push({ folders: ['inbox'], events: ['newMail'] }), 50);
        watch(push({ folders: ['drafts'], events: ['created'] }), 50);
        at(10, () => server.createItem('drafts'));
        at(20, () => server.deliverMail());
      });
      expect(newsOf(run)).to.deep.equal(['10 created', '20 newMail']);
      const [created, mail] = run.events.filter(({ type }) => type !== 'status');
      expect(created!.subscriptionId).to.not.equal(mail!.subscriptionId);
    });

    it('shares one subscription, and keeps it for the grace period', () => {
      const run = pushing(({ push, watch }) => {
        const shared$ = push({ graceSeconds: 5 });
        watch(shared$, 10);
        watch(shared$, 20);
      });
      expect(run.sent()).to.deep.equal(['0 Subscribe']);
      expect(postsOf(run)).to.deep.equal(['0 ×0 OK', '60 ×0 Unsubscribe']);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });
  });

  describe('when unsubscribed', () => {
    it('ends the subscription with the response to the next post', () => {
      const run = pushing(({ push, watch, heldAt, exchange, seen, at }) => {
        watch(push(), 10);
        exchange.releases.pending$.subscribe((pending) => seen.push(`pending ${pending}`));
        heldAt(59);
        heldAt(61);
        at(9, () => undefined);
      });
      expect(run.seen).to.deep.equal(['0 status', 'pending 0', 'pending 1', 'pending 0']);
      expect(run.onServer.map(({ length }) => length)).to.deep.equal([1, 0]);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
      expect(run.outcomes[0]).to.deep.include({ resource: 'PushSubscription', attempts: 1 });
      expect(run.outcomes[0]!.at.getTime()).to.equal(60_000);
    });

    it('never sends Unsubscribe, which push does not have', () => {
      const run = pushing(({ push, watch }) => watch(push(), 10));
      expect(run.sent()).to.deep.equal(['0 Subscribe']);
    });

    it('ends it with the response to the current post', () => {
      const run = pushing(({ push, watch, at, server, heldAt }) => {
        watch(push().pipe(take(2)), 100);
        at(10, () => server.deliverMail());
        heldAt(10.5);
      });
      expect(run.seen).to.deep.equal(['0 status', '10 newMail', '10 complete']);
      expect(postsOf(run)).to.deep.equal(['0 ×0 OK', '10 ×1 Unsubscribe']);
      expect(run.onServer).to.deep.equal([[]]);
    });

    it('ends it with the first post if Subscribe was not answered', () => {
      const run = pushing(({ push, watch }) => watch(push(), 1.5), { latencyMs: 2000 });
      expect(run.seen).to.deep.equal([]);
      expect(postsOf(run)).to.deep.equal(['1 ×0 Unsubscribe']);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('records Expired when the server has stopped posting', () => {
      const run = pushing(({ push, watch, posting, at, heldAt }) => {
        watch(push(), 70);
        at(65, () => posting.failNext(10, 'reset'));
        heldAt(179);
        heldAt(181);
      });
      expect(postsOf(run)).to.deep.equal([
        '0 ×0 OK',
        '60 ×0 OK',
        '120 ×0 failed',
        '150 ×0 failed',
        '180 ×0 failed',
      ]);
      expect(run.onServer.map(({ length }) => length)).to.deep.equal([1, 0]);
      expect(outcomesOf(run)).to.deep.equal(['Expired']);
      expect(run.outcomes[0]!.at.getTime()).to.equal(60_000 + 150_000);
    });

    it('ends it again if the server has missed the response', () => {
      const run = pushing(({ push, watch, posting, at, server, heldAt }) => {
        watch(push(), 10);
        // Another subscription uses the same callback URL all the time.
        watch(push({ folders: ['drafts'] }), 300);
        at(50, () => posting.failNext(1, 'resetAfterActing'));
        at(55, () => server.deliverMail());
        heldAt(84);
        heldAt(86);
      });
      expect(postsOf(run)[2]).to.equal('55 ×1 failed');
      expect(run.onServer.map(({ length }) => length)).to.deep.equal([2, 1]);
      expect(outcomesOf(run)).to.deep.equal(['Released', 'Released']);
    });

    it('leaves nothing when close waits for the next post', () => {
      const run = pushing(({ push, watch, at, exchange, heldAt }) => {
        watch(push(), 500);
        at(70, () => void exchange.close({ timeoutMs: 60_000 }));
        heldAt(121);
      });
      expect(run.seen.at(-1)).to.equal('70 complete');
      expect(run.onServer).to.deep.equal([[]]);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('records a failed release when close gives up before the next post', () => {
      const run = pushing(({ push, watch, at, exchange, heldAt }) => {
        watch(push(), 500);
        at(70, () => void exchange.close());
        heldAt(81);
      });
      expect(outcomesOf(run)).to.deep.equal(['Failed']);
      expect(run.onServer.map(({ length }) => length)).to.deep.equal([1]);
    });
  });

  describe('for unknown subscriptions', () => {
    it('ends those of an earlier process', () => {
      const run = pushing(({ push, watch, at, heldAt, server, incoming$ }) => {
        // Only the subscription on the server is left of the earlier process.
        const former = incoming$.subscribe(({ respond }) =>
          respond({ status: 200, headers: {}, body: '<SubscriptionStatus>OK</SubscriptionStatus>' }),
        );
        const request = { method: 'POST', url: server.url, headers: { 'content-type': 'text/xml' } };
        at(0, () => server.transport({ ...request, body: subscribeByHand }).subscribe());
        at(1, () => former.unsubscribe());
        at(2, () => watch(push(), 200));
        heldAt(59);
        heldAt(61);
      });
      expect(run.onServer.map(({ length }) => length)).to.deep.equal([2, 1]);
      expect(postsOf(run).slice(0, 3)).to.deep.equal(['0 ×0 OK', '2 ×0 OK', '60 ×0 Unsubscribe']);
    });

    it('ends one whose Subscribe response was lost', () => {
      const run = pushing(({ push, watch, server, heldAt }) => {
        server.failNext(1, 'resetAfterActing', 'Subscribe');
        watch(push(), 100);
        heldAt(50);
      });
      expect(outcomesOf(run)[0]).to.equal('Unknown');
      expect(run.outcomes[0]).to.have.property('hint').that.contains('It is removed with its next post');
      expect(run.onServer[0]).to.have.length(1);
    });
  });

  describe('after a loss', () => {
    it('resumes from the last watermark after silence', () => {
      const run = pushing(({ push, watch, at, server }) => {
        watch(push(), 300);
        at(10, () => server.deliverMail());
        at(30, () => server.expire());
        at(40, () => server.deliverMail());
      });
      // Two status periods after the last post, and the allowed delay.
      expect(run.seen).to.deep.equal(['0 status', '10 newMail', '160 newMail', '220 status', '280 status']);
      expect(run.server.requests[1]).to.include({ operation: 'Subscribe', time: 160_000 });
      expect(run.server.requests[1]!.watermark).to.equal(
        run.events[1]!.type === 'newMail' ? run.events[1]!.watermark : '',
      );
      expect(gapsOf(run)).to.deep.equal([]);
      expect(outcomesOf(run)).to.deep.equal(['Expired', 'Released']);
    });

    for (const [name, options, dialect, seen] of [
      ['it is not to resume', { onLost: 'recreate' }, 'exchange', ['0 status', '150 gap', '150 status']],
      ['the server posts nothing', {}, 'grommunio', ['150 gap']],
    ] as const) {
      it(`starts from now with a gap after silence if ${name}`, () => {
        const run = pushing(
          ({ push, watch, at, server }) => {
            watch(push(options), 200);
            at(30, () => server.expire());
            at(40, () => server.deliverMail());
          },
          { dialect },
        );
        expect(run.seen).to.deep.equal(seen);
        expect(gapsOf(run)[0]).to.include({ reason: 'subscriptionLost' });
        expect(gapsOf(run)[0]).to.have.property('since');
      });
    }

    it('re-creates a lost subscription, and ends the old one in its response', () => {
      const run = pushing(({ push, watch, at, server }) => {
        watch(push(), 100);
        at(5, () => server.failNext(1, { error: 'ErrorReadEventsFailed' }, 'SendNotification'));
        at(10, () => server.deliverMail());
      });
      expect(postsOf(run).slice(0, 3)).to.deep.equal(['0 ×0 OK', '10 ×0 Unsubscribe', '10 ×1 OK']);
      expect(newsOf(run)).to.deep.equal(['10 newMail']);
      expect(outcomesOf(run)).to.deep.equal(['Released', 'Released']);
    });

    it('re-creates it also if the first post says so', () => {
      const run = pushing(({ push, watch, server }) => {
        server.failNext(1, { error: 'ErrorReadEventsFailed' }, 'SendNotification');
        watch(push(), 30);
      });
      expect(postsOf(run).slice(0, 2)).to.deep.equal(['0 ×0 Unsubscribe', '0 ×0 OK']);
      expect(run.seen).to.deep.equal(['0 status']);
    });

    it('continues after a gap if the server has missed events', () => {
      const run = pushing(({ push, watch, at, server }) => {
        watch(push(), 100);
        at(5, () => server.failNext(1, { error: 'ErrorMissedNotificationEvents' }, 'SendNotification'));
        at(10, () => server.deliverMail());
      });
      expect(run.seen.slice(0, 3)).to.deep.equal(['0 status', '10 gap', '10 newMail']);
      expect(gapsOf(run)[0]).to.include({ reason: 'eventsMissed' });
      expect(run.sent()).to.deep.equal(['0 Subscribe']);
    });

    it('skips events of types that are not known, and resumes after them', () => {
      const run = pushing(({ exchange, incoming$, watch, at, server }) => {
        const byHand = new Subject<PushRequest>();
        const options = { folders: ['inbox'], events: ['newMail'], callbackUrl: CALLBACK_URL } as const;
        watch(
          pushNotifications(exchange, { ...options, statusFrequencyMinutes: 1 }, merge(incoming$, byHand)),
          200,
        );
        const [url] = callbackUrlsOf({ server });
        const post = postedEvents(server.subscriptions[0]!.id, ['W7', 'W8']);
        const body = new TextEncoder().encode(
          post.replace(
            /<t:NewMailEvent>(<t:Watermark>W8.*)<.t:NewMailEvent>/,
            '<t:PinnedEvent>$1</t:PinnedEvent>',
          ),
        );
        // The second time because the response was lost.
        for (const second of [5, 6]) {
          at(second, () => byHand.next({ url: () => url, body$: of(body), respond: () => undefined }));
        }
        at(7, () => server.expire());
      });
      expect(run.seen.slice(0, 2)).to.deep.equal(['0 status', '5 newMail']);
      expect(run.server.requests[1]!.body).to.contain('<t:Watermark>W8</t:Watermark>');
    });

    it('waits for the next post if the server is busy', () => {
      const run = pushing(({ push, watch, at, server }) => {
        watch(push(), 100);
        at(5, () => server.failNext(1, { error: 'ErrorServerBusy' }, 'SendNotification'));
        at(10, () => server.deliverMail());
      });
      expect(run.seen.slice(0, 2)).to.deep.equal(['0 status', '10 newMail']);
      expect(run.sent()).to.deep.equal(['0 Subscribe']);
    });

    it('fails on other errors, and ends the subscription', () => {
      const run = pushing(({ push, watch, at, server }) => {
        watch(push(), 100);
        at(5, () => server.failNext(1, { error: 'ErrorInvalidPushSubscriptionUrl' }, 'SendNotification'));
        at(10, () => server.deliverMail());
      });
      expect(run.seen).to.deep.equal(['0 status', '10 EwsError']);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('starts from now with a gap if the server refuses the watermark', () => {
      const run = pushing(({ push, watch, at, server }) => {
        watch(push(), 200);
        at(30, () => {
          server.expire();
          server.forgetHistory();
        });
      });
      expect(newsOf(run)).to.deep.equal(['152 gap']);
      expect(gapsOf(run)[0]).to.include({ reason: 'watermarkRefused' });
    });

    it('fails with advice if the server refuses the callback URL', () => {
      const run = pushing(({ push, watch }) => watch(push(), 10), {}, {});
      expect(run.errors).to.deep.equal([]);
      const refused = pushing(({ push, watch, server }) => {
        server.failNext(1, { error: 'ErrorInvalidPushSubscriptionUrl' }, 'Subscribe');
        watch(push(), 10);
      });
      expect(refused.errors[0]).to.be.instanceOf(EwsError);
      expect(refused.errors[0]).to.have.property('message').that.contains('cannot post to callbackUrl');
      expect(refused.outcomes).to.deep.equal([]);
    });
  });

  describe('when no post can arrive any more', () => {
    it('errors, and records that the subscription was not ended', () => {
      const incoming = new Subject<PushRequest>();
      const run = pushing(({ exchange, watch, at, incoming$ }) => {
        const all = incoming$.subscribe(incoming);
        const options = { allFolders: true, events: ['created'], callbackUrl: CALLBACK_URL } as const;
        watch(pushNotifications(exchange, options, incoming), 100);
        at(10, () => incoming.complete());
        at(100, () => all.unsubscribe());
        at(50, () => watch(pushNotifications(exchange, options, incoming), 100));
      });
      expect(run.seen).to.deep.equal(['0 status', '10 ClosedError', '50 ClosedError']);
      expect(run.errors[0]).to.be.instanceOf(ClosedError);
      expect(outcomesOf(run)).to.deep.equal(['Failed']);
      // A later subscriber is refused before anything is sent.
      expect(run.sent()).to.deep.equal(['0 Subscribe']);
    });

    it('errors with the error of incoming', () => {
      const incoming = new Subject<PushRequest>();
      const broken = new Error('the port is taken');
      const run = pushing(({ exchange, watch, at }) => {
        const options = { allFolders: true, events: ['created'], callbackUrl: CALLBACK_URL } as const;
        watch(pushNotifications(exchange, options, incoming), 100);
        watch(pushNotifications(exchange, options, incoming), 5);
        at(10, () => incoming.error(broken));
      });
      expect(run.errors).to.deep.equal([broken]);
      expect(outcomesOf(run)).to.deep.equal(['Failed', 'Failed']);
    });
  });

  describe('with a secret in the callback URL', () => {
    it('gives each subscription another one, also when it subscribes again', () => {
      const run = pushing(({ push, watch, at, server }) => {
        watch(push(), 200);
        watch(push(), 200);
        at(30, () => server.expire());
      });
      const urls = callbackUrlsOf(run);
      expect(urls).to.have.length(4);
      expect(new Set(urls).size).to.equal(4);
      for (const url of urls) expect(url).to.match(/^https:\/\/me\.example\/notified\?pushKey=[\da-f]{32}$/);
    });

    it('leaves the query of the caller as it is', () => {
      const run = pushing(({ push, watch }) => watch(push({ callbackUrl: `${CALLBACK_URL}?a=b%20c&d` }), 10));
      expect(callbackUrlsOf(run)[0]).to.match(/\?a=b%20c&d&pushKey=[\da-f]{32}$/);
      expect(run.seen).to.deep.equal(['0 status']);
    });

    it('keeps services with equal ids apart', () => {
      const { transport, incoming$ } = pushCallback();
      const ids: string[] = [];
      const mailboxes = [ewsSimulator({ push: transport }), ewsSimulator({ push: transport })];
      const run = pushing(({ watch, at }) => {
        for (const { url, transport: way } of mailboxes) {
          const exchange = connectExchange({ server: url, transport: way });
          const options = { folders: ['inbox'], events: ['newMail'], callbackUrl: CALLBACK_URL } as const;
          watch(pushNotifications(exchange, { ...options, statusFrequencyMinutes: 1 }, incoming$), 50);
        }
        at(10, () => mailboxes[1]!.deliverMail());
        at(45, () =>
          ids.push(...mailboxes.flatMap(({ subscriptions }) => subscriptions.map(({ id }) => id))),
        );
      });
      expect(ids[0]).to.equal(ids[1]);
      expect(run.seen).to.deep.equal(['0 status', '0 status', '10 newMail']);
      expect(mailboxes.map(({ subscriptions }) => subscriptions.length)).to.deep.equal([0, 0]);
    });

    it('errors if the adapter does not give the URL', () => {
      const run = pushing(({ exchange, incoming$, watch }) => {
        const options = { allFolders: true, events: ['created'], callbackUrl: CALLBACK_URL } as const;
        const without$ = incoming$.pipe(map(({ body$, respond }) => ({ body$, respond })));
        watch(pushNotifications(exchange, options, without$), 50);
      });
      expect(run.errors[0])
        .to.be.instanceOf(TypeError)
        .with.property('message')
        .that.contains('callbackSecret');
    });
  });

  describe('without a secret in the callback URL', () => {
    it('routes by the id, and needs no URL', () => {
      const run = pushing(({ exchange, incoming$, watch, at, server }) => {
        const options = { folders: ['inbox'], events: ['newMail'], callbackUrl: CALLBACK_URL } as const;
        const without$ = incoming$.pipe(map(({ body$, respond }) => ({ body$, respond })));
        const more = { callbackSecret: false, statusFrequencyMinutes: 1 } as const;
        watch(pushNotifications(exchange, { ...options, ...more }, without$), 20);
        at(10, () => server.deliverMail());
      });
      expect(callbackUrlsOf(run)).to.deep.equal([CALLBACK_URL]);
      expect(run.seen).to.deep.equal(['0 status', '10 newMail']);
      expect(outcomesOf(run)).to.deep.equal(['Released']);
    });

    it('holds a post that arrives before the answer to the Subscribe', () => {
      const run = pushing(({ push, watch }) => watch(push({ callbackSecret: false }), 30), {
        latencyMs: 2000,
      });
      expect(run.seen).to.deep.equal(['2 status']);
    });
  });

  it('throws if incoming is not an Observable', () => {
    pushing(({ exchange }) => {
      const options: PushOptions = { allFolders: true, events: ['created'], callbackUrl: CALLBACK_URL };
      const none = [] as unknown as Subject<PushRequest>;
      expect(() => pushNotifications(exchange, options, none)).to.throw(TypeError, 'incoming must be');
    });
  });
});

const subscribeByHand =
  '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"' +
  ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"' +
  ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><soap:Body><m:Subscribe>' +
  '<m:PushSubscriptionRequest SubscribeToAllFolders="true"><t:EventTypes><t:EventType>CreatedEvent</t:EventType>' +
  `</t:EventTypes><t:StatusFrequency>1</t:StatusFrequency><t:URL>${CALLBACK_URL}</t:URL>` +
  '</m:PushSubscriptionRequest></m:Subscribe></soap:Body></soap:Envelope>';

const good: PushOptions = {
  folders: ['inbox'],
  events: ['newMail'],
  callbackUrl: 'https://me.example/notified',
};

describe('The options of a push', () => {
  it('have defaults', () => {
    expect(resolvePushOptions(good)).to.deep.equal({
      request: {
        type: 'push',
        folders: ['inbox'],
        events: ['newMail'],
        watermark: undefined,
        statusFrequencyMinutes: 5,
        callbackUrl: 'https://me.example/notified',
      },
      hasSecret: true,
      silenceMs: 630_000,
      onLost: 'resume',
      graceMs: undefined,
      checkpoint: undefined,
    });
  });

  it('are used as given', () => {
    const plan = resolvePushOptions({
      allFolders: true,
      events: ['created', 'freeBusyChanged'],
      callbackUrl: 'http://localhost:8080/a?b=c',
      callbackSecret: false,
      statusFrequencyMinutes: 1440,
      watermark: 'W1',
      onLost: 'recreate',
      graceSeconds: 2.5,
    });
    expect(plan.request).to.deep.include({
      folders: undefined,
      watermark: 'W1',
      callbackUrl: 'http://localhost:8080/a?b=c',
    });
    expect(plan).to.include({ hasSecret: false, silenceMs: 172_830_000, onLost: 'recreate', graceMs: 2500 });
  });

  const bad: readonly [name: string, options: Record<string, unknown>, message: string][] = [
    ['no callback URL', { callbackUrl: undefined }, 'callbackUrl must be an absolute http or https URL'],
    ['a callback URL without a host', { callbackUrl: '/notified' }, 'callbackUrl must be an absolute'],
    ['a password in the callback URL', { callbackUrl: 'https://a:b@c.example/' }, 'callbackUrl must be'],
    [
      'no minute',
      { statusFrequencyMinutes: 0 },
      'statusFrequencyMinutes must be a whole number from 1 to 1440',
    ],
    ['more than a day', { statusFrequencyMinutes: 1441 }, 'statusFrequencyMinutes must be a whole number'],
    ['half a minute', { statusFrequencyMinutes: 1.5 }, 'statusFrequencyMinutes must be a whole number'],
    ['no folders', { folders: undefined }, 'folders must be a list of at least one folder'],
    ['no events', { events: [] }, 'events must be a list of at least one of'],
    [
      'a callback URL with the parameter of the secret',
      { callbackUrl: 'https://c.example/?pushKey=a' },
      'callbackUrl must be a URL without the parameter pushKey',
    ],
    ['a secret of the caller', { callbackSecret: 'abc' }, 'callbackSecret must be true or false'],
    ['no decision on the secret', { callbackSecret: null }, 'callbackSecret must be true or false'],
    ['an empty watermark', { watermark: '' }, 'watermark must be a text'],
    ['a negative grace', { graceSeconds: -1 }, 'graceSeconds must be a number from 0 to 86400'],
  ];
  for (const [name, options, message] of bad) {
    it(`throw for ${name}, and name the option`, () => {
      const all: PushOptions = { ...good, ...options };
      expect(() => resolvePushOptions(all)).to.throw(TypeError, message);
    });
  }

  it('takes the parameter of the secret if it adds none', () => {
    const callbackUrl = 'https://c.example/?pushKey=a';
    expect(resolvePushOptions({ ...good, callbackUrl, callbackSecret: false }).request).to.include({
      callbackUrl,
    });
  });

  it('never show the password of a callback URL', () => {
    expect(() => resolvePushOptions({ ...good, callbackUrl: 'https://a:s3cr3t@c.example/' })).to.throw(
      TypeError,
      /^(?!.*s3cr3t)/,
    );
  });
});
