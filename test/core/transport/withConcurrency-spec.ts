import { expect } from 'chai';
import fc from 'fast-check';
import {
  asyncScheduler,
  concat,
  delay,
  EMPTY,
  ignoreElements,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  Subject,
  type Subscription,
  throwError,
  timer,
} from 'rxjs';
import { restrictToOrigin } from '../../../lib/core/transport/restrictToOrigin.ts';
import { withProgress } from '../../../lib/core/transport/withProgress.ts';
import {
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../../lib/core/transport/transport.ts';
import { withConcurrency } from '../../../lib/core/transport/withConcurrency.ts';
import { withRetry } from '../../../lib/core/backoff/withRetry.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { respondWith, response } from '../../support/responses.ts';

const ask = (name: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  url: `https://mail.example/${name}`,
  ...more,
});
const nameOf = ({ url }: HttpRequest): string => new URL(url).pathname.slice(1);

/** A server whose answers the spec gives one by one. */
function held(): {
  readonly sent: string[];
  readonly transport: Transport;
  answer(name: string, body$?: Observable<Uint8Array>): void;
  redirect(name: string, location: string): void;
} {
  const sent: string[] = [];
  const open = new Map<string, Subject<HttpResponse>>();
  const give = (name: string, given: HttpResponse): void => {
    open.get(name)?.next(given);
    open.get(name)?.complete();
  };
  return {
    sent,
    transport: (request) =>
      new Observable((subscriber) => {
        const name = nameOf(request);
        const answer = new Subject<HttpResponse>();
        sent.push(name);
        open.set(name, answer);
        subscriber.add(() => sent.push(`${name} over`));
        return answer.subscribe(subscriber);
      }),
    answer: (name, body$ = EMPTY) => give(name, { ...response(200), body$ }),
    redirect: (name, location) => give(name, response(307, { headers: { location } })),
  };
}

const read = mergeMap(({ body$ }: HttpResponse) => body$);

describe('withConcurrency', () => {
  it('sends synchronously if the limit allows', () => {
    const server = respondWith(response(204));
    const statuses: number[] = [];
    withConcurrency(1)(server.transport)(ask('a')).subscribe(({ status }) => statuses.push(status));
    expect(statuses).to.deep.equal([204]);
  });

  it('sends nothing before a subscription', () => {
    const server = respondWith(response(200));
    withConcurrency(1)(server.transport)(ask('a'));
    expect(server.requests).to.deep.equal([]);
  });

  it('queues requests beyond the limit until a response was read', () =>
    inVirtualTime(() => {
      const server = held();
      const transport = withConcurrency(2)(server.transport);
      const body = new Subject<Uint8Array>();
      for (const name of ['a', 'b', 'c', 'd']) transport(ask(name)).pipe(read).subscribe();
      expect(server.sent).to.deep.equal(['a', 'b']);
      server.answer('a', body);
      body.next(new Uint8Array(1));
      expect(server.sent).to.deep.equal(['a', 'b', 'a over']);
      body.complete();
      expect(server.sent).to.deep.equal(['a', 'b', 'a over', 'c']);
      server.answer('b');
      expect(server.sent.slice(4)).to.deep.equal(['d', 'b over']);
    }));

  it('lets the urgent ones go first, each kind in its order', () =>
    inVirtualTime(() => {
      const server = held();
      const transport = withConcurrency(1)(server.transport);
      transport(ask('first')).subscribe();
      for (const name of ['a', 'b']) transport(ask(name)).subscribe();
      for (const name of ['x', 'y']) transport(ask(name, { keepalive: true })).subscribe();
      for (const name of ['first', 'x', 'y', 'a', 'b']) server.answer(name);
      expect(server.sent.filter((line) => !line.endsWith('over'))).to.deep.equal([
        'first',
        'x',
        'y',
        'a',
        'b',
      ]);
    }));

  it('lets the caller say what is urgent', () =>
    inVirtualTime(() => {
      const server = held();
      const transport = withConcurrency(1, { isUrgent: (request) => nameOf(request) === 'x' })(
        server.transport,
      );
      for (const name of ['first', 'a', 'x']) transport(ask(name)).subscribe();
      server.answer('first');
      expect(server.sent).to.deep.equal(['first', 'first over', 'x']);
    }));

  it('sends nothing for a queued request that is unsubscribed from', () =>
    inVirtualTime(() => {
      const server = held();
      const transport = withConcurrency(1)(withProgress(server.transport));
      const recorded: string[] = [];
      transport(ask('a')).subscribe();
      const waiting = transport(ask('b', { onProgress: (progress) => recorded.push(progress) })).subscribe();
      waiting.unsubscribe();
      server.answer('a');
      expect(server.sent).to.deep.equal(['a', 'a over']);
      expect(recorded).to.deep.equal([]);
    }));

  const waysToEnd: readonly (readonly [
    name: string,
    watch: (answered: Observable<HttpResponse>) => Subscription,
    end: (server: ReturnType<typeof held>, watching: Subscription) => void,
  ])[] = [
    ['it is unsubscribed from', (answered) => answered.subscribe(), (_, watching) => watching.unsubscribe()],
    [
      'its body is cancelled',
      (answered) => answered.pipe(read).subscribe(),
      (server, watching) => {
        server.answer('a', NEVER);
        expect(server.sent, 'while its body is read').not.to.include('b');
        watching.unsubscribe();
      },
    ],
    ['its body is not read', (answered) => answered.subscribe(), (server) => server.answer('a', NEVER)],
    [
      'its reader throws',
      (answered) => answered.pipe(map(() => expect.fail())).subscribe({ error: () => 0 }),
      (server) => server.answer('a', NEVER),
    ],
  ];
  for (const [name, watch, end] of waysToEnd) {
    it(`frees the slot of a request when ${name}`, () => {
      const server = held();
      const transport = withConcurrency(1)(server.transport);
      const watching = watch(transport(ask('a')));
      transport(ask('b')).subscribe();
      expect(server.sent).to.deep.equal(['a']);
      end(server, watching);
      expect(server.sent).to.deep.equal(['a', 'a over', 'b']);
    });
  }

  for (const [name, fail] of [
    ['errors', () => throwError(() => new Error('broken'))],
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
  ] as const) {
    it(`emits that the transport ${name}, and frees the slot`, () => {
      const errors: string[] = [];
      const server = held();
      const transport = withConcurrency(1)((request) =>
        nameOf(request) === 'first' ? server.transport(request) : fail(),
      );
      transport(ask('first')).subscribe();
      for (const each of ['a', 'b']) {
        transport(ask(each)).subscribe({ error: ({ message }: Error) => errors.push(`${each} ${message}`) });
      }
      expect(errors).to.deep.equal([]);
      server.answer('first');
      expect(errors).to.deep.equal(['a broken', 'b broken']);
    });
  }

  it('does not block itself: a redirect takes the slot of its response', () => {
    const server = held();
    const statuses: number[] = [];
    const limited = withConcurrency(1)(server.transport);
    restrictToOrigin('https://mail.example')(limited)(ask('a')).subscribe(({ status }) =>
      statuses.push(status),
    );
    limited(ask('waiting')).subscribe();
    expect(server.sent).to.deep.equal(['a']);
    server.redirect('a', '/b');
    server.answer('waiting');
    server.answer('b');
    expect(statuses).to.deep.equal([200]);
    expect(server.sent.filter((line) => !line.endsWith('over'))).to.deep.equal(['a', 'waiting', 'b']);
  });

  it('frees the slot while a request waits for its retry', () => {
    const times: string[] = [];
    inVirtualTime(() => {
      const server: Transport = (request) => {
        times.push(`${asyncScheduler.now()} ${nameOf(request)}`);
        return of(response(times.length === 1 ? 503 : 200)).pipe(delay(10));
      };
      const transport = withRetry({ initialMs: 100, random: () => 0.5 })(withConcurrency(1)(server));
      transport(ask('a')).subscribe();
      transport(ask('b')).subscribe();
    });
    expect(times).to.deep.equal(['0 a', '10 b', '60 a']);
  });

  it('stops counting a dead request after two minutes, without aborting it', () => {
    const seen: string[] = [];
    inVirtualTime(() => {
      const server: Transport = (request) => {
        seen.push(`${asyncScheduler.now()} ${nameOf(request)}`);
        return nameOf(request) === 'dead' ? timer(500_000).pipe(map(() => response(200))) : of(response(200));
      };
      const transport = withConcurrency(1)(server);
      transport(ask('dead')).subscribe(() => seen.push(`${asyncScheduler.now()} answered`));
      transport(ask('b')).subscribe();
      timer(400_000).subscribe(() => transport(ask('c')).subscribe());
    });
    expect(seen).to.deep.equal(['0 dead', '120000 b', '400000 c', '500000 answered']);
  });

  it('shares one limit between all transports that it makes', () =>
    inVirtualTime(() => {
      const server = held();
      const limit = withConcurrency(1);
      limit(server.transport)(ask('a')).subscribe();
      limit((request) => server.transport(request))(ask('b')).subscribe();
      expect(server.sent).to.deep.equal(['a']);
    }));

  it('does not overflow the stack with synchronous responses', () => {
    const gate = new Subject<HttpResponse>();
    const transport = withConcurrency(1)((request) =>
      nameOf(request) === 'gate' ? gate : of(response(200)),
    );
    let answered = 0;
    transport(ask('gate')).subscribe();
    for (let each = 0; each < 20_000; each += 1) transport(ask('a')).subscribe(() => (answered += 1));
    expect(answered).to.equal(0);
    gate.complete();
    expect(answered).to.equal(20_000);
  });

  for (const concurrent of [0, 1001, 1.5, Number.NaN, '3']) {
    it(`throws for a limit of ${concurrent}`, () => {
      expect(() => withConcurrency(concurrent as number)).to.throw(
        TypeError,
        'concurrent must be a whole number from 1 to 1000',
      );
    });
  }

  it('holds its laws over random interleavings', () => {
    const visit = fc.record({
      comesAt: fc.nat(30),
      leavesAfter: fc.option(fc.nat(30), { nil: undefined }),
      isUrgent: fc.boolean(),
      headAfter: fc.nat(8),
      bodyAfter: fc.nat(8),
      how: fc.constantFrom('answer', 'answer', 'answer', 'unread', 'reset', 'cut'),
    });
    fc.assert(
      fc.property(fc.array(visit, { maxLength: 20 }), fc.integer({ min: 1, max: 4 }), (visits, limit) => {
        const waiting = new Set<number>();
        const underWay = new Set<number>();
        const reading = new Set<number>();
        let most = 0;
        let over = 0;
        const broken = throwError(() => new Error('reset'));

        const server: Transport = (request) =>
          new Observable((subscriber) => {
            const index = Number(nameOf(request));
            const { headAfter, bodyAfter, how, isUrgent } = visits[index]!;
            waiting.delete(index);
            underWay.add(index);
            most = Math.max(most, underWay.size);
            for (const other of [...waiting].map((each) => visits[each]!)) {
              expect(other.isUrgent && !isUrgent, 'none goes before an urgent one').to.equal(false);
              const wasEarlier = other.isUrgent === isUrgent && other.comesAt < visits[index]!.comesAt;
              expect(wasEarlier, 'each kind in its order').to.equal(false);
            }
            const body$ = new Observable<Uint8Array>((reader) => {
              reading.add(index);
              const end$ = how === 'cut' ? broken : EMPTY;
              reader.add(concat(timer(bodyAfter).pipe(ignoreElements()), end$).subscribe(reader));
              reader.add(() => underWay.delete(index));
            });
            const head$ = how === 'reset' ? broken : of({ ...response(200), body$ });
            subscriber.add(
              timer(headAfter)
                .pipe(mergeMap(() => head$))
                .subscribe(subscriber),
            );
            subscriber.add(() => reading.has(index) || underWay.delete(index));
          });

        inVirtualTime(() => {
          const transport = withConcurrency(limit)(server);
          visits.forEach(({ comesAt, leavesAfter, isUrgent, how }, index) => {
            timer(comesAt).subscribe(() => {
              waiting.add(index);
              const watching = transport(ask(String(index), { keepalive: isUrgent }))
                .pipe(mergeMap(({ body$ }) => (how === 'unread' ? EMPTY : body$)))
                .subscribe({ error: () => (over += 1), complete: () => (over += 1) });
              if (leavesAfter === undefined) return;
              timer(leavesAfter).subscribe(() => {
                if (watching.closed) return;
                over += 1;
                waiting.delete(index);
                watching.unsubscribe();
              });
            });
          });
        });
        expect(most, 'never more than the limit').to.be.at.most(limit);
        expect([underWay.size, waiting.size], 'nothing is left').to.deep.equal([0, 0]);
        expect(over, 'each has an end').to.equal(visits.length);
      }),
      { numRuns: 300 },
    );
  });
});
