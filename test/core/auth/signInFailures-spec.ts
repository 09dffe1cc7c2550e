import { expect } from 'chai';
import { of, throwError } from 'rxjs';
import { signInFailures } from '../../../lib/core/auth/signInFailures.ts';
import type { ConnectionInput } from '../../../lib/core/connectionStatus.ts';
import type { Middleware } from '../../../lib/core/transport/transport.ts';
import { response } from '../../support/responses.ts';

const request = { method: 'GET', url: 'https://pool.contoso.com/' };
const busy = new Error('busy');
const failing: Middleware = () => () => throwError(() => busy);
const signing: Middleware = (transport) => transport;

/** The reason after a request through this middleware, to a server that errors or responds. */
const reasonAfter = (
  sign: Middleware,
  reason: 'server' | 'network',
  error: Error | undefined,
): ConnectionInput => {
  const failures = signInFailures(sign);
  failures
    .sign(() => (error === undefined ? of(response(200)) : throwError(() => error)))(request)
    .subscribe({ error: () => undefined });
  return failures.named({ type: 'failed', reason, error: busy, attempt: 1 });
};

describe('signInFailures', () => {
  it('names the reason of a failure before the request was sent', () => {
    expect(reasonAfter(failing, 'server', undefined)).to.include({ reason: 'signIn' });
  });

  it('keeps the reason if the network failed', () => {
    expect(reasonAfter(failing, 'network', undefined)).to.include({ reason: 'network' });
  });

  it('keeps the reason of a failure of the server', () => {
    expect(reasonAfter(signing, 'server', busy)).to.include({ reason: 'server' });
  });

  it('keeps other inputs', () => {
    expect(signInFailures(signing).named({ type: 'succeeded' })).to.deep.equal({ type: 'succeeded' });
  });
});
