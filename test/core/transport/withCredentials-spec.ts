import { expect } from 'chai';
import { withCredentials } from '../../../lib/core/transport/withCredentials.ts';
import { fetchTransport } from '../../../lib/core/transport/fetch.ts';
import { respondWith, response } from '../../support/responses.ts';

const get = { method: 'GET', url: 'https://mail.example/ews' };

describe('withCredentials', () => {
  it('lets the browser send what it has with each request', () => {
    const server = respondWith(response(200));
    withCredentials()(server.transport)(get).subscribe();
    expect(server.requests).to.deep.equal([{ ...get, credentials: 'include' }]);
  });

  it('leaves a request alone that says otherwise', () => {
    const server = respondWith(response(200));
    withCredentials()(server.transport)({ ...get, credentials: 'omit' }).subscribe();
    expect(server.requests[0]?.credentials).to.equal('omit');
  });

  it('reaches fetch', () => {
    const seen: unknown[] = [];
    const transport = fetchTransport((_, init) => {
      seen.push(init.credentials);
      return Promise.resolve(new Response());
    });
    withCredentials()(transport)(get).subscribe();
    expect(seen).to.deep.equal(['include']);
  });
});
