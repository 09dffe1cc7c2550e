import { expect } from 'chai';
import { asyncScheduler, concat, interval, map, mergeMap, NEVER, type Observable, of } from 'rxjs';
import type { Limits } from '../../lib/core/limits.ts';
import type { HttpResponse, Transport } from '../../lib/core/transport/transport.ts';
import { autodiscovered } from '../../lib/ews/discovery/autodiscover.ts';
import { lookUp } from './discovery/lookUp.ts';
import { AutodiscoverError } from '../../lib/ews/protocol/errors.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { summarize } from '../../lib/testing/ews/requests/readRequest.ts';
import { response } from '../support/responses.ts';
import { answer, eventsAnswer } from './answers.ts';
import { type Pulling, pulling } from './pull/pulling.ts';
import { newsOf, streaming } from './streaming/streaming.ts';
import { message, status } from './streaming/streams.ts';

const XML = { 'content-type': 'text/xml' };
const OK = '<m:ResponseCode>NoError</m:ResponseCode>';
const SUBSCRIBED = answer('Subscribe', `${OK}<m:SubscriptionId>S1</m:SubscriptionId>`);

const ANSWERS: Readonly<Record<string, string>> = {
  Subscribe: SUBSCRIBED,
  GetEvents: eventsAnswer('<t:StatusEvent/>'),
};

const text = (xml: string): Observable<Uint8Array> => of(new TextEncoder().encode(xml));
const answered = (body$: Observable<Uint8Array>): Observable<HttpResponse> =>
  of({ ...response(200, { headers: XML }), body$ });
const trickle = interval(1000).pipe(map(() => Uint8Array.of(32)));

/** Responds to operations as given, or like a server without events. */
function server(given: Readonly<Record<string, () => Observable<HttpResponse>>>): Transport {
  return (request) => {
    const operation = summarize(request.body ?? '').operation ?? '';
    return given[operation]?.() ?? answered(text(ANSWERS[operation] ?? answer(operation, OK)));
  };
}

function pulled(limits: Limits, given: Parameters<typeof server>[0], seconds = 10): Pulling {
  return pulling(({ pull, watch }) => void watch(pull(), seconds), {}, { limits, transport: server(given) });
}

describe('The limits of a connection', () => {
  const long = SUBSCRIBED.replace('</m:ResponseCode>', `</m:ResponseCode><m:x>${'y'.repeat(3000)}</m:x>`);
  const deep = SUBSCRIBED.replace(
    '</m:ResponseCode>',
    `</m:ResponseCode>${'<x>'.repeat(16)}${'</x>'.repeat(16)}`,
  );
  for (const [limits, body, what] of [
    [{ responseBytes: 2000 }, long, 'at most 2000 bytes'],
    [{ messageCharacters: 2000 }, long, 'at most 2000 characters'],
    [{ depth: 16 }, deep, 'at most 16 elements in one another'],
  ] as const) {
    it(`reject a response with more than ${what.replace('at most ', '')}`, () => {
      const run = pulled(limits, { Subscribe: () => answered(text(body)) });
      expect(run.seen).to.deep.equal(['0 DecodeError']);
      expect(run.errors[0]).to.have.property('message').that.contains(what);
      expect(pulled({}, { Subscribe: () => answered(text(body)) }).seen).to.deep.equal(['0 status']);
    });
  }

  for (const [limits, first, seconds] of [
    [{ headersSeconds: 5 }, NEVER, 5],
    [{ silenceSeconds: 5 }, answered(concat(text('<s:Envelope>'), NEVER)), 5],
    [{ responseSeconds: 7 }, answered(concat(text('<s:Envelope>'), trickle)), 7],
  ] as const) {
    it(`abort and retry a request after ${Object.keys(limits).join()}`, () => {
      const asked: number[] = [];
      pulled(
        limits,
        {
          Subscribe: () =>
            answered(
              text(
                SUBSCRIBED.replace('</m:SubscriptionId>', '</m:SubscriptionId><m:Watermark>W1</m:Watermark>'),
              ),
            ),
          GetEvents: () => {
            asked.push(asyncScheduler.now() / 1000);
            return asked.length > 1 ? answered(text(eventsAnswer('<t:StatusEvent/>'))) : first;
          },
        },
        20,
      );
      // Including the wait after the first failure.
      expect(asked).to.deep.equal([0, seconds + 1]);
    });
  }

  it('follow no redirect when redirects is 0', () => {
    const elsewhere = response(307, { headers: { location: '/EWS/elsewhere.asmx' } });
    const run = pulled({ redirects: 0 }, { Subscribe: () => of(elsewhere) });
    expect(run.errors[0]).to.have.property('message').that.contains('too many redirects');
  });

  describe('on a stream', () => {
    const opened = message(status('OK'));

    it('end a connection without an envelope for silenceSeconds, though bytes arrive', () => {
      const run = streaming(
        ({ stream, watch }) => void watch(stream(), 35),
        {},
        {
          limits: { silenceSeconds: 10 },
          transport: server({ GetStreamingEvents: () => answered(concat(text(opened), trickle)) }),
        },
      );
      expect(newsOf(run)).to.deep.equal(['10.1 gap', '20.1 gap', '30.1 gap']);
    });

    it('keep a connection as long as envelopes arrive in time', () => {
      const beat = interval(9000).pipe(mergeMap(() => text(opened)));
      const run = streaming(
        ({ stream, watch }) => void watch(stream(), 1000),
        {},
        {
          limits: { silenceSeconds: 10, responseSeconds: 20, responseBytes: 2000 },
          transport: server({ GetStreamingEvents: () => answered(concat(text(opened), beat)) }),
        },
      );
      expect(newsOf(run)).to.deep.equal([]);
    });

    it('abort a request without a head after headersSeconds', () => {
      let asked = 0;
      const run = streaming(
        ({ stream, watch }) => void watch(stream(), 10),
        {},
        {
          limits: { headersSeconds: 3 },
          transport: server({
            GetStreamingEvents: () => {
              asked += 1;
              return NEVER;
            },
          }),
        },
      );
      expect(asked).to.equal(3);
      expect(run.errors).to.deep.equal([]);
    });
  });

  it('limit the redirects of Autodiscover', () => {
    let asked = 0;
    const transport: Transport = ({ url }) => {
      asked += 1;
      return of(response(302, { headers: { location: `${url}x` } }));
    };
    const outcome = (limits?: Limits): number => {
      asked = 0;
      lookUp('sara@contoso.com', {
        transport,
        ...(limits === undefined ? {} : { limits }),
      }).subscribe({
        error: (error: unknown) => expect(error).to.be.instanceOf(AutodiscoverError),
      });
      return asked;
    };
    expect([outcome(), outcome({}), outcome({ redirects: 2 }), outcome({ redirects: 0 })]).to.deep.equal([
      14, 14, 6, 4,
    ]);
  });

  it('are checked before anything is sent', () => {
    const transport: Transport = () => expect.fail('it was sent');
    const limits = { depth: 3 };
    for (const server of ['https://mail.contoso.com/EWS/Exchange.asmx', autodiscovered('sara@contoso.com')]) {
      expect(() => connectExchange({ server, transport, limits })).to.throw(
        TypeError,
        'limits.depth must be a whole number from 16 to 1000',
      );
    }
  });
});
