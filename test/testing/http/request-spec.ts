import { expect } from 'chai';
import { of } from 'rxjs';
import { headersFrom, type Transport } from '../../../lib/core/transport/transport.ts';
import { serve, type ServeOptions } from '../../../lib/testing/http/serve.ts';

/** A server that refuses every request without a token. */
const protectedServer: Transport = ({ url, headers = {} }) =>
  of({
    ...{ status: headers['authorization'] === undefined ? 401 : 200, url, body$: of() },
    headers: headersFrom({ 'x-mine': 'yes', location: '/1' }),
  });

const PREFLIGHT = {
  'access-control-request-method': 'DELETE',
  'access-control-request-headers': 'authorization',
};

/** Resolves with the response to a request of a page. */
async function responseTo(
  request: { readonly method: string; readonly headers: Readonly<Record<string, string>> },
  options: ServeOptions = {},
): Promise<Response> {
  const server = await serve(protectedServer, options);
  return fetch(server.origin, request).finally(() => server.close());
}

describe('serve, for pages of other origins', () => {
  const origins: readonly (readonly [origin: string, isAllowed: boolean])[] = [
    ['http://localhost:5173', true],
    ['https://localhost', true],
    ['http://app.localhost:5173', true],
    ['http://127.0.0.1:1', true],
    ['http://[::1]:5173', true],
    ['https://app.contoso.com', true],
    ['https://app.contoso.com:8443', false],
    ['http://app.contoso.com', false],
    ['https://localhost.contoso.com', false],
    ['https://evil.example', false],
    ['null', false],
  ];
  const options = { allowedOrigins: ['https://App.contoso.com/'] };
  for (const [origin, isAllowed] of origins) {
    it(`${isAllowed ? 'permits' : 'does not permit'} the requests of ${origin}`, async () => {
      for (const more of [
        { method: 'OPTIONS', headers: PREFLIGHT },
        { method: 'GET', headers: {} },
      ]) {
        const { headers } = await responseTo({ ...more, headers: { origin, ...more.headers } }, options);
        expect(headers.get('access-control-allow-origin')).to.equal(isAllowed ? origin : null);
        expect(headers.get('access-control-allow-credentials')).to.equal(isAllowed ? 'true' : null);
      }
    });
  }

  it('responds to a preflight before it requires a token', async () => {
    const headers = { origin: 'http://localhost:5173', ...PREFLIGHT };
    const response = await responseTo({ method: 'OPTIONS', headers });
    expect(response.status).to.equal(204);
    expect(response.headers.get('access-control-allow-methods')).to.contain('DELETE');
    expect(response.headers.get('access-control-allow-headers')).to.contain('Authorization');
  });

  it('passes other OPTIONS requests to the transport', async () => {
    expect((await responseTo({ method: 'OPTIONS', headers: {} })).status).to.equal(401);
  });

  it('exposes the headers that pages need, and those of responseHeaders', async () => {
    const { headers } = await responseTo(
      { method: 'GET', headers: { origin: 'http://localhost:5173' } },
      { responseHeaders: ['x-mine'] },
    );
    const exposed = headers.get('access-control-expose-headers');
    for (const name of ['Location', 'Retry-After', 'WWW-Authenticate', 'x-mine'])
      expect(exposed).to.contain(name);
    expect(headers.get('vary')).to.equal('Origin');
  });

  it('throws for an invalid origin', () => {
    for (const origin of ['app.contoso.com', 'https://app.contoso.com/path', '*']) {
      expect(() => serve(protectedServer, { allowedOrigins: [origin] })).to.throw(
        TypeError,
        'allowedOrigins[0] must be an origin',
      );
    }
  });
});
