import { expect } from 'chai';
import { of, Subject, timer, asyncScheduler, NEVER, throwError } from 'rxjs';
import { ClosedError } from '../../../lib/core/errors.ts';
import type { PushRequest, PushResponse } from '../../../lib/ews/push/pushRequest.ts';
import { type PushRouter, routerOf, pushSender, type PushSender } from '../../../lib/ews/push/router.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { postedEvents, posted, postedError, postedMessage, sendNotification } from './posted.ts';

interface Routing {
  readonly router: PushRouter;
  readonly incoming: Subject<PushRequest>;
  /** Posts a status for a subscription, with a secret or without one. */
  readonly post: (id: string, secret?: string) => void;
  /** Records the messages for a subscription at the sender of a secret. */
  readonly join: (secret: string | undefined, id: string) => { unsubscribe: () => void };
}

function routing(script: (routing: Routing) => void, maxUnknown?: number): string[] {
  const incoming = new Subject<PushRequest>();
  const router = routerOf(incoming, maxUnknown);
  const seen: string[] = [];
  inVirtualTime(() =>
    script({
      router,
      incoming,
      post: (id, secret) =>
        incoming.next({
          url: () => `/notified${secret === undefined ? '' : `?pushKey=${secret}`}`,
          body$: of(new TextEncoder().encode(postedEvents(id, []))),
          respond: ({ status, body }) => seen.push(/Status>(\w+)</.exec(body)?.[1] ?? String(status)),
        }),
      join: (secret, id) =>
        router
          .senderFor(secret)
          .messagesFor(id)
          .subscribe({
            next: () => seen.push(`${secret ?? 'none'} ${id}`),
            error: (error: unknown) => seen.push(error instanceof Error ? error.name : String(error)),
          }),
    }),
  );
  return seen;
}

describe('The router of posts', () => {
  it('is one for all that use the same Observable', () => {
    const incoming = new Subject<PushRequest>();
    expect(routerOf(incoming)).to.equal(routerOf(incoming));
    expect(routerOf(incoming)).to.not.equal(routerOf(new Subject()));
  });

  it('subscribes once while a line is in use, and not longer', () => {
    const observed: boolean[] = [];
    routing(({ join, incoming }) => {
      const one = join('a', 'S1');
      const other = join(undefined, 'S2');
      one.unsubscribe();
      observed.push(incoming.observed);
      other.unsubscribe();
      observed.push(incoming.observed);
    });
    expect(observed).to.deep.equal([true, false]);
  });

  it('routes by the secret, so that equal ids stay apart', () => {
    const seen = routing(({ join, post }) => {
      join('a', 'S1');
      join('b', 'S1');
      post('S1', 'b');
      post('S1', 'a');
    });
    expect(seen).to.deep.equal(['b S1', 'OK', 'a S1', 'OK']);
  });

  it('ends a subscription whose message lacks its secret', () => {
    const seen = routing(({ join, post }) => {
      join('a', 'S1');
      join('b', 'S2');
      post('S1');
      post('S1', 'c');
      post('S1', 'b');
      post('S1', '');
      post('S1', 'A');
    });
    expect(seen).to.deep.equal(Array.from({ length: 5 }, () => 'Unsubscribe'));
  });

  it('routes by the id if there is no secret', () => {
    const seen = routing(({ join, post }) => {
      join(undefined, 'S1');
      post('S1');
      post('S1', 'unknown');
    });
    expect(seen).to.deep.equal(['none S1', 'OK', 'none S1', 'OK']);
  });

  it('forgets a secret when its line is not used any more', () => {
    const seen = routing(({ join, post }) => {
      join('b', 'S2');
      join('a', 'S1').unsubscribe();
      post('S1', 'a');
    });
    expect(seen).to.deep.equal(['Unsubscribe']);
  });

  it('holds 3 posts with a secret while its Subscribe is under way', () => {
    const seen = routing(({ router, post }) => {
      const done = router.senderFor('a').expectSubscription();
      for (let posts = 0; posts < 5; posts += 1) post('S1', 'a');
      timer(1000).subscribe(done);
    });
    expect(seen).to.deep.equal(['503', '503', 'Unsubscribe', 'Unsubscribe', 'Unsubscribe']);
  });

  it("buffers no stranger's posts during a Subscribe with a secret", () => {
    const seen = routing(({ router, post }) => {
      router.senderFor('a').expectSubscription();
      for (let posts = 0; posts < 200; posts += 1) post(`S${posts}`);
    });
    expect(seen).to.deep.equal(Array.from({ length: 200 }, () => 'Unsubscribe'));
  });

  it('holds as many posts without a secret as it may', () => {
    const seen = routing(({ router, post }) => {
      router.senderFor(undefined).expectSubscription();
      for (let posts = 0; posts < 4; posts += 1) post('S1');
    }, 2);
    expect(seen).to.deep.equal(['503', '503', '503', '503']);
  });

  it('delivers to a subscription while posts of strangers wait', () => {
    const seen = routing(({ router, join, post }) => {
      router.senderFor(undefined).expectSubscription();
      join('a', 'S1');
      for (let posts = 0; posts < 3; posts += 1) post('S9');
      post('S1', 'a');
    }, 2);
    expect(seen.slice(0, 3)).to.deep.equal(['503', 'a S1', 'OK']);
  });

  it('errors for an adapter that does not give the URL', () => {
    const errors: unknown[] = [];
    const answers: number[] = [];
    routing(({ router, incoming }) => {
      router
        .senderFor('a')
        .messagesFor('S1')
        .subscribe({ error: (error: unknown) => errors.push(error) });
      incoming.next({
        body$: of(new TextEncoder().encode(postedEvents('S1', []))),
        respond: ({ status }) => answers.push(status),
      });
    });
    expect(errors[0])
      .to.be.instanceOf(TypeError)
      .with.property('message')
      .that.contains('callbackSecret: false');
    expect(answers).to.deep.equal([503]);
  });

  it('takes an adapter without the URL if there is no secret', () => {
    const seen = routing(({ join, incoming }) => {
      join(undefined, 'S1');
      incoming.next({
        body$: of(new TextEncoder().encode(postedEvents('S1', []))),
        respond: () => undefined,
      });
    });
    expect(seen).to.deep.equal(['none S1']);
  });

  it('errors for all lines if nothing can arrive any more', () => {
    const seen = routing(({ join, incoming, router }) => {
      join('a', 'S1');
      join(undefined, 'S2');
      incoming.complete();
      expect(() => router.senderFor('b').expectSubscription()).to.throw(ClosedError);
    });
    expect(seen).to.deep.equal(['ClosedError', 'ClosedError']);
  });
});

interface Posting {
  readonly line: PushSender;
  /** Errors if nothing can arrive any more. */
  readonly arrivals: Subject<never>;
  /** The responses and messages, each with its second. */
  readonly seen: string[];
  readonly post: (xml: string) => void;
  /** Starts a post that never ends. */
  readonly stall: () => void;
  /** Records the messages of a subscription. */
  readonly join: (id: string) => { unsubscribe: () => void };
  readonly dismiss: (id: string) => void;
}

function posting(script: (posting: Posting) => void, most = 10, mostBytes?: number): string[] {
  const arrivals = new Subject<never>();
  const line = pushSender(arrivals, most, mostBytes);
  const seen: string[] = [];
  const at = (): string => String(asyncScheduler.now() / 1000);
  const bytes = (xml: string): Uint8Array => new TextEncoder().encode(xml);
  const note = ({ status, body, headers, problem = '' }: PushResponse): void => {
    const said = /Status>(\w+)</.exec(body)?.[1] ?? headers['retry-after'] ?? '';
    seen.push([at(), status, said, problem].join(' ').trim());
  };
  inVirtualTime(() =>
    script({
      line,
      arrivals,
      seen,
      post: (xml) =>
        line.receive({ body$: of(bytes(xml.slice(0, 300)), bytes(xml.slice(300))), respond: note }),
      stall: () => line.receive({ body$: NEVER, respond: note }),
      join: (id) =>
        line.messagesFor(id).subscribe({
          next: ({ responseCode }) => seen.push(`${at()} ${id} ${responseCode}`),
          error: (error: unknown) => seen.push(`${at()} ${id} ${String(error)}`),
        }),
      dismiss: (id) => {
        line.unsubscribeOnNextPost(id).subscribe({
          next: ({ alreadyGone = false }) => seen.push(`${at()} ${id} ${alreadyGone ? 'gone' : 'dismissed'}`),
          error: (error: unknown) => seen.push(`${at()} ${id} ${String(error)}`),
          complete: () => seen.push(`${at()} ${id} complete`),
        });
      },
    }),
  );
  return seen;
}

describe('The sender of posts', () => {
  it('lets posts arrive only while it is in use', () => {
    const observed: boolean[] = [];
    posting(({ line, arrivals, join }) => {
      observed.push(arrivals.observed);
      const joined = join('S1');
      const done = line.expectSubscription();
      joined.unsubscribe();
      observed.push(arrivals.observed);
      done();
      observed.push(arrivals.observed);
    });
    expect(observed).to.deep.equal([false, true, false]);
  });

  it('emits the messages of a post before it answers', () => {
    const seen = posting(({ join, post }) => {
      join('S1');
      post(postedEvents('S1', ['W1']));
      post(postedError('S1', 'ErrorServerBusy'));
    });
    expect(seen).to.deep.equal(['0 S1 NoError', '0 200 OK', '0 S1 ErrorServerBusy', '0 200 OK']);
  });

  it('emits several messages of one post in order', () => {
    const seen = posting(({ join, post }) => {
      join('S1');
      post(sendNotification(postedMessage('S1', ['W1']), postedMessage('S1', ['W2'])));
    });
    expect(seen).to.deep.equal(['0 S1 NoError', '0 S1 NoError', '0 200 OK']);
  });

  it('ends dismissed subscriptions, and unknown ones', () => {
    const seen = posting(({ join, dismiss, post }) => {
      join('S1');
      dismiss('S2');
      post(postedEvents('S2', []));
      post(postedEvents('S2', []));
      post(postedEvents('S3', []));
    });
    expect(seen).to.deep.equal([
      '0 200 Unsubscribe',
      '0 S2 dismissed',
      '0 S2 complete',
      '0 200 Unsubscribe',
      '0 200 Unsubscribe',
    ]);
  });

  it('answers OK to an error that names no subscription', () => {
    const seen = posting(({ join, post }) => {
      join('S1');
      post(postedError('S1', 'ErrorServerBusy').replace('Name="SubscriptionId"', 'Name="Other"'));
    });
    expect(seen).to.deep.equal(['0 200 OK']);
  });

  it('refuses a post for several subscriptions, and emits nothing of it', () => {
    const seen = posting(({ join, post }) => {
      join('S1');
      join('S2');
      post(sendNotification(postedMessage('S1', ['W1']), postedMessage('S2', ['W2'])));
    });
    expect(seen).to.deep.equal(['0 400  Posted notification: expected one SubscriptionId.']);
  });

  describe('while a Subscribe is under way', () => {
    it('holds a post for an unknown id until the id is known', () => {
      const seen = posting(({ line, join, post }) => {
        const done = line.expectSubscription();
        post(postedEvents('S1', ['W1']));
        timer(5000).subscribe(() => {
          join('S1');
          done();
        });
      });
      expect(seen).to.deep.equal(['5 S1 NoError', '5 200 OK']);
    });

    it('ends an id that is still unknown after all answers', () => {
      const seen = posting(({ line, post }) => {
        const first = line.expectSubscription();
        const second = line.expectSubscription();
        post(postedEvents('S9', ['W1']));
        timer(1000).subscribe(first);
        timer(2000).subscribe(second);
      });
      expect(seen).to.deep.equal(['2 200 Unsubscribe']);
    });

    it('delivers posts for known ids at once', () => {
      const seen = posting(({ line, join, post }) => {
        join('S1');
        line.expectSubscription();
        post(postedEvents('S1', ['W1']));
      });
      expect(seen).to.deep.equal(['0 S1 NoError', '0 200 OK']);
    });

    it('answers a waiting post with 503 after 20 seconds', () => {
      const seen = posting(({ line, post }) => {
        line.expectSubscription();
        post(postedEvents('S1', []));
      });
      expect(seen).to.deep.equal(['20 503 30 The id is not known while a Subscribe is not answered.']);
    });

    it('does not end a new subscription with a dismissed id', () => {
      const seen = posting(({ line, dismiss, join, post }) => {
        dismiss('S1');
        const done = line.expectSubscription();
        post(postedEvents('S1', ['W1']));
        join('S1');
        done();
      });
      expect(seen).to.deep.equal(['0 S1 gone', '0 S1 complete', '0 S1 NoError', '0 200 OK']);
    });
  });

  describe('with too many posts under way', () => {
    it('answers 503 to more posts than it may hold', () => {
      const seen = posting(({ line, post }) => {
        line.expectSubscription();
        for (let posts = 0; posts < 12; posts += 1) post(postedEvents(`S${posts}`, []));
      });
      const tooMany = '0 503 30 Too many posts are under way.';
      expect(seen.slice(0, 2)).to.deep.equal([tooMany, tooMany]);
      expect(seen.slice(2).every((one) => one.startsWith('20 503 30 The id is not known'))).to.equal(true);
      expect(seen).to.have.length(12);
    });

    it('answers 503 to more posts than it may read', () => {
      const seen = posting(({ join, post, stall }) => {
        join('S1');
        stall();
        post(postedEvents('S1', []));
        stall();
        post(postedEvents('S1', []));
      }, 2);
      expect(seen).to.deep.equal(['0 S1 NoError', '0 200 OK', '0 503 30 Too many posts are under way.']);
    });

    it('reads others after waiting posts were answered', () => {
      const seen = posting(({ line, post }) => {
        const done = line.expectSubscription();
        post(postedEvents('S1', []));
        timer(20_000).subscribe(() => {
          post(postedEvents('S2', []));
          done();
        });
      }, 1);
      expect(seen).to.deep.equal([
        '20 503 30 The id is not known while a Subscribe is not answered.',
        '20 200 Unsubscribe',
      ]);
    });

    it('reads others after bodies that are too large', () => {
      const [short, long] = [postedEvents('S1', []), postedEvents('S1', ['W1', 'W2'])];
      const seen = posting(
        ({ join, post }) => {
          join('S1');
          post(long);
          post(long);
          post(short);
        },
        1,
        short.length,
      );
      const refused = `0 413  It has more than ${short.length} bytes.`;
      expect(seen).to.deep.equal([refused, refused, '0 S1 NoError', '0 200 OK']);
    });

    it('reads others after bodies that cannot be read', () => {
      const seen = posting(({ post }) => {
        for (let posts = 0; posts < 3; posts += 1) post('<a>');
      }, 1);
      expect(seen.map((one) => one.slice(0, 5))).to.deep.equal(['0 400', '0 400', '0 400']);
    });
  });

  describe('refuses with 400, and says why', () => {
    const bad: readonly [name: string, xml: string, problem: string][] = [
      ['text that is not well-formed', '<soap:Envelope><soap:Body></soap:Envelope>', 'well-formed XML'],
      ['an incomplete envelope', postedEvents('S1', ['W1']).slice(0, 500), 'the end of the document'],
      [
        'a document type',
        `<!DOCTYPE x [<!ENTITY a "b">]>${postedEvents('S1', [])}`,
        'no document type declaration',
      ],
      ['a page in HTML', '<html><body>Hello</body></html>', 'a SOAP envelope'],
      ['another operation', posted('<m:GetEvents xmlns:m="m"/>'), 'SendNotification with a response message'],
      ['an empty body', '', 'SendNotification with a response message'],
      ['events without a subscription', postedEvents('', ['W1']), 'a SubscriptionId before the events'],
    ];
    for (const [name, xml, problem] of bad) {
      it(name, () => {
        const seen = posting(({ join, post }) => {
          join('S1');
          post(xml);
        });
        expect(seen).to.deep.equal([`0 400  Posted notification: expected ${problem}.`]);
      });
    }

    for (const error of [new Error('gone'), 'gone']) {
      it(`a body that errors with ${typeof error}`, () => {
        const problems: (string | undefined)[] = [];
        posting(({ line }) => {
          line.receive({
            body$: throwError(() => error),
            respond: ({ problem }) => problems.push(problem),
          });
        });
        expect(problems).to.deep.equal(['gone']);
      });
    }
  });

  it('errors for every subscriber if nothing can arrive any more', () => {
    const thrown: unknown[] = [];
    const seen = posting(({ line, arrivals, join, dismiss }) => {
      join('S1');
      dismiss('S2');
      const done = line.expectSubscription();
      arrivals.error('broken');
      join('S3');
      dismiss('S4');
      done();
      try {
        line.expectSubscription();
      } catch (error) {
        thrown.push(error);
      }
    });
    expect(seen).to.deep.equal(['0 S1 broken', '0 S2 broken', '0 S3 broken', '0 S4 broken']);
    expect(thrown).to.deep.equal(['broken']);
  });
});
