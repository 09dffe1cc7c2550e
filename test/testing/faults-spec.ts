import { expect } from 'chai';
import { asyncScheduler, finalize, mergeMap, NEVER, of, timer, EMPTY } from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import { headersFrom, readText, type Transport } from '../../lib/core/transport/transport.ts';
import { type Fault, type FaultQueue, faultQueue, withLatency } from '../../lib/testing/faults.ts';
import { inVirtualTime } from '../support/virtualTime.ts';

interface Attempt {
  readonly recorded: string;
  readonly acted: number;
}

/** Sends one request through the queue in virtual time, and returns the result with its time. */
const attempt = (queue: FaultQueue, method = 'GET'): Attempt => {
  let acted = 0;
  const server: Transport = ({ url }) => {
    acted += 1;
    const body$ = of(new TextEncoder().encode('hel'), new TextEncoder().encode('lo'));
    return of({ status: 200, url, headers: headersFrom({}), body$ });
  };
  let recorded = '';
  inVirtualTime(() => {
    queue
      .middleware(server)({ method, url: 'https://pool.contoso.com/' })
      .pipe(
        mergeMap((response) => {
          recorded += `${response.status} at ${asyncScheduler.now()}`;
          const type = response.headers.get('content-type');
          if (type !== undefined) recorded += ` ${type}`;
          return readText(response, 'body');
        }),
      )
      .subscribe({
        next: (text) => (recorded += ` ${text}`),
        error: (error: unknown) =>
          (recorded += ` ${error instanceof NetworkError ? error.code : String(error)}`),
      });
  });
  return { recorded: recorded.trim(), acted };
};

describe('faultQueue', () => {
  const faults: readonly (readonly [string, Fault, string, number])[] = [
    ['a reset before acting', 'reset', 'ECONNRESET', 0],
    ['a reset after acting', 'resetAfterActing', 'ECONNRESET', 1],
    ['a late arrival', { arrivesAfterMs: 30 }, 'ECONNRESET', 1],
    ['a delayed arrival', { arrivalDelayMs: 30 }, '200 at 30 hello', 1],
    ['a status', { status: 503 }, '503 at 0', 0],
    [
      'a status with headers and a body',
      { status: 500, headers: { 'content-type': 'text/html' }, body: '<html>' },
      '500 at 0 text/html <html>',
      0,
    ],
    ['a delay', { delayMs: 30 }, '200 at 30 hello', 1],
    ['a body cut in a chunk', { truncateAfterBytes: 2 }, '200 at 0 ECONNRESET', 1],
    ['a body cut between chunks', { truncateAfterBytes: 3 }, '200 at 0 ECONNRESET', 1],
    ['a cut after the end of the body', { truncateAfterBytes: 5 }, '200 at 0 hello', 1],
  ];
  for (const [name, fault, recorded, acted] of faults) {
    it(`applies ${name}`, () => {
      const queue = faultQueue();
      queue.failNext(1, fault);
      expect(attempt(queue)).to.deep.equal({ recorded, acted });
      expect(attempt(queue), 'the one after it').to.deep.equal({ recorded: '200 at 0 hello', acted: 1 });
    });
  }

  it('applies the faults in order, each the given number of times', () => {
    const queue = faultQueue();
    queue.failNext(2, { status: 503 });
    queue.failNext(1, { status: 429 });
    expect(queue.pending).to.equal(3);
    const statuses = [1, 2, 3, 4].map(() => attempt(queue).recorded.slice(0, 3));
    expect(statuses).to.deep.equal(['503', '503', '429', '200']);
    expect(queue.pending).to.equal(0);
  });

  it('keeps a fault for matching requests', () => {
    const queue = faultQueue();
    queue.failNext(1, { status: 503 }, ({ method }) => method === 'DELETE');
    expect(attempt(queue).recorded).to.equal('200 at 0 hello');
    expect(attempt(queue, 'DELETE').recorded).to.equal('503 at 0');
  });

  it('removes queued faults when it is cleared', () => {
    const queue = faultQueue();
    queue.failNext(3, 'reset');
    queue.clear();
    expect(queue.pending).to.equal(0);
    expect(attempt(queue).recorded).to.equal('200 at 0 hello');
  });

  it('delivers a delayed request that its client has aborted', () => {
    const arrived: number[] = [];
    let left = 0;
    let recorded = 0;
    const server: Transport = () => {
      arrived.push(asyncScheduler.now());
      return NEVER.pipe(finalize(() => (left += 1)));
    };
    for (const method of ['GET', 'POST']) {
      inVirtualTime(() => {
        const queue = faultQueue();
        queue.failNext(1, { arrivalDelayMs: 30 });
        const sent = queue
          .middleware(server)({ method, url: 'https://pool.contoso.com/' })
          .subscribe(() => (recorded += 1));
        timer(10).subscribe(() => sent.unsubscribe());
      });
    }
    expect({ arrived, left, recorded }).to.deep.equal({ arrived: [30, 30], left: 0, recorded: 0 });
  });

  it('throws for an invalid fault', () => {
    const queue = faultQueue();
    expect(() => queue.failNext(0, 'reset')).to.throw(TypeError, 'count must be');
    expect(() => queue.failNext(1, 'explode' as 'reset')).to.throw(TypeError, 'fault must be');
    expect(() => queue.failNext(1, { status: 99 })).to.throw(TypeError, 'fault.status must be');
    expect(() => queue.failNext(1, { delayMs: -1 })).to.throw(TypeError, 'fault.delayMs must be');
    expect(() => queue.failNext(1, { arrivalDelayMs: -1 })).to.throw(
      TypeError,
      'fault.arrivalDelayMs must be',
    );
    expect(() => queue.failNext(1, { arrivesAfterMs: -1 })).to.throw(
      TypeError,
      'fault.arrivesAfterMs must be',
    );
    expect(() => queue.failNext(1, { truncateAfterBytes: 0.5 })).to.throw(TypeError, 'truncateAfterBytes');
    expect(queue.pending).to.equal(0);
  });
});

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
