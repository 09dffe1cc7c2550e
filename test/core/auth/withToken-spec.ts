import { expect } from 'chai';
import { inspect } from 'node:util';
import {
  defer,
  EMPTY,
  lastValueFrom,
  map,
  mergeMap,
  type Observable,
  of,
  Subject,
  throwError,
  timer,
} from 'rxjs';
import { HttpError, OriginError, TokenError } from '../../../lib/core/errors.ts';
import { decideRelease } from '../../../lib/core/lifecycle/release.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../../lib/core/transport/transport.ts';
import { type IssuedToken, type TokenProvider, withToken } from '../../../lib/core/auth/withToken.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { respondWith, response } from '../../support/responses.ts';

const get: HttpRequest = {
  method: 'GET',
  url: 'https://pool.example/ucwa',
  headers: { accept: 'application/json' },
};

/** A server that knows which tokens are good. */
function guarded(good: Set<string>): { transport: Transport; seen: string[] } {
  const seen: string[] = [];
  return {
    seen,
    transport: ({ headers }) => {
      const authorization = headers?.['authorization'] ?? '';
      seen.push(authorization);
      return of(response(good.has(authorization) ? 200 : 401));
    },
  };
}

/** A provider that creates a new token each time and records the requests. */
function counting(delayMs = 0): { provider: (origin: string) => Observable<string>; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    provider: (origin) =>
      defer(() => {
        asked.push(origin);
        const token = `t${asked.length}`;
        return delayMs === 0 ? of(token) : timer(delayMs).pipe(map(() => token));
      }),
  };
}

const statusesOf = (transport: Transport, request: HttpRequest = get): (number | Error)[] => {
  const seen: (number | Error)[] = [];
  transport(request).subscribe({
    next: ({ status }: HttpResponse) => seen.push(status),
    error: (error: Error) => seen.push(error),
  });
  return seen;
};

describe('withToken', () => {
  it('signs with a token that is a string, beside the other headers', () => {
    const server = respondWith(response(200));
    withToken('abc')(server.transport)(get).subscribe();
    expect(server.requests[0]?.headers).to.deep.equal({
      accept: 'application/json',
      authorization: 'Bearer abc',
    });
  });

  it('takes another scheme', () => {
    const server = respondWith(response(200));
    withToken('dTpw', { scheme: 'Basic' })(server.transport)(get).subscribe();
    expect(server.requests[0]?.headers).to.include({ authorization: 'Basic dTpw' });
  });

  it('emits a refusal without a retry if the token cannot be renewed', () => {
    const server = guarded(new Set());
    expect(statusesOf(withToken('abc')(server.transport))).to.deep.equal([401]);
    expect(server.seen).to.deep.equal(['Bearer abc']);
  });

  it('calls the provider once for an origin, and reuses the token', () => {
    const server = guarded(new Set(['Bearer t1']));
    const { provider, asked } = counting();
    const transport = withToken(provider)(server.transport);
    expect(asked).to.deep.equal([]);
    statusesOf(transport);
    statusesOf(transport);
    expect(asked).to.deep.equal(['https://pool.example']);
    expect(server.seen).to.deep.equal(['Bearer t1', 'Bearer t1']);
  });

  it('calls the provider per origin, and separates their tokens', () => {
    const server = guarded(new Set(['Bearer t1', 'Bearer t2']));
    const { provider, asked } = counting();
    const transport = withToken(provider)(server.transport);
    statusesOf(transport);
    statusesOf(transport, { ...get, url: 'https://other.example/' });
    expect(asked).to.deep.equal(['https://pool.example', 'https://other.example']);
    expect(server.seen).to.deep.equal(['Bearer t1', 'Bearer t2']);
  });

  it('takes a promise', async () => {
    const server = respondWith(response(200));
    await new Promise<void>((resolve) => {
      withToken(() => Promise.resolve('abc'))(server.transport)(get).subscribe({ complete: resolve });
    });
    expect(server.requests[0]?.headers).to.include({ authorization: 'Bearer abc' });
  });

  it('gets one new token for all refused requests, and repeats each once', () => {
    const good = new Set(['Bearer t1']);
    const server = guarded(good);
    const { provider, asked } = counting(10);
    const statuses: number[] = [];
    inVirtualTime(() => {
      const transport = withToken(provider)(server.transport);
      for (let index = 0; index < 3; index += 1)
        transport(get).subscribe(({ status }) => statuses.push(status));
      timer(100).subscribe(() => {
        good.clear();
        good.add('Bearer t2');
        for (let index = 0; index < 3; index += 1)
          transport(get).subscribe(({ status }) => statuses.push(status));
      });
    });
    expect(asked).to.have.length(2);
    expect(statuses).to.deep.equal([200, 200, 200, 200, 200, 200]);
    // Of the second three the first is refused; the others wait for the new token right away.
    expect(server.seen.slice(3)).to.deep.equal(['Bearer t1', 'Bearer t2', 'Bearer t2', 'Bearer t2']);
  });

  it('keeps a token that was renewed during a pending refusal', () => {
    const late = new Subject<HttpResponse>();
    const answers = [late, response(401), response(200), response(200)];
    const server = respondWith(...answers);
    const { provider, asked } = counting();
    const transport = withToken(provider)(server.transport);
    const first = statusesOf(transport);
    expect(statusesOf(transport)).to.deep.equal([200]);
    late.next(response(401));
    expect(first).to.deep.equal([200]);
    expect(asked).to.have.length(2);
    expect(server.requests.map(({ headers }) => headers?.['authorization'])).to.deep.equal([
      'Bearer t1',
      'Bearer t1',
      'Bearer t2',
      'Bearer t2',
    ]);
  });

  it('passes on the second refusal', () => {
    const server = guarded(new Set());
    const { provider, asked } = counting();
    expect(statusesOf(withToken(provider)(server.transport))).to.deep.equal([401]);
    expect(asked).to.have.length(2);
    expect(server.seen).to.deep.equal(['Bearer t1', 'Bearer t2']);
  });

  it('errors with the provider error and calls it again next time', () => {
    const server = guarded(new Set(['Bearer ok']));
    let asked = 0;
    const transport = withToken(() =>
      ++asked === 1 ? throwError(() => new Error('sign in first')) : of('ok'),
    )(server.transport);
    expect(statusesOf(transport)[0]).to.have.property('message', 'sign in first');
    expect(server.seen).to.deep.equal([]);
    expect(statusesOf(transport)).to.deep.equal([200]);
  });

  for (const [status, kind] of [
    [404, TokenError],
    [410, TokenError],
    [401, TokenError],
    [503, HttpError],
  ] as const) {
    it(`errors with a ${kind.name} for an HttpError ${status} of the provider`, () => {
      const cause = new HttpError(status, { method: 'GET', url: 'https://sts.contoso.com/' });
      const transport = withToken(() => throwError(() => cause))(guarded(new Set()).transport);
      const error = statusesOf(transport)[0] as Error;
      expect(error).to.be.instanceOf(kind);
      expect(kind === HttpError ? error : error.cause).to.equal(cause);
    });
  }

  it('does not count a 404 of the provider as a release', () => {
    const cause = new HttpError(404, { method: 'GET', url: 'https://sts.contoso.com/' });
    const transport = withToken(() => throwError(() => cause))(guarded(new Set()).transport);
    expect(decideRelease(statusesOf(transport)[0])).to.equal('fail');
  });

  it('cancels the provider when all callers unsubscribe', () => {
    const token = new Subject<string>();
    const server = guarded(new Set());
    const transport = withToken(() => token)(server.transport);
    const one = transport(get).subscribe();
    const two = transport(get).subscribe();
    one.unsubscribe();
    expect(token.observed).to.equal(true);
    two.unsubscribe();
    expect(token.observed).to.equal(false);
    expect(server.seen).to.deep.equal([]);
  });

  it('takes the caller’s word for what a refusal is', () => {
    const server = respondWith(response(403), response(200));
    const { provider } = counting();
    const transport = withToken(provider, { refused: ({ status }) => status === 403 })(server.transport);
    expect(statusesOf(transport)).to.deep.equal([200]);
  });

  describe('with tokens that expire', () => {
    /** Sends a request at each of the given seconds; which token each went out with. */
    const sentAt = (
      seconds: readonly number[],
      provider: TokenProvider,
      renewBeforeSeconds?: number,
    ): string[] => {
      const server = respondWith(response(200));
      inVirtualTime(() => {
        const transport = withToken(
          provider,
          renewBeforeSeconds === undefined ? {} : { renewBeforeSeconds },
        )(server.transport);
        for (const second of seconds) timer(second * 1000).subscribe(() => transport(get).subscribe());
      });
      return server.requests.map(({ headers }) => headers?.['authorization'] ?? '');
    };

    const issuing = (expiresInSeconds: number, delayMs = 0): (() => Observable<IssuedToken>) => {
      const { provider } = counting(delayMs);
      return () => provider(get.url).pipe(map((token) => ({ token, expiresInSeconds })));
    };

    it('renews with the first request in the last minute', () => {
      expect(sentAt([0, 539.999, 540, 1079, 1080], issuing(600))).to.deep.equal([
        'Bearer t1',
        'Bearer t1',
        'Bearer t2',
        'Bearer t2',
        'Bearer t3',
      ]);
    });

    it('renews renewBeforeSeconds before the expiry', () => {
      expect(sentAt([0, 299, 300], issuing(600), 300)).to.deep.equal(['Bearer t1', 'Bearer t1', 'Bearer t2']);
    });

    it('uses a short-lived token for half of its life', () => {
      expect(sentAt([0, 4.9, 5], issuing(10))).to.deep.equal(['Bearer t1', 'Bearer t1', 'Bearer t2']);
    });

    it('calls the provider per request if tokens expire immediately', () => {
      expect(sentAt([0, 1], issuing(0))).to.deep.equal(['Bearer t1', 'Bearer t2']);
    });

    it('does not call the provider without a request', () => {
      const { provider, asked } = counting();
      sentAt([0], (origin) => provider(origin).pipe(map((token) => ({ token, expiresInSeconds: 10 }))));
      expect(asked).to.have.length(1);
    });

    it('renews once for all that wait', () => {
      const provider = issuing(600, 50);
      expect(sentAt([0, 550, 550, 550.01], provider)).to.deep.equal([
        'Bearer t1',
        'Bearer t2',
        'Bearer t2',
        'Bearer t2',
      ]);
    });

    it('keeps a token without an end until it is refused', () => {
      const { provider } = counting();
      expect(sentAt([0, 1e6], (origin) => provider(origin).pipe(map((token) => ({ token }))))).to.deep.equal([
        'Bearer t1',
        'Bearer t1',
      ]);
    });

    it('uses the old token until it expires if a renewal fails', () => {
      const server = respondWith(response(200));
      const seen: unknown[] = [];
      let asked = 0;
      inVirtualTime(() => {
        const transport = withToken(() =>
          ++asked === 1
            ? of({ token: 'old', expiresInSeconds: 600 })
            : throwError(() => new Error('out of order')),
        )(server.transport);
        for (const second of [0, 590, 599.999, 600]) {
          timer(second * 1000).subscribe(() =>
            transport(get).subscribe({ error: (error: unknown) => seen.push(error) }),
          );
        }
      });
      expect(server.requests).to.have.length(3);
      expect(asked).to.equal(4);
      expect(seen).to.have.length(1);
      expect(seen[0]).to.have.property('message', 'out of order');
    });

    it('serves a request that another response causes while a renewal fails', () => {
      const server = respondWith(response(200));
      const seen: number[] = [];
      let asked = 0;
      inVirtualTime(() => {
        const transport = withToken(() =>
          ++asked === 1 ? of({ token: 'old', expiresInSeconds: 600 }) : throwError(() => new Error('no')),
        )(server.transport);
        transport(get).subscribe();
        timer(590_000)
          .pipe(mergeMap(() => transport(get)))
          .subscribe(({ status }) => {
            seen.push(status);
            transport(get).subscribe((next) => seen.push(next.status));
          });
      });
      expect(seen).to.deep.equal([200, 200]);
      expect(server.requests).to.have.length(3);
    });

    it('does not use a refused token if the renewal fails', () => {
      const server = guarded(new Set());
      let asked = 0;
      const seen = statusesOf(
        withToken(() =>
          ++asked === 1 ? of({ token: 'old', expiresInSeconds: 600 }) : throwError(() => new Error('no')),
        )(server.transport),
      );
      expect(seen[0]).to.have.property('message', 'no');
      expect(server.seen).to.deep.equal(['Bearer old']);
    });

    for (const [name, value] of [
      ['renewBeforeSeconds', -1],
      ['renewBeforeSeconds', Number.NaN],
    ] as const) {
      it(`refuses ${name} of ${value}`, () => {
        expect(() => withToken('abc', { [name]: value })).to.throw(TypeError, name);
      });
    }

    it('errors for an end that is no number', () => {
      const server = guarded(new Set());
      const seen = statusesOf(
        withToken(() => of({ token: 'abc', expiresInSeconds: Number.NaN }))(server.transport),
      );
      expect(seen[0]).to.be.instanceOf(TypeError).with.property('message').that.includes('expiresInSeconds');
      expect(server.seen).to.deep.equal([]);
    });
  });

  it('errors if the provider completes without a token', () => {
    const server = guarded(new Set());
    expect(statusesOf(withToken(() => EMPTY)(server.transport))[0])
      .to.be.instanceOf(TypeError)
      .with.property('message')
      .that.includes('token must be emitted by its provider');
  });

  it('errors for an unsafe URL without its query, before any token', () => {
    const { provider, asked } = counting();
    const errors: unknown[] = [];
    for (const url of ['/me?key=hush', 'https://sara:hush@pool.example/', 'foo:hush']) {
      withToken(provider)(respondWith().transport)({ ...get, url }).subscribe({
        error: (error: unknown) => errors.push(error),
      });
    }
    expect(errors).to.have.length(3);
    for (const error of errors) {
      expect(error).to.be.instanceOf(OriginError).and.include({ allowed: undefined });
      expect(inspect(error)).to.contain('the URL of GET').and.not.contain('hush');
    }
    expect(asked).to.deep.equal([]);
  });

  describe('accepts from its provider', () => {
    const issued = { token: 'good-token', expiresInSeconds: 60 };
    const accepted: readonly [what: string, provider: TokenProvider][] = [
      ['a string', () => 'good-token'],
      ['a token with its life', () => issued],
      ['a Promise of a string', () => Promise.resolve('good-token')],
      ['a Promise of a token with its life', () => Promise.resolve(issued)],
      ['an Observable of a string', () => of('good-token')],
      ['an Observable of a token with its life', () => timer(1).pipe(map(() => issued))],
      ['a thenable', () => ({ then: (resolve) => Promise.resolve('good-token').then(resolve) })],
    ];
    for (const [what, provider] of accepted) {
      it(what, async () => {
        const server = respondWith(response(200));
        await lastValueFrom(withToken(provider)(server.transport)(get));
        expect(server.requests.map(({ headers }) => headers?.['authorization'])).to.deep.equal([
          'Bearer good-token',
        ]);
      });
    }
  });

  describe('names the type of what is no token, and sends nothing, for', () => {
    const refused: readonly [value: unknown, type: string][] = [
      [undefined, 'undefined'],
      [null, 'null'],
      [7, 'a number'],
      [true, 'a boolean'],
      [() => 'hush', 'a function'],
      [['hush'], 'an array whose token is undefined'],
      [{ access_token: 'hush', expires_in: 3600 }, 'an object whose token is undefined'],
      [{ token: ['hush'] }, 'an object whose token is an array'],
      [new Uint8Array(4), 'an object whose token is undefined'],
    ];
    for (const [value, type] of refused) {
      it(type, async () => {
        for (const returned of [value, of(value), Promise.resolve(value)]) {
          const server = respondWith(response(200));
          const sent$ = withToken((() => returned) as unknown as TokenProvider)(server.transport)(get);
          const error = await lastValueFrom(sent$).catch((cause: unknown) => cause);
          expect(error).to.be.instanceOf(TypeError);
          expect((error as Error).message).to.equal(
            `token must be a string or { token, expiresInSeconds }, but its provider returned ${type}`,
          );
          expect(server.requests).to.deep.equal([]);
        }
      });
    }
  });

  describe('refuses a token that a header cannot have, without showing it:', () => {
    for (const bad of ['', 'hush\r\nX-Evil: 1', 'hush hush', 'hush\u00e9']) {
      it(JSON.stringify(bad), () => {
        expect(() => withToken(bad)).to.throw(TypeError, /^(?!.*hush)token must be visible ASCII/s);
        const server = guarded(new Set());
        const seen = statusesOf(withToken(() => of(bad))(server.transport));
        expect(seen[0]).to.be.instanceOf(TypeError);
        expect(server.seen).to.deep.equal([]);
      });
    }

    it('something else than a string or a function', () => {
      expect(() => withToken(undefined as unknown as TokenProvider)).to.throw(
        TypeError,
        /token must be a string or a function/,
      );
    });
  });
});
