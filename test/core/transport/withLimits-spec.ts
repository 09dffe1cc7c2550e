import { expect } from 'chai';
import {
  asyncScheduler,
  concat,
  EMPTY,
  finalize,
  interval,
  map,
  mergeMap,
  NEVER,
  type Observable,
  of,
  timer,
} from 'rxjs';
import { DecodeError, NetworkError } from '../../../lib/core/errors.ts';
import { headersFrom, type HttpResponse, type Transport } from '../../../lib/core/transport/transport.ts';
import { type ResponseLimits, withLimits } from '../../../lib/core/transport/withLimits.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const URL = 'https://pool.contoso.com/events?token=hush';
const limits: ResponseLimits = {
  headersSeconds: 2,
  silenceSeconds: 1,
  responseSeconds: 5,
  responseBytes: 10,
};

const byte = (value = 1): Observable<Uint8Array> => of(Uint8Array.of(value));
const answer = (body$: HttpResponse['body$']): Observable<HttpResponse> =>
  of({ status: 200, url: URL, headers: headersFrom({}), body$ });
const later = <Value>(ms: number, then: Observable<Value>): Observable<Value> =>
  timer(ms).pipe(mergeMap(() => then));

/** Records the body as a reader receives it, with the time in milliseconds. */
function seen(transport: Transport, pollSeconds?: number, changed: Partial<ResponseLimits> = {}): string[] {
  const log: string[] = [];
  const at = (what: string): number => log.push(`${what} at ${asyncScheduler.now()}`);
  inVirtualTime(() => {
    withLimits(
      { ...limits, ...changed },
      pollSeconds,
    )(transport)({ method: 'GET', url: URL })
      .pipe(mergeMap(({ body$ }) => body$))
      .subscribe({
        next: (chunk) => at(`${chunk.length}`),
        error: (error: unknown) => {
          expect(error).to.satisfy(
            (one: unknown) => one instanceof NetworkError || one instanceof DecodeError,
          );
          at((error as Error).message);
        },
        complete: () => at('complete'),
      });
  });
  return log;
}

const WHERE = 'GET https://pool.contoso.com/events';
const NO_HEAD = `no head of a response within 2 seconds: ${WHERE} (NO_RESPONSE)`;
const SILENCE = `no byte of the response for 1 seconds: ${WHERE}`;
const NO_END = `no end of the response within 5 seconds: ${WHERE}`;

describe('withLimits', () => {
  it('passes on a response that keeps all limits', () => {
    expect(seen(() => later(1999, answer(concat(byte(), later(999, byte())))))).to.deep.equal([
      '1 at 1999',
      '1 at 2998',
      'complete at 2998',
    ]);
  });

  it('errors when no head comes', () => {
    expect(seen(() => NEVER)).to.deep.equal([`${NO_HEAD} at 2000`]);
  });

  it('errors when the body falls silent', () => {
    expect(seen(() => answer(concat(byte(), later(900, byte()), NEVER)))).to.deep.equal([
      '1 at 0',
      '1 at 900',
      `${SILENCE} at 1900`,
    ]);
  });

  it('counts the silence of a body from its head', () => {
    expect(seen(() => later(1500, answer(NEVER)))).to.deep.equal([`${SILENCE} at 2500`]);
  });

  it('errors when a body trickles on', () => {
    const trickling = interval(900).pipe(map(() => Uint8Array.of(1)));
    expect(seen(() => later(1000, answer(trickling))).slice(-2)).to.deep.equal([
      '1 at 4600',
      `${NO_END} at 5000`,
    ]);
  });

  it('errors at the total limit if it precedes the head limit', () => {
    expect(seen(() => NEVER, 0, { responseSeconds: 1.5 })).to.deep.equal([
      `no end of the response within 1.5 seconds: ${WHERE} at 1500`,
    ]);
  });

  it('gives a held request its time on top, but no longer silence', () => {
    expect(seen(() => NEVER, 60)).to.deep.equal([
      `no head of a response within 62 seconds: ${WHERE} (NO_RESPONSE) at 62000`,
    ]);
    expect(seen(() => later(61_000, answer(NEVER)), 60)).to.deep.equal([`${SILENCE} at 62000`]);
    const trickling = interval(900).pipe(map(() => Uint8Array.of(1)));
    const last = seen(() => later(61_000, answer(trickling)), 60).at(-1);
    expect(last).to.equal(`no end of the response within 65 seconds: ${WHERE} at 65000`);
  });

  it('never ends a response without limits', () => {
    const none = { headersSeconds: Infinity, silenceSeconds: Infinity, responseSeconds: Infinity };
    const slow = later(86_400_000, answer(later(86_400_000, byte())));
    expect(seen(() => slow, 0, none)).to.deep.equal(['1 at 172800000', 'complete at 172800000']);
  });

  it('errors for a body with more bytes than responseBytes', () => {
    const chunks = of(new Uint8Array(6), new Uint8Array(4), new Uint8Array(1), new Uint8Array(1));
    expect(seen(() => answer(chunks))).to.deep.equal([
      '6 at 0',
      '4 at 0',
      `the response to ${WHERE}: expected at most 10 bytes at the root, but there is more at 0`,
    ]);
  });

  it('aborts the request when the response is late', () => {
    let aborted = 0;
    seen(() => NEVER.pipe(finalize(() => (aborted += 1))));
    seen(() => answer(NEVER.pipe(finalize(() => (aborted += 1)))));
    expect(aborted).to.equal(2);
  });

  it('sends nothing before the subscription, and one request for each', () => {
    let sent = 0;
    const transport: Transport = () => {
      sent += 1;
      return answer(EMPTY);
    };
    const response$ = withLimits(limits)(transport)({ method: 'GET', url: URL });
    expect(sent).to.equal(0);
    response$.subscribe();
    response$.subscribe();
    expect(sent).to.equal(2);
  });
});
