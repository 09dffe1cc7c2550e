import { expect } from 'chai';
import { of, Subject, timer } from 'rxjs';
import { ClosedError } from '../../../lib/core/errors.ts';
import type { PushRequest } from '../../../lib/ews/push/pushRequest.ts';
import { type PushRouter, routerOf } from '../../../lib/ews/push/router.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { postedEvents } from './posted.ts';

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

  it('holds nothing of strangers while a Subscribe with a secret is under way', () => {
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
