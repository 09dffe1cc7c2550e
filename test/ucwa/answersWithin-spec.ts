import { expect } from 'chai';
import { asyncScheduler, concat, mergeMap, NEVER, of, timer } from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import { headersFrom, type Transport } from '../../lib/core/transport.ts';
import { answersWithin } from '../../lib/ucwa/answersWithin.ts';
import { marbles } from '../support/marbles.ts';

const through = (transport: Transport): string[] => {
  const told: string[] = [];
  marbles(() => {
    answersWithin(1000)(transport)({ method: 'GET', url: 'https://pool.contoso.com/' })
      .pipe(mergeMap(({ body$ }) => body$))
      .subscribe({
        next: ([byte]) => told.push(`${byte ?? '?'} at ${asyncScheduler.now()}`),
        error: (error: unknown) => {
          expect(error).to.be.instanceOf(NetworkError);
          told.push(`${(error as Error).message} at ${asyncScheduler.now()}`);
        },
        complete: () => told.push('complete'),
      });
  });
  return told;
};

const answer = (url: string, body$ = of(Uint8Array.of(1))): ReturnType<Transport> =>
  of({ status: 200, url, headers: headersFrom({}), body$ });

const SILENCE = 'nothing came for 1 seconds: GET https://pool.contoso.com/';

describe('answersWithin', () => {
  it('should pass on what comes in time', () => {
    expect(through(({ url }) => timer(999).pipe(mergeMap(() => answer(url))))).to.deep.equal([
      '1 at 999',
      'complete',
    ]);
  });

  it('should take it for a broken connection where no answer comes', () => {
    expect(through(() => NEVER)).to.deep.equal([`${SILENCE} at 1000`]);
  });

  it('should take it for a broken connection where the rest of the answer does not come', () => {
    const body$ = concat(of(Uint8Array.of(1)), timer(900).pipe(mergeMap(() => of(Uint8Array.of(2)))), NEVER);
    expect(through(({ url }) => answer(url, body$))).to.deep.equal([
      '1 at 0',
      '2 at 900',
      `${SILENCE} at 1900`,
    ]);
  });
});
