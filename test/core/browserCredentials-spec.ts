import { expect } from 'chai';
import { browserCredentials } from '../../lib/core/browserCredentials.ts';
import { fetchTransport } from '../../lib/core/fetchTransport.ts';
import { answering, response } from '../support/responses.ts';

const get = { method: 'GET', url: 'https://mail.example/ews' };

describe('browserCredentials', () => {
  it('should let the browser send what it has with each request', () => {
    const server = answering(response(200));
    browserCredentials()(server.transport)(get).subscribe();
    expect(server.requests).to.deep.equal([{ ...get, credentials: 'include' }]);
  });

  it('should leave a request alone that says otherwise', () => {
    const server = answering(response(200));
    browserCredentials()(server.transport)({ ...get, credentials: 'omit' }).subscribe();
    expect(server.requests[0]?.credentials).to.equal('omit');
  });

  it('should reach fetch', () => {
    const seen: unknown[] = [];
    const transport = fetchTransport((_, init) => {
      seen.push(init.credentials);
      return Promise.resolve(new Response());
    });
    browserCredentials()(transport)(get).subscribe();
    expect(seen).to.deep.equal(['include']);
  });
});
