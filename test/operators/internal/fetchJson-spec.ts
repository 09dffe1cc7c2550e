import { expect } from 'chai';
import { throwError } from 'rxjs';
import { DecodeError, HttpError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import { fetchJson } from '../../../operators/internal/fetchJson.ts';
import { type PreparedResponse, respondWith, response } from '../../support/responses.ts';

describe('resourceGetter', () => {
  const base = new URL('https://pool.contoso.com/ucwa/v1/applications/1');

  /** What asking for an href came to. */
  const asked = (
    href: string,
    answer: PreparedResponse = response(200, { body: ['{"availability":', '"Busy"}'] }),
  ): { readonly urls: string[]; readonly value: unknown; readonly error: unknown } => {
    const { transport, requests } = respondWith(answer);
    let value: unknown;
    let error: unknown;
    fetchJson(
      transport,
      base,
    )(href).subscribe({
      next: (resource) => (value = resource),
      error: (reason: unknown) => (error = reason),
    });
    for (const request of requests) {
      expect(request).to.include({ method: 'GET' });
      expect(request.headers).to.deep.equal({ accept: 'application/json' });
    }
    return { urls: requests.map(({ url }) => url), value, error };
  };

  it('should get the JSON at a relative href', () => {
    expect(asked('/people/1/presence')).to.deep.equal({
      urls: ['https://pool.contoso.com/people/1/presence'],
      value: { availability: 'Busy' },
      error: undefined,
    });
  });

  it('should get the JSON at an absolute href', () => {
    expect(asked('https://pool.contoso.com/people/1')).to.deep.include({
      urls: ['https://pool.contoso.com/people/1'],
      error: undefined,
    });
  });

  it('should send nothing before it is subscribed to', () => {
    const { transport, requests } = respondWith(response(200));
    fetchJson(transport, base)('/people/1');
    expect(requests).to.be.empty;
  });

  it('should send nothing to another origin', () => {
    for (const href of ['https://evil.example/people/1', 'javascript:alert(1)', '//evil.example/people/1']) {
      const { urls, error } = asked(href);
      expect(urls, href).to.be.empty;
      expect(error, href).to.be.instanceOf(OriginError);
    }
  });

  it('should send nothing for what is no URL', () => {
    const { urls, error } = asked('https://[');
    expect(urls).to.be.empty;
    expect(error).to.be.instanceOf(DecodeError);
  });

  it('should error with the status of a refusal, and how long to wait', () => {
    const { error } = asked('/people/1', response(503, { headers: { 'retry-after': '2' }, body: ['{}'] }));
    expect(error).to.be.instanceOf(HttpError);
    expect(error).to.include({ status: 503, retryAfterMs: 2000 });
  });

  it('should take any status of success, and no other', () => {
    for (const status of [200, 201, 299])
      expect(asked('/me', response(status, { body: ['1'] })).value).to.equal(1);
    for (const status of [199, 304, 404]) {
      expect(asked('/me', response(status, { body: ['1'] })).error).to.be.instanceOf(HttpError);
    }
  });

  it('should error with what is no JSON, and not quote it', () => {
    const { error } = asked('/people/1', response(200, { body: ['<html>a secret</html>'] }));
    expect(error).to.be.instanceOf(DecodeError);
    expect(String(error)).to.not.include('secret');
    expect((error as Error).cause).to.be.undefined;
  });

  it('should pass the error of the transport on', () => {
    const lost = new NetworkError('connection reset', { method: 'GET', url: base.href });
    expect(
      asked(
        '/people/1',
        throwError(() => lost),
      ).error,
    ).to.equal(lost);
  });
});
