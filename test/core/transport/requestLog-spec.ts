import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { concat, concatMap, defer, delay, mergeMap, NEVER, of, take, throwError, timer } from 'rxjs';
import { withRetry } from '../../../lib/core/backoff/withRetry.ts';
import { NetworkError } from '../../../lib/core/errors.ts';
import {
  type Activity,
  ACTIVITY_CHANNEL,
  requestLog,
  requestLogTo,
} from '../../../lib/core/transport/requestLog.ts';
import { type HttpRequest, readText, type Transport } from '../../../lib/core/transport/transport.ts';
import { withToken } from '../../../lib/core/auth/withToken.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { respondWith, response } from '../../support/responses.ts';

const request: HttpRequest = { method: 'GET', url: 'https://pool.example/me' };

/** Records the activities of a run in virtual time, which begins with 0. */
function recordedFrom(run: (reported: (transport: Transport) => Transport) => void): readonly Activity[] {
  const recorded: Activity[] = [];
  const { activity$, logged: reported } = requestLogTo(undefined);
  activity$.subscribe((activity) => recorded.push(activity));
  inVirtualTime(() => run(reported));
  return recorded;
}

describe('requestLog', () => {
  it('records a request with times and bytes after its response', () => {
    const slow: Transport = () =>
      timer(20).pipe(
        concatMap(() =>
          of({ ...response(200), body$: of(new Uint8Array(3), new Uint8Array(4)).pipe(delay(30)) }),
        ),
      );
    const recorded = recordedFrom((reported) =>
      reported(slow)(request)
        .pipe(mergeMap(({ body$ }) => body$))
        .subscribe(),
    );
    expect(recorded).to.deep.equal([
      {
        method: 'GET',
        origin: 'https://pool.example',
        path: '/me',
        sentAt: new Date(0),
        ms: 50,
        status: 200,
        bytes: 7,
        end: 'answered',
      },
    ]);
  });

  it('records a response whose body is not read', () => {
    const recorded = recordedFrom((reported) =>
      reported(respondWith(response(204)).transport)(request).subscribe(),
    );
    expect(recorded).to.have.length(1);
    expect(recorded[0]).to.include({ status: 204, bytes: 0, end: 'answered' });
  });

  it('records a response whose reader unsubscribes after the head', () => {
    const recorded = recordedFrom((reported) =>
      reported(respondWith(response(401)).transport)(request)
        .pipe(take(1))
        .subscribe(),
    );
    expect(recorded).to.have.length(1);
    expect(recorded[0]).to.include({ status: 401, end: 'answered' });
  });

  it('records why there was no response', () => {
    const broken = new NetworkError('no answer', request, { code: 'ECONNRESET' });
    const recorded = recordedFrom((reported) =>
      reported(() => throwError(() => broken))(request).subscribe({ error: () => undefined }),
    );
    expect(recorded[0]).to.include({ end: 'failed', error: 'NetworkError ECONNRESET' });
    expect(recorded[0]).not.to.have.property('status');
  });

  it('records a body that breaks off, with its bytes so far', () => {
    const body$ = concat(
      of(new Uint8Array(5)),
      throwError(() => new TypeError('terminated')),
    );
    const recorded = recordedFrom((reported) =>
      reported(respondWith({ ...response(200), body$ }).transport)(request)
        .pipe(mergeMap((answer) => readText(answer, 'answer')))
        .subscribe({ error: () => undefined }),
    );
    expect(recorded).to.have.length(1);
    expect(recorded[0]).to.include({ status: 200, bytes: 5, end: 'failed', error: 'TypeError' });
  });

  it('records only the type of an error that is not an Error', () => {
    const recorded = recordedFrom((reported) =>
      reported(() => throwError(() => 'hush'))(request).subscribe({ error: () => undefined }),
    );
    expect(recorded[0]).to.include({ end: 'failed', error: 'string' });
  });

  it('records an aborted request', () => {
    const recorded = recordedFrom((reported) => {
      const waiting = reported(() => NEVER)(request).subscribe();
      timer(10).subscribe(() => waiting.unsubscribe());
    });
    expect(recorded).to.have.length(1);
    expect(recorded[0]).to.include({ end: 'aborted', ms: 10 });
  });

  it('records a body that is not read to its end', () => {
    const body$ = concat(of(new Uint8Array(1)), NEVER);
    const recorded = recordedFrom((reported) =>
      reported(respondWith({ ...response(200), body$ }).transport)(request)
        .pipe(
          mergeMap((answer) => answer.body$),
          take(1),
        )
        .subscribe(),
    );
    expect(recorded).to.have.length(1);
    expect(recorded[0]).to.include({ end: 'aborted', bytes: 1, status: 200 });
  });

  it('records each attempt, and why it is a retry', () => {
    const { transport } = respondWith(response(503), response(200));
    const recorded = recordedFrom((reported) =>
      withRetry({ random: () => 0 })(reported(transport))(request).subscribe(),
    );
    expect(recorded.map(({ status, repeats }) => [status, repeats])).to.deep.equal([
      [503, undefined],
      [200, { count: 1, reason: 'status 503' }],
    ]);
  });

  it('records the error that caused a retry', () => {
    let attempts = 0;
    const transport: Transport = () =>
      defer(() =>
        ++attempts < 3 ? throwError(() => new NetworkError('no answer', request)) : of(response(200)),
      );
    const recorded = recordedFrom((reported) =>
      withRetry({ random: () => 0 })(reported(transport))(request).subscribe(),
    );
    expect(recorded.at(-1)?.repeats).to.deep.equal({ count: 2, reason: 'NetworkError' });
  });

  it('records that a token was refused', () => {
    const { transport } = respondWith(response(401), response(200));
    const recorded = recordedFrom((reported) =>
      withToken(() => of('hush'))(reported(transport))(request).subscribe(),
    );
    expect(recorded.map(({ repeats }) => repeats?.reason)).to.have.members([
      undefined,
      'the token was refused',
    ]);
    expect(JSON.stringify(recorded)).not.to.contain('hush');
  });

  const paths: readonly (readonly [name: string, url: string, path: string])[] = [
    ['a path alone', '/events', '/events'],
    ['numbers', '/events?ack=2&low=15', '/events?…'],
    ['a secret with a name', '/me?access_token=hush', '/me?…'],
    ['a secret without a name', '/me?hush', '/me?…'],
    ['a secret that two equals signs follow', '/me?HUSH==', '/me?…'],
    ['a secret that is a number', '/me?pin=1234', '/me?…'],
    ['a secret behind a second question mark', '/me?a=1?hush=7', '/me?…'],
    ['an empty query', '/me?', '/me'],
    ['a fragment', '/me#hush', '/me'],
    ['a fragment with a question mark', '/me#?hush=1', '/me'],
    ['a query and a fragment', '/me?hush#hush', '/me?…'],
    ['a path that is too long', `/${'a'.repeat(20_000)}?hush`, `/${'a'.repeat(299)}…?…`],
  ];
  for (const [name, url, path] of paths) {
    it(`shows nothing of a query: ${name}`, () => {
      const recorded = recordedFrom((reported) =>
        reported(respondWith(response(200)).transport)({
          ...request,
          url: `https://sara:hush@pool.example${url}`,
        }).subscribe(),
      );
      expect(recorded[0]).to.include({ origin: 'https://pool.example', path });
    });
  }

  it('reports a request whose URL cannot be read', () => {
    const recorded = recordedFrom((reported) =>
      reported(() => throwError(() => new TypeError('hush')))({ ...request, url: 'hush' }).subscribe({
        error: (error: unknown) => expect(error).to.be.instanceOf(TypeError),
      }),
    );
    expect(recorded[0]).to.include({ origin: 'an invalid URL', path: '', end: 'failed', error: 'TypeError' });
  });

  for (const [url, origin] of [
    ['sara:hush@mail.contoso.com/hush?hush', 'sara:'],
    ['blob:https://sara:hush@mail.contoso.com/', 'blob:'],
    ['foo:hush', 'foo:'],
  ] as const) {
    it(`shows no path of ${url}`, () => {
      const recorded = recordedFrom((reported) =>
        reported(respondWith(response(204)).transport)({ ...request, url }).subscribe(),
      );
      expect(recorded[0]).to.include({ origin, path: '' });
    });
  }

  it('shows names and codes of errors only if they are words', () => {
    const hostile = Object.assign(new Error('hush'), { name: 'a\u001b[2J', code: 'hush '.repeat(1000) });
    const recorded = recordedFrom((reported) =>
      reported(() => throwError(() => hostile))(request).subscribe({ error: () => undefined }),
    );
    expect(recorded[0]).to.include({ end: 'failed', error: 'Error' });
  });

  it('does not wrap the response without subscribers', () => {
    const answer = response(200);
    requestLog()
      .logged(respondWith(answer).transport)(request)
      .subscribe((got) => expect(got).to.equal(answer));
  });

  it('publishes on the diagnostics channel, too', () => {
    const recorded: unknown[] = [];
    const listen = (message: unknown): void => void recorded.push(message);
    subscribe(ACTIVITY_CHANNEL, listen);
    requestLog()
      .logged(respondWith(response(204)).transport)(request)
      .subscribe();
    unsubscribe(ACTIVITY_CHANNEL, listen);
    requestLog()
      .logged(respondWith(response(204)).transport)(request)
      .subscribe();
    expect(recorded).to.have.length(1);
    expect(recorded[0]).to.include({ method: 'GET', path: '/me', status: 204 });
  });

  it('works without a diagnostics channel', () => {
    const { activity$, logged: reported } = requestLogTo(undefined);
    const recorded: Activity[] = [];
    activity$.subscribe((activity) => recorded.push(activity));
    reported(respondWith(response(204)).transport)(request).subscribe();
    expect(recorded).to.have.length(1);
  });
});
