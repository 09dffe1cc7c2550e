import { expect } from 'chai';
import { asyncScheduler, of, Subject, throwError, timer } from 'rxjs';
import type { IncomingNotification } from '../../lib/ews/incomingNotification.ts';
import { type PushRouter, routerOf } from '../../lib/ews/pushRouter.ts';
import { marbles } from '../support/marbles.ts';
import { posted, postedError, postedEvents, postedMessage, sendNotification } from './posted.ts';

interface Routing {
  readonly router: PushRouter;
  readonly incoming: Subject<IncomingNotification>;
  /** What was seen, in order. */
  readonly seen: string[];
  readonly post: (xml: string) => void;
  /** Notes the messages of a subscription. */
  readonly join: (id: string) => { unsubscribe: () => void };
  readonly dismiss: (id: string) => void;
}

function routing(script: (routing: Routing) => void): string[] {
  const incoming = new Subject<IncomingNotification>();
  const router = routerOf(incoming);
  const seen: string[] = [];
  const at = (): string => String(asyncScheduler.now() / 1000);
  const bytes = (xml: string): Uint8Array => new TextEncoder().encode(xml);
  marbles(() =>
    script({
      router,
      incoming,
      seen,
      post: (xml) => {
        incoming.next({
          body$: of(bytes(xml.slice(0, 300)), bytes(xml.slice(300))),
          respond: ({ status, body, headers, problem = '' }) => {
            const said = /Status>(\w+)</.exec(body)?.[1] ?? headers['retry-after'] ?? '';
            seen.push([at(), status, said, problem].join(' ').trim());
          },
        });
      },
      join: (id) =>
        router.messagesFor(id).subscribe({
          next: ({ responseCode }) => seen.push(`${at()} ${id} ${responseCode}`),
          error: (error: unknown) => seen.push(`${at()} ${id} ${String(error)}`),
        }),
      dismiss: (id) => {
        router.dismiss(id).subscribe({
          next: ({ alreadyGone = false }) => seen.push(`${at()} ${id} ${alreadyGone ? 'gone' : 'told'}`),
          error: (error: unknown) => seen.push(`${at()} ${id} ${String(error)}`),
        });
      },
    }),
  );
  return seen;
}

describe('The router of posted notifications', () => {
  it('should be one for all that use the same Observable', () => {
    const incoming = new Subject<IncomingNotification>();
    expect(routerOf(incoming)).to.equal(routerOf(incoming));
    expect(routerOf(incoming)).to.not.equal(routerOf(new Subject()));
  });

  it('should listen while somebody has use of it, and not longer', () => {
    const observed: boolean[] = [];
    routing(({ join, router, incoming }) => {
      observed.push(incoming.observed);
      const joined = join('S1');
      const done = router.expect();
      joined.unsubscribe();
      observed.push(incoming.observed);
      done();
      observed.push(incoming.observed);
    });
    expect(observed).to.deep.equal([false, true, false]);
  });

  it('should hand on what is for a subscription before it answers', () => {
    const seen = routing(({ join, post }) => {
      join('S1');
      post(postedEvents('S1', ['W1']));
      post(postedError('S1', 'ErrorServerBusy'));
    });
    expect(seen).to.deep.equal(['0 S1 NoError', '0 200 OK', '0 S1 ErrorServerBusy', '0 200 OK']);
  });

  it('should end what nobody knows, and what was dismissed', () => {
    const seen = routing(({ join, dismiss, post }) => {
      join('S1');
      dismiss('S2');
      post(postedEvents('S2', []));
      post(postedEvents('S2', []));
      post(postedEvents('S3', []));
    });
    expect(seen).to.deep.equal(['0 200 Unsubscribe', '0 S2 told', '0 200 Unsubscribe', '0 200 Unsubscribe']);
  });

  it('should answer one post about several subscriptions for those that live', () => {
    const both = sendNotification(postedMessage('S1', ['W1']), postedMessage('S2', ['W2']));
    const seen = routing(({ join, dismiss, post }) => {
      const joined = join('S1');
      dismiss('S2');
      post(both);
      joined.unsubscribe();
      post(both);
    });
    expect(seen).to.deep.equal(['0 S1 NoError', '0 200 OK', '0 200 Unsubscribe', '0 S2 told']);
  });

  it('should answer OK to an error that names no subscription', () => {
    const seen = routing(({ join, post }) => {
      join('S1');
      post(postedError('S1', 'ErrorServerBusy').replace('Name="SubscriptionId"', 'Name="Other"'));
    });
    expect(seen).to.deep.equal(['0 200 OK']);
  });

  describe('while a subscription is being made', () => {
    it('should keep what is for an unknown id until it is known', () => {
      const seen = routing(({ router, join, post }) => {
        const done = router.expect();
        post(postedEvents('S1', ['W1']));
        timer(5000).subscribe(() => {
          join('S1');
          done();
        });
      });
      expect(seen).to.deep.equal(['5 S1 NoError', '5 200 OK']);
    });

    it('should end what is still unknown when it was made', () => {
      const seen = routing(({ router, post }) => {
        const first = router.expect();
        const second = router.expect();
        post(postedEvents('S9', ['W1']));
        timer(1000).subscribe(first);
        timer(2000).subscribe(second);
      });
      expect(seen).to.deep.equal(['2 200 Unsubscribe']);
    });

    it('should not keep those waiting that it knows', () => {
      const seen = routing(({ router, join, post }) => {
        join('S1');
        router.expect();
        post(postedEvents('S1', ['W1']));
      });
      expect(seen).to.deep.equal(['0 S1 NoError', '0 200 OK']);
    });

    it('should ask to try again after 20 seconds, and when too many wait', () => {
      const seen = routing(({ router, post }) => {
        router.expect();
        for (let posts = 0; posts < 101; posts += 1) post(postedEvents(`S${posts}`, []));
      });
      expect(seen).to.have.length(101);
      expect(seen[0]).to.equal('0 503 30 Too many notifications for unknown ids are waiting.');
      expect(new Set(seen.slice(1))).to.deep.equal(
        new Set(['20 503 30 The id is not known while a Subscribe is not answered.']),
      );
    });

    it('should not end a new subscription by the dismissal of one that had its id before', () => {
      const seen = routing(({ router, dismiss, join, post }) => {
        dismiss('S1');
        const done = router.expect();
        post(postedEvents('S1', ['W1']));
        join('S1');
        done();
      });
      expect(seen).to.deep.equal(['0 S1 gone', '0 S1 NoError', '0 200 OK']);
    });
  });

  describe('should refuse with 400 and say why', () => {
    const bad: readonly [name: string, xml: string, problem: string][] = [
      ['what is not well-formed', '<soap:Envelope><soap:Body></soap:Envelope>', 'well-formed XML'],
      ['what breaks off', postedEvents('S1', ['W1']).slice(0, 500), 'the end of the envelope'],
      [
        'what has a document type',
        `<!DOCTYPE x [<!ENTITY a "b">]>${postedEvents('S1', [])}`,
        'no document type',
      ],
      ['a page in HTML', '<html><body>Hello</body></html>', 'a SOAP envelope'],
      ['another operation', posted('<m:GetEvents xmlns:m="m"/>'), 'SendNotification'],
      ['nothing', '', 'SendNotification'],
      ['events of nobody', postedEvents('', ['W1']), 'a SubscriptionId before the events'],
    ];
    for (const [name, xml, problem] of bad) {
      it(name, () => {
        const [seen, ...more] = routing(({ join, post }) => {
          join('S1');
          post(xml);
        });
        expect(seen).to.match(/^0 400 {2}Posted notification: expected/);
        expect(seen).to.contain(problem);
        expect(more).to.deep.equal([]);
      });
    }

    it('a body that errors, and go on with the next', () => {
      const answers: number[] = [];
      routing(({ join, incoming, post }) => {
        join('S1');
        incoming.next({
          body$: throwError(() => new Error('gone')),
          respond: ({ status, problem }) => answers.push(status, problem === 'gone' ? 1 : 0),
        });
        incoming.next({
          body$: throwError(() => 'gone'),
          respond: ({ status, problem }) => answers.push(status, problem === 'gone' ? 1 : 0),
        });
        post(postedEvents('S1', []));
      });
      expect(answers).to.deep.equal([400, 1, 400, 1]);
    });
  });

  describe('when nothing can come any more', () => {
    it('should error for all that wait for something, and for those who come later', () => {
      const thrown: unknown[] = [];
      const seen = routing(({ router, incoming, join, dismiss }) => {
        join('S1');
        dismiss('S2');
        const done = router.expect();
        incoming.error('broken');
        join('S3');
        dismiss('S4');
        done();
        try {
          router.expect();
        } catch (error) {
          thrown.push(error);
        }
      });
      expect(seen).to.deep.equal(['0 S1 broken', '0 S2 broken', '0 S3 broken', '0 S4 broken']);
      expect(thrown).to.deep.equal(['broken']);
    });
  });
});
