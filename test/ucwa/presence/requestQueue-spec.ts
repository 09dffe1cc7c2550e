import { expect } from 'chai';
import fc from 'fast-check';
import { defer, mergeMap, NEVER, type Observable, of, tap, throwError, timer } from 'rxjs';
import { HttpError, NetworkError } from '../../../lib/core/errors.ts';
import { type RequestQueue, requestQueue } from '../../../lib/ucwa/presence/requestQueue.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const request = { method: 'GET', url: 'https://pool.contoso.com/people/sara/presence' };
const paused = (): Observable<unknown> => timer(100);

/** Requests with delayed responses, and a log of both. */
interface Asked {
  readonly asking: RequestQueue;
  readonly recorded: string[];
  readonly answer: (name: string, ms: number, error?: unknown) => Observable<unknown>;
}

const asked = (mostAtOnce = 10): Asked => {
  const recorded: string[] = [];
  return {
    asking: requestQueue(mostAtOnce, paused),
    recorded,
    answer: (name, ms, error) =>
      defer(() => {
        recorded.push(`${name}?`);
        return timer(ms).pipe(
          mergeMap(() => (error === undefined ? of(undefined) : throwError(() => error))),
          tap({
            next: () => recorded.push(`${name}!`),
            error: () => recorded.push(`${name} failed`),
            unsubscribe: () => recorded.push(`${name} cancelled`),
          }),
        );
      }),
  };
};

describe('requestQueue', () => {
  it('sends each request at once', () => {
    const { asking, recorded, answer } = asked();
    inVirtualTime(() => {
      asking.enqueue('a', answer('a', 10));
      asking.enqueue('b', answer('b', 5));
      expect(recorded).to.deep.equal(['a?', 'b?']);
    });
    expect(recorded).to.deep.equal(['a?', 'b?', 'b!', 'a!']);
  });

  it('repeats a request in flight once, however often it is enqueued', () => {
    const { asking, recorded, answer } = asked();
    inVirtualTime(() => {
      asking.enqueue('a', answer('old', 10));
      asking.enqueue('a', answer('newer', 10));
      asking.enqueue('a', answer('newest', 10));
      expect(recorded).to.deep.equal(['old?']);
    });
    expect(recorded).to.deep.equal(['old?', 'old!', 'newest?', 'newest!']);
  });

  it('sends a request again at any later time', () => {
    const { asking, recorded } = asked();
    asking.enqueue(
      'a',
      defer(() => of(recorded.push('a?'))),
    );
    asking.enqueue(
      'a',
      defer(() => of(recorded.push('a?'))),
    );
    expect(recorded).to.deep.equal(['a?', 'a?']);
  });

  it('limits the requests in flight and sends the others in order', () => {
    const { asking, recorded, answer } = asked(2);
    inVirtualTime(() => {
      for (const name of ['a', 'b', 'c', 'd']) asking.enqueue(name, answer(name, 10));
      expect(recorded).to.deep.equal(['a?', 'b?']);
      asking.enqueue('c', answer('newer c', 10));
    });
    expect(recorded).to.deep.equal(['a?', 'b?', 'a!', 'newer c?', 'b!', 'd?', 'newer c!', 'd!']);
  });

  it('retries a transient failure after a pause while others continue', () => {
    const { asking, recorded, answer } = asked(1);
    let isDown = true;
    inVirtualTime(() => {
      asking.enqueue(
        'a',
        defer(() => answer('a', 10, isDown ? new NetworkError('refused', request) : undefined)),
      );
      asking.enqueue('b', answer('b', 10));
      timer(50).subscribe(() => {
        expect(recorded).to.deep.equal(['a?', 'a failed', 'b?', 'b!']);
        isDown = false;
      });
      timer(109).subscribe(() => expect(recorded).to.have.length(4));
    });
    expect(recorded.slice(4)).to.deep.equal(['a?', 'a!']);
  });

  it('sends an enqueued request at once during such a pause', () => {
    const { asking, recorded, answer } = asked();
    inVirtualTime(() => {
      asking.enqueue('a', answer('a', 10, new NetworkError('refused', request)));
      timer(20).subscribe(() => asking.enqueue('a', answer('newer a', 10)));
      timer(21).subscribe(() => expect(recorded.at(-1)).to.equal('newer a?'));
    });
    expect(recorded).to.deep.equal(['a?', 'a failed', 'newer a?', 'newer a!']);
  });

  it('repeats a failed request at once if it was stale', () => {
    const { asking, recorded, answer } = asked();
    inVirtualTime(() => {
      asking.enqueue('a', answer('a', 10, new HttpError(403, request)));
      asking.enqueue('a', answer('newer a', 10));
    });
    expect(recorded).to.deep.equal(['a?', 'a failed', 'newer a?', 'newer a!']);
  });

  it('retries after 500 without limit, and never after a refusal', () => {
    const { asking, recorded, answer } = asked();
    inVirtualTime(() => {
      asking.enqueue('a', answer('a', 10, new HttpError(403, request)));
      asking.enqueue('b', answer('b', 10, new HttpError(500, request)));
      timer(100_000).subscribe(() => asking.cancelAll());
    });
    expect(recorded.filter((line) => line === 'a failed')).to.have.length(1);
    expect(recorded.filter((line) => line === 'b failed').length).to.be.above(900);
  });

  it('sends one failed request at a time, and all after its success', () => {
    const recorded: string[] = [];
    const waits: number[] = [];
    const asking = requestQueue(10, (failures) => {
      waits.push(failures);
      return timer(100);
    });
    let isBroken = true;
    inVirtualTime(() => {
      for (const name of ['a', 'b', 'c']) {
        const answer$ = defer(() => {
          recorded.push(name);
          return isBroken ? throwError(() => new HttpError(500, request)) : of(undefined);
        });
        asking.enqueue(name, answer$);
      }
      timer(450).subscribe(() => {
        expect(recorded.splice(0)).to.deep.equal(['a', 'b', 'c', 'a', 'b', 'c', 'a']);
        isBroken = false;
      });
    });
    expect(recorded).to.deep.equal(['b', 'c', 'a']);
    expect(waits).to.deep.equal([1, 2, 3, 4, 5]);
  });

  it('sends the next failed request when the probe is canceled', () => {
    const { asking, recorded, answer } = asked();
    inVirtualTime(() => {
      for (const name of ['a', 'b']) asking.enqueue(name, answer(name, 10, new HttpError(500, request)));
      timer(115).subscribe(() => asking.cancel('a'));
      timer(226).subscribe(() => asking.cancelAll());
    });
    expect(recorded).to.deep.equal([
      'a?',
      'b?',
      'a failed',
      'b failed',
      'a?',
      'a cancelled',
      'b?',
      'b failed',
    ]);
  });

  it('cancels requests in every stage', () => {
    const { asking, recorded, answer } = asked(2);
    inVirtualTime(() => {
      asking.enqueue('a', answer('a', 10, new NetworkError('refused', request)));
      asking.enqueue('b', answer('b', 1000));
      asking.enqueue('c', answer('c', 10));
      asking.enqueue('d', answer('d', 10));
      asking.cancel('c');
      timer(15).subscribe(() => asking.cancel('a'));
      timer(50).subscribe(() => asking.cancel('b'));
      asking.cancel('nobody asked');
    });
    expect(recorded).to.deep.equal(['a?', 'b?', 'a failed', 'd?', 'd!', 'b cancelled']);
  });

  it('sends the next request in place of a canceled one', () => {
    const { asking, recorded, answer } = asked(1);
    asking.enqueue('a', NEVER);
    asking.enqueue(
      'b',
      defer(() => of(recorded.push('b?'))),
    );
    asking.cancel('a');
    expect(recorded).to.deep.equal(['b?']);
    inVirtualTime(() => {
      asking.enqueue('c', answer('c', 10));
      asking.enqueue('d', answer('d', 10));
      asking.cancelAll();
    });
    expect(recorded).to.deep.equal(['b?', 'c?', 'c cancelled']);
  });

  it('can be canceled during its response', () => {
    const { asking, recorded, answer } = asked(1);
    for (const end of [of(1), throwError(() => new NetworkError('refused', request))]) {
      asking.enqueue(
        'a',
        defer(() => {
          asking.cancel('a');
          return end;
        }),
      );
    }
    inVirtualTime(() => asking.enqueue('b', answer('b', 1)));
    expect(recorded).to.deep.equal(['b?', 'b!']);
  });

  it('ends with the state of the last request and never goes back', () => {
    const change = fc.record({
      at: fc.nat(60),
      key: fc.constantFrom('a', 'b'),
      takes: fc.nat(30),
      fails: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 12 }),
        fc.integer({ min: 1, max: 2 }),
        (changes, mostAtOnce) => {
          const truth = new Map<string, number>();
          const seen = new Map<string, number>();
          const outstanding = new Set<string>();
          inVirtualTime(() => {
            const asking = requestQueue(mostAtOnce, paused);
            for (const { at, key, takes, fails } of changes) {
              timer(at).subscribe(() => {
                truth.set(key, (truth.get(key) ?? 0) + 1);
                let isFirst = fails;
                const answer$ = defer(() => {
                  expect(outstanding.has(key)).to.equal(false);
                  expect(outstanding.size).to.be.lessThan(mostAtOnce);
                  outstanding.add(key);
                  const version = truth.get(key) ?? 0;
                  const isFailing = isFirst;
                  isFirst = false;
                  return timer(takes).pipe(
                    tap(() => {
                      outstanding.delete(key);
                      if (isFailing) throw new NetworkError('reset', request);
                      expect(version).to.be.at.least(seen.get(key) ?? 0);
                      seen.set(key, version);
                    }),
                  );
                });
                asking.enqueue(key, answer$);
              });
            }
          });
          expect(seen).to.deep.equal(truth);
        },
      ),
      { numRuns: 200 },
    );
  });
});
