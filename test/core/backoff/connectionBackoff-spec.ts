import { expect } from 'chai';
import fc from 'fast-check';
import {
  asyncScheduler,
  BehaviorSubject,
  concat,
  defer,
  delay,
  map,
  mergeMap,
  NEVER,
  type Observable,
  of,
  Subject,
  takeUntil,
  throwError,
  timer,
} from 'rxjs';
import { connectionBackoff, type RequestLine } from '../../../lib/core/backoff/connectionBackoff.ts';
import { HttpError, NetworkError } from '../../../lib/core/errors.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../../lib/core/transport/transport.ts';
import { retrying } from '../../../lib/core/backoff/withRetry.ts';
import { at, inVirtualTime } from '../../support/virtualTime.ts';
import { response } from '../../support/responses.ts';

const policy = { initialMs: 1000, maxMs: 8000, random: () => 1 };
const LINE: RequestLine = {
  verdict: ({ status }) => (status >= 500 || status === 429 ? 'fails' : 'answers'),
};
const HELD: RequestLine = { ...LINE, isHanging: true };
const UNCLEAR: RequestLine = { verdict: () => 'unclear' };

const ask = (name: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  url: `https://mail.example/${name}`,
  ...more,
});
const nameOf = ({ url }: HttpRequest): string => new URL(url).pathname.slice(1);
const read = mergeMap(({ body$, status }: HttpResponse) => concat(body$, of(status)));

type Fate = 'serve' | 'reset' | 'hang' | HttpResponse;

/** A server with a fate, and a log of what it was sent, with the seconds. */
function world(options: { readonly online$?: Observable<unknown>; readonly latencyMs?: number } = {}): {
  fate: Fate;
  readonly sent: string[];
  readonly recorded: string[];
  readonly backoff: ReturnType<typeof connectionBackoff>;
  send(
    name: string,
    line?: RequestLine,
    more?: Partial<HttpRequest>,
  ): ReturnType<Observable<unknown>['subscribe']>;
} {
  const { latencyMs = 10 } = options;
  const sent: string[] = [];
  const recorded: string[] = [];
  const now = (): number => asyncScheduler.now() / 1000;
  const backoff = connectionBackoff(policy, options.online$);
  const one = {
    fate: 'serve' as Fate,
    ...{ sent, recorded, backoff },
    send: (name: string, line = LINE, more: Partial<HttpRequest> = {}) =>
      backoff
        .gate(line)(transport)(ask(name, more))
        .pipe(read)
        .subscribe({
          next: (status) => recorded.push(`${now()} ${name} ${String(status)}`),
          error: (error: Error) => recorded.push(`${now()} ${name} ${error.name}`),
        }),
  };
  const transport: Transport = (request) =>
    defer(() => {
      sent.push(`${now()} ${nameOf(request)}`);
      const { fate } = one;
      if (fate === 'hang') return NEVER;
      if (fate === 'reset')
        return timer(latencyMs).pipe(
          mergeMap(() => throwError(() => new NetworkError('no answer', request, { code: 'ECONNRESET' }))),
        );
      return of(fate === 'serve' ? response(200) : fate).pipe(delay(latencyMs));
    });
  return one;
}

describe('connectionBackoff', () => {
  it('sends everything at once while the server answers', () => {
    inVirtualTime(() => {
      const one = world();
      for (const name of ['a', 'b', 'c']) one.send(name);
      expect(one.sent).to.deep.equal(['0 a', '0 b', '0 c']);
    });
  });

  it('sends one probe per backoff, and all requests after a response', () => {
    const one = inVirtualTime(() => {
      const server = world();
      server.fate = 'reset';
      server.send('first');
      at(1, () => {
        server.fate = 'serve';
        for (const name of ['a', 'b', 'c']) server.send(name);
      });
      return server;
    });
    expect(one.sent).to.deep.equal(['0 first', '1.01 a', '1.02 b', '1.02 c']);
    expect(one.recorded.slice(1)).to.deep.equal(['1.02 a 200', '1.03 b 200', '1.03 c 200']);
  });

  it('records each failure, and the end of the outage', () => {
    const recorded: string[] = [];
    inVirtualTime(() => {
      const { gate, pause, answered } = connectionBackoff(policy, NEVER, (input) => {
        if (input.type !== 'failed') return recorded.push(`${asyncScheduler.now()} ${input.type}`);
        const { reason, error, attempt, retryAt } = input;
        return recorded.push(
          `${asyncScheduler.now()} ${attempt} ${reason} ${String(error)} ${Number(retryAt)}`,
        );
      });
      const results = [response(500), response(503, { headers: { 'retry-after': '2' } }), response(200)];
      const transport = gate(LINE)(() => of(...results.splice(0, 1)));
      for (const name of ['a', 'b', 'c']) transport(ask(name)).subscribe();
      at(5, () => pause(1, new TypeError('unreadable')).subscribe(answered));
    });
    expect(recorded).to.deep.equal([
      '0 1 server HttpError: GET https://mail.example/a was answered 500 1000',
      '1000 2 throttled HttpError: GET https://mail.example/b was answered 503 5000',
      '5000 1 server TypeError: unreadable 6000',
      '6000 succeeded',
    ]);
  });

  it('fails all that waits with the probe, unsent', () => {
    const one = inVirtualTime(() => {
      const server = world();
      server.fate = 'reset';
      server.send('first');
      at(1, () => ['a', 'b', 'c'].forEach((name) => server.send(name)));
      return server;
    });
    expect(one.sent).to.deep.equal(['0 first', '1.01 a']);
    expect(one.recorded.slice(1).sort()).to.deep.equal([
      '1.02 a NetworkError',
      '1.02 b NetworkError',
      '1.02 c NetworkError',
    ]);
  });

  it('fails those that wait with 503 when the server refuses the probe', () => {
    const one = inVirtualTime(() => {
      const server = world();
      server.fate = response(500);
      server.send('first');
      at(1, () => ['a', 'b'].forEach((name) => server.send(name)));
      return server;
    });
    expect(one.recorded.slice(1).sort()).to.deep.equal(['1.02 a 500', '1.02 b 503']);
  });

  it('counts requests that fail together as one failure', () => {
    inVirtualTime(() => {
      const one = world();
      one.fate = 'reset';
      for (const name of ['a', 'b', 'c']) one.send(name);
      at(0.5, () => expect(one.backoff.outage).to.include({ failures: 1, retryAt: 1010 }));
    });
  });

  it('probes with releases first, and with held requests last', () => {
    const one = inVirtualTime(() => {
      const server = world();
      server.fate = 'reset';
      server.send('first');
      at(0.5, () => {
        server.fate = 'serve';
        server.send('held', HELD);
        server.send('short');
        server.send('release', LINE, { keepalive: true });
      });
      return server;
    });
    expect(one.sent.slice(1)).to.deep.equal(['1.01 release', '1.02 short', '1.02 held']);
  });

  it('probes with another request although two releases always fail', () => {
    const one = inVirtualTime(() => {
      const server = world();
      server.fate = response(503);
      const failing = (name: string): void => {
        server.send(name, LINE, { keepalive: true }).add(() => at(0, () => failing(name)));
      };
      failing('one');
      failing('two');
      at(0.5, () => server.send('short'));
      at(1.5, () => server.send('short'));
      at(3.5, () => (server.fate = 'hang'));
      return server;
    });
    expect(one.sent.slice(0, 4)).to.deep.equal(['0 one', '0 two', '1.01 one', '3.02 short']);
  });

  it('probes with a held request every fourth time', () => {
    const one = inVirtualTime(() => {
      const server = world();
      const again = (name: string, line: RequestLine): void => {
        const asking = server.send(name, line);
        asking.add(() => at(0, () => asyncScheduler.now() < 60_000 && again(name, line)));
      };
      server.fate = 'reset';
      again('failing', LINE);
      at(0.5, () => again('held', HELD));
      at(60, () => (server.fate = 'serve'));
      return server;
    });
    const names = one.sent.map((line) => line.replace(/.* /, ''));
    expect(names.slice(0, 8)).to.deep.equal([
      ...['failing', 'failing', 'failing', 'held', 'failing', 'failing', 'failing', 'held'],
    ]);
  });

  it('keeps its backoff when online$ emits at each subscription', () => {
    const one = inVirtualTime(() => {
      const server = world({ online$: new BehaviorSubject(true) });
      server.fate = 'reset';
      server.send('first');
      at(0.5, () => {
        server.fate = 'serve';
        server.send('second');
      });
      return server;
    });
    expect(one.sent).to.deep.equal(['0 first', '1.01 second']);
  });

  it('sends all that waits although online$ errors', () => {
    const online$ = new Subject<void>();
    const one = inVirtualTime(() => {
      const server = world({ online$ });
      server.fate = 'reset';
      server.send('first');
      at(0.2, () => {
        server.fate = 'serve';
        server.send('second');
      });
      at(0.5, () => online$.error(new Error('no such event')));
      return server;
    });
    expect(one.sent).to.deep.equal(['0 first', '1.01 second']);
  });

  it('sends the next probe after twice the wait if one hangs', () => {
    const one = inVirtualTime(() => {
      const server = world();
      server.fate = 'reset';
      server.send('first');
      const hanging = [0.1, 0.2, 0.3].map((second) => {
        at(second, () => (server.fate = 'hang'));
        return timer(second * 1000).subscribe(() => server.send(`at ${second}`));
      });
      at(100, () => hanging.forEach((subscription) => subscription.unsubscribe()));
      return server;
    });
    expect(one.sent.slice(1)).to.deep.equal(['1.01 at%200.1', '2.01 at%200.2', '4.01 at%200.3']);
  });

  it('sends nothing and waits for nothing when all leave that wait', () => {
    const online$ = new Subject<void>();
    const one = inVirtualTime(() => {
      const server = world({ online$ });
      server.fate = 'reset';
      server.send('first');
      at(0.5, () => {
        const left = server.send('left');
        expect(online$.observed).to.equal(true);
        left.unsubscribe();
        expect(online$.observed).to.equal(false);
      });
      return server;
    });
    expect(one.sent).to.deep.equal(['0 first']);
  });

  it('sends the probe of another when the one that waits first leaves', () => {
    const one = inVirtualTime(() => {
      const server = world();
      server.fate = 'reset';
      server.send('first');
      at(0.5, () => {
        const left = server.send('left');
        server.send('stays');
        left.unsubscribe();
      });
      return server;
    });
    expect(one.sent).to.deep.equal(['0 first', '1.01 stays']);
  });

  it('delays all requests by a Retry-After, up to the limit', () => {
    for (const [seconds, sentAt] of [
      ['20', '21.01'],
      ['4000', '301.01'],
    ] as const) {
      const one = inVirtualTime(() => {
        const server = world();
        server.fate = response(429, { headers: { 'retry-after': seconds } });
        server.send('first');
        at(1, () => {
          server.fate = 'serve';
          server.send('second');
        });
        return server;
      });
      expect(one.sent).to.deep.equal(['0 first', `${sentAt} second`]);
    }
  });

  it('probes again soon if the platform comes online during a probe', () => {
    const online$ = new Subject<void>();
    const one = inVirtualTime(() => {
      const server = world({ online$, latencyMs: 500 });
      server.fate = 'reset';
      server.send('first');
      for (const second of [1, 3, 6, 10]) at(second, () => server.send(`at ${second}`));
      at(17.2, () => {
        online$.next();
        server.fate = 'serve';
      });
      at(18, () => server.send('next'));
      return server;
    });
    // The backoff after five failures in a row is eight seconds.
    expect(one.sent.slice(-2)).to.deep.equal(['17 at%2010', '19.5 next']);
    expect(online$.observed).to.equal(false);
  });

  it('probes when the platform comes online, unless there was a Retry-After', () => {
    for (const [fate, sentAt] of [
      ['reset', '0.5'],
      [response(503, { headers: { 'retry-after': '3' } }), '4.01'],
    ] as const) {
      const online$ = new Subject<void>();
      const one = inVirtualTime(() => {
        const server = world({ online$ });
        server.fate = fate;
        server.send('first');
        at(0.2, () => {
          server.fate = 'serve';
          server.send('second');
        });
        at(0.5, () => online$.next());
        return server;
      });
      expect(one.sent).to.deep.equal(['0 first', `${sentAt} second`]);
      expect(online$.observed).to.equal(false);
    }
  });

  it('takes a body that breaks off for a failure', () => {
    inVirtualTime(() => {
      const one = world();
      const broken = throwError(() => new NetworkError('broke off', ask('a')));
      one.fate = { ...response(200), body$: broken };
      one.send('a');
      at(0.5, () => expect(one.backoff.outage.failures).to.equal(1));
      at(0.6, () => one.send('b'));
      at(1.5, () => expect(one.backoff.outage.failures).to.equal(2));
    });
  });

  it('counts an unread response as a success', () => {
    inVirtualTime(() => {
      const { backoff } = world();
      backoff.failed();
      at(2, () => {
        backoff
          .gate(LINE)(() => of(response(204)))(ask('a'))
          .subscribe();
        expect(backoff.outage.failures).to.equal(0);
      });
    });
  });

  it('leaves an unclear body to its reader', () => {
    inVirtualTime(() => {
      const one = world();
      one.backoff.failed();
      at(2, () => one.send('a', UNCLEAR));
      at(3, () => {
        expect(one.backoff.outage.failures).to.equal(1);
        one.backoff.failed(60_000);
        expect(one.backoff.outage).to.include({ failures: 2, retryAt: 65_000, isAsked: true });
        one.backoff.answered();
        expect(one.backoff.outage.failures).to.equal(0);
      });
    });
  });

  it('counts no failure that is not one of the network', () => {
    inVirtualTime(() => {
      const { backoff } = world();
      backoff
        .gate(LINE)(() => throwError(() => new Error('of a provider')))(ask('a'))
        .subscribe({ error: () => undefined });
      backoff
        .gate(LINE)(() => NEVER)(ask('b'))
        .subscribe()
        .unsubscribe();
      expect(backoff.outage.failures).to.equal(0);
    });
  });

  it('emits a recovery after two failures in a row, not after one', () => {
    inVirtualTime(() => {
      const { backoff } = world();
      let recoveries = 0;
      backoff.recovered$.subscribe(() => (recoveries += 1));
      backoff.failed();
      backoff.answered();
      expect(recoveries).to.equal(0);
      backoff.failed();
      backoff
        .gate(LINE)(() => of(response(503)))(ask('a'))
        .subscribe();
      at(2, () => {
        expect(backoff.outage.failures).to.equal(2);
        backoff.answered();
        expect(recoveries).to.equal(1);
      });
    });
  });

  describe('pause', () => {
    it('leaves the wait to the gate if the connection failed as often', () => {
      inVirtualTime(({ expectObservable }) => {
        const { pause, failed } = world().backoff;
        const lost = new NetworkError('no answer', ask('a'));
        const refused = new HttpError(503, ask('a'));
        failed();
        expectObservable(pause(1, lost)).toBe('(a|)', { a: 0 });
        expectObservable(pause(1, refused)).toBe('(a|)', { a: 0 });
        expectObservable(pause(2, lost)).toBe('2s (a|)', { a: 0 });
        expectObservable(pause(2, refused)).toBe('2s (a|)', { a: 0 });
        expectObservable(pause(1, new HttpError(404, ask('a')))).toBe('1s (a|)', { a: 0 });
        expectObservable(pause(1, new Error('of a provider'))).toBe('1s (a|)', { a: 0 });
        expectObservable(pause(1)).toBe('1s (a|)', { a: 0 });
        const asked = new HttpError(503, ask('a'), { retryAfterMs: 400_000 });
        expectObservable(pause(1, asked)).toBe('401s (a|)', { a: 0 });
      });
    });

    it('grows from the start again after the platform came online', () => {
      inVirtualTime(({ expectObservable }) => {
        const online$ = new Subject<void>();
        const { pause, failed } = world({ online$ }).backoff;
        failed();
        expectObservable(pause(5)).toBe('500ms (a|)', { a: undefined });
        at(0.5, () => online$.next());
        at(0.6, () => expectObservable(pause(5)).toBe('1600ms (a|)', { a: 0 }));
      });
    });

    it('ends early with a recovery, unless there was a Retry-After', () => {
      inVirtualTime(({ expectObservable }) => {
        const one = world();
        const error = new HttpError(429, ask('a'), { retryAfterMs: 20_000 });
        expectObservable(one.backoff.pause(4)).toBe('1020ms (a|)', { a: undefined });
        expectObservable(one.backoff.pause(4, error)).toBe('28s (a|)', { a: 0 });
        one.backoff.failed();
        one.fate = 'reset';
        at(1, () => one.send('probe'));
        at(1.02, () => {
          expect(one.backoff.outage.failures).to.equal(2);
          one.backoff.answered();
        });
      });
    });

    it('ends early when the platform comes online', () => {
      inVirtualTime(({ expectObservable, cold }) => {
        const { pause } = connectionBackoff(policy, cold('500ms a'));
        expectObservable(pause(3)).toBe('500ms (a|)', { a: 'a' });
      });
    });
  });

  it('sends the same number of requests for any number of callers', () => {
    const sentOf = (requests: number): readonly string[] =>
      inVirtualTime(() => {
        const { gate, pause } = world().backoff;
        const sent: string[] = [];
        const transport = gate(LINE)((request) =>
          defer(() => {
            sent.push(nameOf(request));
            return throwError(() => new NetworkError('no answer', request));
          }),
        );
        const all = Array.from({ length: requests }, (_, index) =>
          retrying({ retries: 10_000 }, pause)(transport)(ask(String(index))).subscribe(),
        );
        at(600, () => all.forEach((subscription) => subscription.unsubscribe()));
        return sent;
      });
    // 0, 1, 3, 7, 15 seconds, and every 8 from there.
    expect(sentOf(1)).to.have.length(78);
    expect(sentOf(50)).to.have.length(78);
  });
});

/** One request: when it is sent, and for how long its sender stays. */
interface Planned {
  readonly from: number;
  readonly isHanging: boolean;
  readonly staysMs: number | undefined;
}

/** A time in which the server does not answer. */
interface Failing {
  readonly from: number;
  readonly ms: number;
  readonly how: 'reset' | 'hang' | 'refuse';
}

const planned: fc.Arbitrary<Planned> = fc.record({
  from: fc.nat(60_000),
  isHanging: fc.boolean(),
  staysMs: fc.option(fc.nat(30_000), { nil: undefined, freq: 3 }),
});

const failing: fc.Arbitrary<Failing> = fc.record({
  from: fc.nat(60_000),
  ms: fc.nat(40_000),
  how: fc.constantFrom('reset', 'hang', 'refuse'),
});

/** A server that fails at times; a connection that hangs is found to be dead after five seconds. */
const failingServer =
  (outages: readonly Failing[], latencyMs: number): Transport =>
  (request) =>
    defer(() => {
      const now = asyncScheduler.now();
      const how = outages.find(({ from, ms }) => now >= from && now < from + ms)?.how;
      return timer(how === 'hang' ? 5000 : latencyMs).pipe(
        map(() => {
          if (how === 'reset' || how === 'hang') throw new NetworkError('no answer', request);
          return response(how === undefined ? 200 : 503);
        }),
      );
    });

describe('connectionBackoff, over random outages', () => {
  it('never probes faster than its backoff, and settles all requests', () => {
    fc.assert(
      fc.property(
        fc.array(planned, { minLength: 1, maxLength: 40 }),
        fc.array(failing, { maxLength: 4 }),
        fc.nat(200),
        (requests, outages, latencyMs) => {
          const answers = requests.map(() => 0);
          const probes: { readonly time: number; readonly failures: number }[] = [];
          inVirtualTime(() => {
            const connection = connectionBackoff(policy);
            const server = failingServer(outages, latencyMs);
            const noted: Transport = (request) => {
              const { failures } = connection.outage;
              if (failures > 0) probes.push({ time: asyncScheduler.now(), failures });
              return server(request);
            };
            const patient = retrying({ retries: 1000 }, connection.pause);
            requests.forEach(({ from, isHanging, staysMs }, index) => {
              const transport = patient(connection.gate(isHanging ? HELD : LINE)(noted));
              const leaves$ = staysMs === undefined ? NEVER : timer(from + staysMs);
              timer(from)
                .pipe(
                  mergeMap(() => transport(ask(String(index)))),
                  read,
                  takeUntil(leaves$),
                )
                .subscribe(() => (answers[index] = (answers[index] ?? 0) + 1));
            });
          });
          requests.forEach(({ staysMs }, index) => {
            if (staysMs === undefined) expect(answers[index], `request ${index}`).to.equal(1);
          });
          probes.forEach(({ time, failures }, index) => {
            const before = probes[index - 1];
            if (before === undefined || before.failures > failures) return;
            expect(time - before.time).to.be.at.least(1000 * 2 ** Math.min(3, before.failures - 1));
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});
