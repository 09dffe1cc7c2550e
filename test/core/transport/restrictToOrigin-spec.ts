import { expect } from 'chai';
import { OriginError } from '../../../lib/core/errors.ts';
import { restrictToOrigin } from '../../../lib/core/transport/restrictToOrigin.ts';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import { type PreparedResponse, respondWith, response } from '../../support/responses.ts';

const get: HttpRequest = {
  method: 'GET',
  url: 'https://pool.example/ucwa',
  headers: { authorization: 'Bearer hush' },
};
const to = (location: string, status = 302) => response(status, { headers: { location } });

function send(request: HttpRequest, ...answers: readonly PreparedResponse[]) {
  const server = respondWith(...answers);
  const statuses: number[] = [];
  const errors: Error[] = [];
  restrictToOrigin('https://pool.example')(server.transport)(request).subscribe({
    next: ({ status }) => statuses.push(status),
    error: (error: Error) => errors.push(error),
  });
  return { statuses, errors, urls: server.requests.map(({ method, url }) => `${method} ${url}`) };
}

describe('restrictToOrigin', () => {
  it('sends requests to its origin', () => {
    expect(send(get, response(200))).to.deep.equal({ statuses: [200], errors: [], urls: [`GET ${get.url}`] });
  });

  for (const url of [
    'https://evil.example/ucwa',
    'http://pool.example/ucwa',
    'https://pool.example:8443/ucwa',
    'https://pool.example@evil.example/',
    'https://pool.example.evil.example/',
    '//evil.example/',
    'javascript:alert(1)',
    '',
  ]) {
    it(`refuses ${url || 'an empty URL'}, and sends nothing`, () => {
      const { errors, urls } = send({ ...get, url }, response(200));
      expect(urls).to.deep.equal([]);
      expect(errors[0]).to.be.instanceOf(OriginError);
      expect(errors[0]).to.include({ allowed: 'https://pool.example' });
    });
  }

  for (const url of [
    'https://pool%2eexample/a',
    'https:pool.example/a',
    'https:///pool.example/a',
    'HTTPS://POOL.example:443/a',
  ]) {
    it(`hands ${url} on in the spelling that was checked`, () => {
      expect(send({ ...get, url }, response(200)).urls).to.deep.equal(['GET https://pool.example/a']);
    });
  }

  it('names both origins', () => {
    const { errors } = send({ ...get, url: 'https://evil.example/?token=hush' }, response(200));
    expect(errors[0]?.message)
      .to.contain('https://evil.example,')
      .and.contain('https://pool.example')
      .and.not.contain('hush');
  });

  it('follows relative and absolute redirects within the origin with the same headers', () => {
    const { statuses, urls } = send(get, to('/one'), to('https://pool.example/two', 307), response(200));
    expect(statuses).to.deep.equal([200]);
    expect(urls).to.deep.equal([
      `GET ${get.url}`,
      'GET https://pool.example/one',
      'GET https://pool.example/two',
    ]);
  });

  it('refuses a redirect to another origin, and sends nothing there', () => {
    const { errors, urls } = send(get, to('https://evil.example/'));
    expect(urls).to.have.length(1);
    expect(errors[0]).to.be.instanceOf(OriginError);
    expect(errors[0]?.message).to.match(/^a redirect of GET \/ucwa leads to https:\/\/evil\.example/);
  });

  it('keeps method and body on 307 and 308', () => {
    const post = { ...get, method: 'POST', body: 'x' };
    expect(send(post, to('/one', 308), response(201)).urls).to.deep.equal([
      `POST ${get.url}`,
      'POST https://pool.example/one',
    ]);
  });

  it('does not turn a POST into a GET', () => {
    const { errors, urls } = send({ ...get, method: 'POST', body: 'x' }, to('/one', 302), response(200));
    expect(urls).to.have.length(1);
    expect(errors[0]).to.include({ _tag: 'HttpError', status: 302 });
  });

  it('stops after five redirects', () => {
    const { errors, urls } = send(get, to('/again'));
    expect(urls).to.have.length(6);
    expect(errors[0]?.message).to.contain('too many redirects');
  });

  it('refuses a redirect whose target a browser hides', () => {
    expect(send(get, response(0)).errors[0]).to.include({ _tag: 'HttpError', status: 0 });
  });

  it('emits a redirect without a target or with an invalid one', () => {
    expect(send(get, response(302)).statuses).to.deep.equal([302]);
    expect(send(get, to('https://')).statuses).to.deep.equal([302]);
    expect(send(get, response(304)).statuses).to.deep.equal([304]);
  });

  it('throws at once for an origin that is none', () => {
    expect(() => restrictToOrigin('pool.example')).to.throw(TypeError, /^origin must be/);
  });
});
