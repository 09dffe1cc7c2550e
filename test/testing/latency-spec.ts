import { expect } from 'chai';
import { asyncScheduler, EMPTY, of, timer } from 'rxjs';
import { headersFrom, type Transport } from '../../lib/core/transport.ts';
import { travelling } from '../../lib/testing/latency.ts';
import { marbles } from '../support/marbles.ts';

interface Travel {
  readonly arrived: readonly number[];
  readonly answered: readonly number[];
}

const travel = (method: string, leavesAfterMs?: number): Travel => {
  const arrived: number[] = [];
  const answered: number[] = [];
  const server: Transport = ({ url }) => {
    arrived.push(asyncScheduler.now());
    return of({ status: 204, url, headers: headersFrom({}), body$: EMPTY });
  };
  marbles(() => {
    const sending = travelling(20)(server)({ method, url: 'https://pool.contoso.com/' }).subscribe(() =>
      answered.push(asyncScheduler.now()),
    );
    if (leavesAfterMs !== undefined) timer(leavesAfterMs).subscribe(() => sending.unsubscribe());
  });
  return { arrived, answered };
};

describe('travelling', () => {
  it('should take half of the time there and half of it back', () => {
    expect(travel('GET')).to.deep.equal({ arrived: [10], answered: [20] });
  });

  it('should let a request arrive whose sender has gone', () => {
    expect(travel('DELETE', 5)).to.deep.equal({ arrived: [10], answered: [] });
  });

  it('should forget a GET whose sender has gone', () => {
    expect(travel('GET', 5)).to.deep.equal({ arrived: [], answered: [] });
  });

  it('should leave a transport as it is where there is no latency', () => {
    const server: Transport = () => EMPTY;
    expect(travelling(0)(server)).to.equal(server);
  });
});
