import { expect } from 'chai';
import { asyncScheduler, defer, NEVER, type Observable, of, Subject, throwError, timer } from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import {
  staticLocation,
  type ServerLocation,
  discoveredLocation,
} from '../../../lib/ews/discovery/location.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { respondWith, response } from '../../support/responses.ts';

const request = { method: 'POST', url: 'https://one.example/EWS' };
const broken = throwError(() => new NetworkError('no answer', request, { code: 'ECONNREFUSED' }));

/** Returns a location whose lookups return these results in order; the last one repeats. */
function looking(...answers: readonly Observable<string>[]): {
  readonly location: ServerLocation;
  readonly looks: number[];
  readonly over$: Subject<void>;
  readonly online$: Subject<void>;
  /** Each emitted URL with its second. */
  readonly hear: () => string[];
  readonly fail: (times: number, url?: string) => void;
} {
  const looks: number[] = [];
  const over$ = new Subject<void>();
  const online$ = new Subject<void>();
  const look$ = defer(() => {
    looks.push(asyncScheduler.now() / 1000);
    return answers[Math.min(looks.length, answers.length) - 1] ?? NEVER;
  });
  const location = discoveredLocation(look$, {
    ...{ closing$: over$, online$ },
    retry: { initialMs: 4000, random: () => 0.5 },
  });
  return {
    location,
    looks,
    over$,
    online$,
    hear: () => {
      const heard: string[] = [];
      location.url$.subscribe({
        next: (url) => heard.push(`${asyncScheduler.now() / 1000} ${url}`),
        error: (error: Error) => heard.push(`${asyncScheduler.now() / 1000} ${error.message}`),
        complete: () => heard.push('complete'),
      });
      return heard;
    },
    fail: (times, url = 'one') => {
      for (let time = 0; time < times; time += 1) {
        location
          .tracked(url)(() => broken)(request)
          .subscribe({ error: () => undefined });
      }
    },
  };
}

describe('The location of a connection', () => {
  it('is the given URL, without a lookup', () => {
    const location = staticLocation('https://one.example/');
    const urls: string[] = [];
    location.invalidate();
    location.url$.subscribe((url) => urls.push(url));
    expect(urls).to.deep.equal(['https://one.example/']);
    const { transport } = respondWith(response(502));
    expect(location.tracked('https://one.example/')(transport)).to.equal(transport);
  });

  describe('without a given URL', () => {
    it('is looked up once, on first use, and cached', () => {
      inVirtualTime(() => {
        const { looks, hear } = looking(of('one'));
        expect(looks).to.deep.equal([]);
        expect([hear(), hear()]).to.deep.equal([['0 one'], ['0 one']]);
        expect(looks).to.deep.equal([0]);
      });
    });

    it('shares one lookup, and cancels it when all unsubscribe', () => {
      const answer$ = new Subject<string>();
      const { location, looks } = looking(answer$);
      const one = location.url$.subscribe();
      const other = location.url$.subscribe();
      expect(looks).to.have.length(1);
      one.unsubscribe();
      expect(answer$.observed).to.equal(true);
      other.unsubscribe();
      expect(answer$.observed).to.equal(false);
    });

    it('errors if nothing was ever found, and is looked up again later', () => {
      inVirtualTime(() => {
        const { hear } = looking(
          throwError(() => new Error('nowhere')),
          of('one'),
        );
        expect(hear()).to.deep.equal(['0 nowhere']);
        const heard = hear();
        timer(3000).subscribe(() => expect(heard).to.deep.equal(['2 one']));
      });
    });

    it('records failed lookups for the status, until one has found the URL', () => {
      const recorded: string[] = [];
      inVirtualTime(() => {
        const results: Observable<string>[] = [broken, broken, of('one')];
        const location = discoveredLocation(
          defer(() => results.shift() ?? NEVER),
          {
            closing$: NEVER,
            retry: { initialMs: 4000, random: () => 0.5 },
            status: {
              record: (input) => {
                const details =
                  input.type === 'failed' ? ` ${input.reason} ${input.attempt} ${Number(input.retryAt)}` : '';
                recorded.push(`${asyncScheduler.now()} ${input.type}${details}`);
              },
            },
          },
        );
        for (const ms of [0, 1000, 3000]) {
          timer(ms).subscribe(() => location.url$.subscribe({ error: () => undefined }));
        }
      });
      expect(recorded).to.deep.equal([
        '0 failed network 1 2000',
        '2000 failed network 2 6000',
        '6000 succeeded',
      ]);
    });

    it('spaces failed lookups by the backoff for any number of subscribers', () => {
      inVirtualTime(() => {
        const { hear, looks } = looking(throwError(() => new Error('nowhere')));
        for (let second = 0; second < 30; second += 0.25) timer(second * 1000).subscribe(() => void hear());
        timer(30_000).subscribe(() => expect(looks).to.deep.equal([0, 2, 6, 14, 29]));
      });
    });

    it('is looked up at once when the platform comes online', () => {
      inVirtualTime(() => {
        const { hear, looks, online$ } = looking(
          throwError(() => new Error('nowhere')),
          of('one'),
        );
        hear();
        const heard = hear();
        timer(1000).subscribe(() => online$.next());
        timer(1001).subscribe(() => expect(heard).to.deep.equal(['1 one']));
        timer(9000).subscribe(() => expect(looks).to.deep.equal([0, 1]));
      });
    });

    it('is looked up again after doubt and emits a new URL', () => {
      inVirtualTime(() => {
        const { location, hear, looks } = looking(of('one'), of('one'), of('two'));
        const heard = hear();
        timer(59_000).subscribe(() => {
          location.invalidate();
          expect(hear()).to.deep.equal(['59 one']);
          expect(looks, 'at most once a minute').to.deep.equal([0]);
        });
        timer(60_000).subscribe(() => location.invalidate());
        timer(62_000).subscribe(() => expect(hear()).to.deep.equal(['62 one']));
        timer(130_000).subscribe(() => location.invalidate());
        timer(140_000).subscribe(() => expect(hear()).to.deep.equal(['140 two']));
        timer(150_000).subscribe(() => {
          expect(heard).to.deep.equal(['0 one', '140 two']);
          expect(looks).to.deep.equal([0, 62, 140]);
        });
      });
    });

    it('stays if a later lookup finds nothing', () => {
      inVirtualTime(() => {
        const { location, hear, looks } = looking(
          of('one'),
          throwError(() => new Error('nowhere')),
        );
        hear();
        timer(60_000).subscribe(() => {
          location.invalidate();
          expect(hear()).to.deep.equal(['60 one']);
          expect(hear()).to.deep.equal(['60 one']);
          expect(looks).to.have.length(2);
        });
      });
    });

    it('is checked after five consecutive failures, at most once a minute', () => {
      inVirtualTime(() => {
        const { hear, looks, fail } = looking(of('one'), of('one'), of('two'));
        const heard = hear();
        timer(100_000).subscribe(() => fail(4));
        timer(101_000).subscribe(() => expect(looks).to.deep.equal([0]));
        timer(102_000).subscribe(() => fail(20));
        timer(103_000).subscribe(() => expect(looks).to.deep.equal([0, 102]));
        timer(170_000).subscribe(() => fail(1));
        timer(171_000).subscribe(() => expect(heard).to.deep.equal(['0 one', '170 two']));
      });
    });

    it('counts gateway errors, and resets the count with any other response', () => {
      inVirtualTime(() => {
        const { location, hear, looks } = looking(of('one'));
        hear();
        const statuses = [502, 502, 502, 502, 200, 502, 502, 502, 502, 502];
        const transport: Transport = () => of(response(statuses.shift() ?? 200));
        const noting = location.tracked('one')(transport);
        timer(61_000).subscribe(() => {
          for (let each = 0; each < 9; each += 1) noting(request).subscribe();
          expect(looks).to.deep.equal([0]);
          noting(request).subscribe();
          expect(looks).to.deep.equal([0, 61]);
        });
      });
    });

    it('ignores failures at the previous URL and other errors', () => {
      inVirtualTime(() => {
        const { location, hear, looks, fail } = looking(of('one'));
        hear();
        timer(61_000).subscribe(() => {
          fail(10, 'before');
          const noting = location.tracked('one')(() => throwError(() => new Error('no token')));
          for (let each = 0; each < 9; each += 1) noting(request).subscribe({ error: () => undefined });
          expect(looks).to.deep.equal([0]);
        });
      });
    });

    it('cancels the lookup when the connection ends', () => {
      inVirtualTime(() => {
        const again$ = new Subject<string>();
        const { hear, fail, over$ } = looking(of('one'), again$);
        hear();
        timer(61_000).subscribe(() => {
          fail(5);
          expect(again$.observed).to.equal(true);
          over$.next();
          expect(again$.observed).to.equal(false);
        });
      });
    });
  });
});
