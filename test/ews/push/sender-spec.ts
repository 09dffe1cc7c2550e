import { expect } from 'chai';
import { asyncScheduler, NEVER, of, Subject, throwError, timer } from 'rxjs';
import type { PushResponse } from '../../../lib/ews/push/pushRequest.ts';
import { pushSender, type PushSender } from '../../../lib/ews/push/sender.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { posted, postedError, postedEvents, postedMessage, sendNotification } from './posted.ts';

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

    it('does not end a new subscription with the id of a dismissed one', () => {
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
