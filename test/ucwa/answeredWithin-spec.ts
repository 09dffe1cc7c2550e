import { concat, map, mergeMap, NEVER, of, timer } from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import type { Transport } from '../../lib/core/transport.ts';
import { answeredWithin } from '../../lib/ucwa/answeredWithin.ts';
import { marbles } from '../support/marbles.ts';
import { response } from '../support/responses.ts';

const request = { method: 'GET', url: 'https://pool.contoso.com/' };

const answerAfter =
  (delayMs: number): Transport =>
  () =>
    timer(delayMs).pipe(map(() => response(200)));

describe('answeredWithin', () => {
  it('should pass on an answer that comes in time', () => {
    marbles(({ expectObservable }) => {
      const status$ = answeredWithin(10)(answerAfter(9))(request).pipe(map(({ status }) => status));
      expectObservable(status$).toBe('9ms (a|)', { a: 200 });
    });
  });

  it('should error where no answer comes in time, and leave', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const never = cold<never>('-');
      const outcome$ = answeredWithin(10)(() => never)(request);
      const error = new NetworkError('no answer in time', request, { code: 'ETIMEDOUT' });
      expectObservable(outcome$).toBe('10ms #', undefined, error);
      expectSubscriptions(never.subscriptions).toBe('^ 9ms !');
    });
  });

  it('should error where a body stops in the middle', () => {
    const piece = new Uint8Array(1);
    marbles(({ expectObservable }) => {
      const body$ = concat(timer(9).pipe(map(() => piece)), timer(9).pipe(map(() => piece)), NEVER);
      const read$ = answeredWithin(10)(() => of({ ...response(200), body$ }))(request).pipe(
        mergeMap((answer) => answer.body$),
        map(({ length }) => length),
      );
      const error = new NetworkError('no answer in time', request, { code: 'ETIMEDOUT' });
      expectObservable(read$).toBe('9ms a 8ms a 9ms #', { a: 1 }, error);
    });
  });

  it('should let other requests take their time', () => {
    marbles(({ expectObservable }) => {
      const status$ = answeredWithin(10)(answerAfter(1000))({ ...request, method: 'POST' }).pipe(
        map(({ status }) => status),
      );
      expectObservable(status$).toBe('1000ms (a|)', { a: 200 });
    });
  });
});
