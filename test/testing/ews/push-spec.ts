import { expect } from 'chai';
import { asyncScheduler, NEVER, of, timer } from 'rxjs';
import { headersFrom, type Transport, readText } from '../../../lib/core/transport/transport.ts';
import {
  getEventsEnvelope,
  type PushSubscriptionRequest,
  subscribeEnvelope,
  unsubscribeEnvelope,
} from '../../../lib/ews/protocol/envelope.ts';
import { messageParser } from '../../../lib/ews/protocol/parser.ts';
import type { EwsMessage } from '../../../lib/ews/protocol/messages.ts';
import { ewsSimulator, type EwsSimulator } from '../../../lib/testing/ews/simulator.ts';
import type { EwsSimulatorOptions } from '../../../lib/testing/ews/options.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { pushCallback } from '../../../lib/testing/ews/push.ts';

const head = { version: 'Exchange2013_SP1' };
const push: PushSubscriptionRequest = {
  type: 'push',
  folders: ['inbox'],
  events: ['newMail'],
  watermark: undefined,
  statusFrequencyMinutes: 2,
  callbackUrl: 'https://me.example/notified',
};

const read = (xml: string): EwsMessage[] => {
  const messages: EwsMessage[] = [];
  const parser = messageParser((message) => messages.push(message));
  parser.write(new TextEncoder().encode(xml));
  parser.end();
  return messages;
};

interface Posting {
  readonly server: EwsSimulator;
  /** The times of the posts in seconds, and the bodies. */
  readonly times: number[];
  readonly bodies: string[];
  /** Sends a request, and returns the text of its response. */
  readonly send: (body: string) => string;
}

/** Runs a spec with a server whose posts get these responses, the last one repeatedly; undefined is none. */
function posting(
  answers: readonly (string | number | undefined)[],
  script: (posting: Posting) => void,
  options: EwsSimulatorOptions = {},
): Posting {
  const times: number[] = [];
  const bodies: string[] = [];
  const transport: Transport = ({ url, body = '' }) => {
    const answer = answers[Math.min(times.length, answers.length - 1)];
    times.push(asyncScheduler.now() / 1000);
    bodies.push(body);
    if (answer === undefined) return NEVER;
    const [status, text] =
      typeof answer === 'number'
        ? [answer, 'OK']
        : [200, `<a:SubscriptionStatus>${answer}</a:SubscriptionStatus>`];
    return of({ status, url, headers: headersFrom({}), body$: of(new TextEncoder().encode(text)) });
  };
  const server = ewsSimulator({ push: transport, ...options });
  const send = (body: string): string => {
    let text = '';
    server
      .transport({ method: 'POST', url: server.url, headers: { 'content-type': 'text/xml' }, body })
      .subscribe(({ body$ }) => body$.subscribe((chunk) => (text += new TextDecoder().decode(chunk))));
    return text;
  };
  const result = { server, times, bodies, send };
  inVirtualTime(() => script(result));
  return result;
}

const until = (seconds: number, server: EwsSimulator): void => {
  timer(seconds * 1000).subscribe(() => server.restart());
};

describe('The push subscriptions of the simulated Exchange server', () => {
  it('are posted at once, at the status frequency, and for events', () => {
    const { times, bodies, server } = posting(['OK'], ({ send, server: one }) => {
      send(subscribeEnvelope(head, push));
      timer(30_000).subscribe(() => one.deliverMail());
      timer(31_000).subscribe(() => one.createItem('drafts'));
      until(300, one);
    });
    expect(times).to.deep.equal([0, 30, 150, 270]);
    const types = bodies.flatMap(read).map((message) => {
      expect(message).to.include({
        type: 'response',
        operation: 'SendNotification',
        responseClass: 'Success',
      });
      return message.type === 'response' ? message.notifications[0]!.events.map(({ type }) => type) : [];
    });
    expect(types).to.deep.equal([['status'], ['newMail'], ['status'], ['status']]);
    expect(server.posts.map(({ response }) => response)).to.deep.equal(['OK', 'OK', 'OK', 'OK']);
  });

  it('exist until the response Unsubscribe', () => {
    const counts: number[] = [];
    posting(['OK', 'Unsubscribe'], ({ send, server }) => {
      send(subscribeEnvelope(head, push));
      counts.push(server.subscriptions.length);
      expect(server.subscriptions[0]).to.include({ type: 'push', expiresAt: Infinity });
      timer(121_000).subscribe(() => counts.push(server.subscriptions.length));
    });
    expect(counts).to.deep.equal([1, 0]);
  });

  it('retry after 30 seconds, with doubled delays, within the status frequency', () => {
    const { times, server } = posting([500], ({ send }) => send(subscribeEnvelope(head, push)));
    expect(times).to.deep.equal([0, 30, 60, 120]);
    expect(server.subscriptions).to.deep.equal([]);
    expect(server.posts.map(({ response }) => response)).to.deep.equal([
      'failed',
      'failed',
      'failed',
      'failed',
    ]);
  });

  it('repeat events without a response, with the new ones', () => {
    const { bodies, times } = posting(['OK', 'what?', 'OK'], ({ send, server }) => {
      send(subscribeEnvelope(head, push));
      timer(10_000).subscribe(() => server.deliverMail());
      timer(20_000).subscribe(() => server.deliverMail());
      until(41, server);
    });
    expect(times).to.deep.equal([0, 10, 40]);
    expect(bodies.map((body) => body.split('<t:NewMailEvent>').length - 1)).to.deep.equal([0, 1, 2]);
    const [previous, again] = bodies.slice(1).map((body) => /PreviousWatermark>[^<]*/.exec(body)?.[0]);
    expect(previous).to.equal(again);
  });

  it('keep the watermarks of a repeated post, even after an error', () => {
    const { bodies, times } = posting(['OK', 'what?', 'what?', 'OK'], ({ send, server }) => {
      send(subscribeEnvelope(head, push));
      timer(10_000).subscribe(() => server.deliverMail());
      timer(20_000).subscribe(() => server.failNext(1, { error: 'ErrorServerBusy' }, 'SendNotification'));
      timer(50_000).subscribe(() => server.forgetHistory());
      until(71, server);
    });
    expect(times).to.deep.equal([0, 10, 40, 70]);
    const [, first, error, again] = bodies;
    expect(error).to.contain('ErrorServerBusy');
    expect(again).to.equal(first);
  });

  it('wait a minute for a response', () => {
    const { times } = posting(['OK', undefined, 'OK'], ({ send, server }) => {
      send(subscribeEnvelope(head, push));
      until(220, server);
    });
    // Timed out after 60 seconds, and repeated 30 seconds later.
    expect(times).to.deep.equal([0, 120, 210]);
  });

  it('end when the server restarts', () => {
    const { times } = posting(
      ['OK'],
      ({ send, server }) => {
        send(subscribeEnvelope(head, push));
        timer(600).subscribe(() => server.restart());
        timer(800).subscribe(() => server.deliverMail());
      },
      { latencyMs: 500 },
    );
    expect(times).to.deep.equal([0.5]);
  });

  it('end without a post when they expire', () => {
    const { times } = posting(['OK'], ({ send, server }) => {
      send(subscribeEnvelope(head, push));
      server.expire();
      server.deliverMail();
    });
    expect(times).to.deep.equal([0]);
  });

  it('post a prepared error with their id', () => {
    const { bodies, server } = posting(['OK'], ({ send, server: one }) => {
      one.failNext(1, { error: 'ErrorReadEventsFailed' }, 'SendNotification');
      const id = /SubscriptionId>([^<]*)/.exec(send(subscribeEnvelope(head, push)))![1];
      expect(one.posts[0]).to.deep.equal({ subscriptionId: id, time: 0, events: 0, response: 'OK' });
      until(10, one);
    });
    const [message] = read(bodies[0]!);
    expect(message).to.include({ responseClass: 'Error', responseCode: 'ErrorReadEventsFailed' });
    expect(message!.values.get('SubscriptionId')).to.equal(server.posts[0]!.subscriptionId);
  });

  it('reject GetEvents and Unsubscribe', () => {
    posting(['OK'], ({ send, server }) => {
      const answer = send(subscribeEnvelope(head, push));
      const id = /SubscriptionId>([^<]*)/.exec(answer)![1]!;
      const watermark = /Watermark>([^<]*)/.exec(answer)![1]!;
      expect(send(getEventsEnvelope(head, id, watermark))).to.contain('ErrorInvalidPullSubscriptionId');
      expect(send(unsubscribeEnvelope(head, id))).to.contain('ErrorInvalidPullSubscriptionId');
      expect(server.subscriptions).to.have.length(1);
      server.restart();
    });
  });

  it('fail without a transport, and for an invalid URL', () => {
    const body = subscribeEnvelope(head, push);
    const without = ewsSimulator();
    let text = '';
    without
      .transport({ method: 'POST', url: without.url, headers: { 'content-type': 'text/xml' }, body })
      .subscribe(({ body$ }) => body$.subscribe((chunk) => (text += new TextDecoder().decode(chunk))));
    expect(text).to.contain('ErrorInvalidPushSubscriptionUrl');
    posting(['OK'], ({ send, server }) => {
      expect(send(subscribeEnvelope(head, { ...push, callbackUrl: 'ftp://me.example/' }))).to.contain(
        'ErrorInvalidPushSubscriptionUrl',
      );
      expect(server.subscriptions).to.deep.equal([]);
    });
  });
});

const request = { method: 'POST', url: 'https://me.example/notified', body: 'hä?' };

describe('pushCallback', () => {
  it('passes a post to its subscriber, and the response back', () => {
    const { transport, incoming$ } = pushCallback();
    const seen: string[] = [];
    incoming$.subscribe(({ body$, respond }) => {
      body$.subscribe((chunk) => {
        respond({ status: 202, headers: { 'x-a': 'b' }, body: `${new TextDecoder().decode(chunk)} ja` });
      });
    });
    transport(request).subscribe((response) => {
      seen.push(String(response.status), response.headers.get('X-A') ?? 'none', response.url);
      readText(response, 'answer').subscribe((text) => seen.push(text));
    });
    transport({ method: 'GET', url: request.url }).subscribe(({ status }) => seen.push(String(status)));
    expect(seen).to.deep.equal(['202', 'b', request.url, 'hä? ja', '202']);
  });

  it('emits the URL with the secret in its query', () => {
    const { transport, incoming$ } = pushCallback();
    const urls: (string | undefined)[] = [];
    incoming$.subscribe(({ url }) => urls.push(url?.()));
    transport({ ...request, url: `${request.url}?pushKey=a` }).subscribe();
    expect(urls).to.deep.equal([`${request.url}?pushKey=a`]);
  });

  it('responds with 503 without a subscriber', () => {
    const { transport } = pushCallback();
    const statuses: number[] = [];
    transport(request).subscribe(({ status }) => statuses.push(status));
    expect(statuses).to.deep.equal([503]);
  });
});
