import { expect } from 'chai';
import { asyncScheduler, EMPTY, finalize, NEVER, of, timer } from 'rxjs';
import { headersFrom, type Transport } from '../../lib/core/transport/transport.ts';
import { withLatency } from '../../lib/testing/latency.ts';
import { inVirtualTime } from '../support/virtualTime.ts';

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
  inVirtualTime(() => {
    const sending = withLatency(20)(server)({ method, url: 'https://pool.contoso.com/' }).subscribe(() =>
      answered.push(asyncScheduler.now()),
    );
    if (leavesAfterMs !== undefined) timer(leavesAfterMs).subscribe(() => sending.unsubscribe());
  });
  return { arrived, answered };
};

describe('withLatency', () => {
  it('delays the request and the response by half of the latency each', () => {
    expect(travel('GET')).to.deep.equal({ arrived: [10], answered: [20] });
  });

  it('delivers a request whose client has unsubscribed', () => {
    expect(travel('DELETE', 5)).to.deep.equal({ arrived: [10], answered: [] });
  });

  it('delivers a GET that was aborted on the way', () => {
    expect(travel('GET', 5)).to.deep.equal({ arrived: [10], answered: [] });
  });

  it('lets the server see an abort half the latency later', () => {
    const left: number[] = [];
    const server: Transport = () => NEVER.pipe(finalize(() => left.push(asyncScheduler.now())));
    inVirtualTime(() => {
      const send = withLatency(20)(server);
      const subscription = send({ method: 'GET', url: 'https://pool.contoso.com/' }).subscribe();
      timer(15).subscribe(() => subscription.unsubscribe());
      const early = send({ method: 'GET', url: 'https://pool.contoso.com/' }).subscribe();
      timer(5).subscribe(() => early.unsubscribe());
    });
    expect(left).to.deep.equal([15, 25]);
  });

  it('has no timer after the response to a GET', () => {
    let frames = -1;
    inVirtualTime(() => {
      const send = withLatency(20)(({ url }) =>
        of({ status: 200, url, headers: headersFrom({}), body$: EMPTY }),
      );
      send({ method: 'GET', url: 'https://pool.contoso.com/' }).subscribe({
        complete: () => (frames = asyncScheduler.now()),
      });
    });
    expect(frames).to.equal(20);
  });

  it('returns the transport unchanged without a latency', () => {
    const server: Transport = () => EMPTY;
    expect(withLatency(0)(server)).to.equal(server);
  });
});
