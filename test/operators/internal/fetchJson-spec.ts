import { expect } from 'chai';
import { throwError } from 'rxjs';
import { DecodeError, HttpError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import { fetchJson } from '../../../operators/internal/fetchJson.ts';
import { type PreparedResponse, respondWith, response } from '../../support/responses.ts';

describe('fetchJson', () => {
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

  it('fetches the JSON at a relative href', () => {
    expect(asked('/people/1/presence')).to.deep.equal({
      urls: ['https://pool.contoso.com/people/1/presence'],
      value: { availability: 'Busy' },
      error: undefined,
    });
  });

  it('fetches the JSON at an absolute href', () => {
    expect(asked('https://pool.contoso.com/people/1')).to.deep.include({
      urls: ['https://pool.contoso.com/people/1'],
      error: undefined,
    });
  });

  it('sends nothing before the subscription', () => {
    const { transport, requests } = respondWith(response(200));
    fetchJson(transport, base)('/people/1');
    expect(requests).to.be.empty;
  });

  it('sends nothing to another origin', () => {
    for (const href of ['https://evil.example/people/1', 'javascript:alert(1)', '//evil.example/people/1']) {
      const { urls, error } = asked(href);
      expect(urls, href).to.be.empty;
      expect(error, href).to.be.instanceOf(OriginError);
    }
  });

  it('sends nothing for an invalid URL', () => {
    const { urls, error } = asked('https://[');
    expect(urls).to.be.empty;
    expect(error).to.be.instanceOf(DecodeError);
  });

  it('errors with the status and Retry-After', () => {
    const { error } = asked('/people/1', response(503, { headers: { 'retry-after': '2' }, body: ['{}'] }));
    expect(error).to.be.instanceOf(HttpError);
    expect(error).to.include({ status: 503, retryAfterMs: 2000 });
  });

  it('accepts 2xx only', () => {
    for (const status of [200, 201, 299])
      expect(asked('/me', response(status, { body: ['1'] })).value).to.equal(1);
    for (const status of [199, 304, 404]) {
      expect(asked('/me', response(status, { body: ['1'] })).error).to.be.instanceOf(HttpError);
    }
  });

  it('errors for invalid JSON without quoting it', () => {
    const { error } = asked('/people/1', response(200, { body: ['<html>a secret</html>'] }));
    expect(error).to.be.instanceOf(DecodeError);
    expect(String(error)).to.not.include('secret');
    expect((error as Error).cause).to.be.undefined;
  });

  it('errors when the transport does', () => {
    const lost = new NetworkError('connection reset', { method: 'GET', url: base.href });
    expect(
      asked(
        '/people/1',
        throwError(() => lost),
      ).error,
    ).to.equal(lost);
  });
});
