import { expect } from 'chai';
import { NEVER, of, timer } from 'rxjs';
import { connectionBackoff } from '../../../lib/core/backoff/connectionBackoff.ts';
import { NetworkError } from '../../../lib/core/errors.ts';
import { DEFAULT_LIMITS } from '../../../lib/core/limits.ts';
import { restrictToOrigin } from '../../../lib/core/transport/restrictToOrigin.ts';
import type { HttpRequest, Transport } from '../../../lib/core/transport/transport.ts';
import { transportStack, type TransportStack } from '../../../lib/ucwa/transport/stack.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { response } from '../../support/responses.ts';

const url = 'https://pool.contoso.com/ucwa';

const retry = { random: () => 0.5 };

const through = (base: Transport, pollSeconds: () => number = () => 180): TransportStack =>
  transportStack({
    ...{
      base,
      pollSeconds,
      restrict: restrictToOrigin(url),
      retry,
      backoff: connectionBackoff(retry),
      limits: DEFAULT_LIMITS,
    },
    batch: (transport) => transport,
    track: (transport) => transport,
    sign: (transport) => (request) => transport({ ...request, headers: { authorization: 'Bearer t' } }),
  });

describe('network', () => {
  it('retries requests except P-GETs, which the channel retries', () => {
    const sent: HttpRequest[] = [];
    const { transport, polling } = through((request) => {
      sent.push(request);
      return of(response(503));
    });
    inVirtualTime(() => {
      transport({ method: 'GET', url }).subscribe();
      timer(3_600_000).subscribe(() => {
        expect(sent).to.have.length(5);
        polling({ method: 'GET', url }).subscribe();
      });
    });
    expect(sent).to.have.length(6);
    expect(sent.map(({ headers }) => headers?.['authorization'])).to.deep.equal(sent.map(() => 'Bearer t'));
  });

  it('limits each P-GET by the time the server may hold it', () => {
    let pollSeconds = 180;
    const { polling } = through(
      () => NEVER,
      () => pollSeconds,
    );
    const ended: string[] = [];
    inVirtualTime(() => {
      const ask = (name: string): void => {
        polling({ method: 'GET', url }).subscribe({
          error: (e: Error) => ended.push(`${name} ${e.message}`),
        });
      };
      ask('first');
      pollSeconds = 1800;
      ask('second');
    });
    expect(ended).to.deep.equal([
      'first no head of a response within 300 seconds: GET https://pool.contoso.com/ucwa (NO_RESPONSE)',
      'second no head of a response within 1920 seconds: GET https://pool.contoso.com/ucwa (NO_RESPONSE)',
    ]);
  });

  it('reports the progress of each attempt', () => {
    const recorded: string[] = [];
    let answers = 0;
    const { transport } = through(() => of(response(++answers === 1 ? 503 : 201)));
    inVirtualTime(() => {
      transport({ method: 'POST', url, onProgress: (progress) => recorded.push(progress) }).subscribe();
    });
    expect(recorded).to.deep.equal(['sent', 'notProcessed', 'sent']);
  });

  it('errors after two minutes without data', () => {
    const { transport } = through(() => NEVER);
    let error: unknown;
    inVirtualTime(() => {
      transport({ method: 'POST', url }).subscribe({ error: (e: unknown) => (error = e) });
    });
    expect(error).to.be.instanceOf(NetworkError).with.property('message').that.contains('120 seconds');
  });
});
