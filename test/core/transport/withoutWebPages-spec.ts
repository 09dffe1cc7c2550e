import { expect } from 'chai';
import { withoutWebPages } from '../../../lib/core/transport/withoutWebPages.ts';
import { type PreparedResponse, respondWith, response } from '../../support/responses.ts';

const request = { method: 'POST', url: 'https://mail.example/ews?secret' };
const page = (status: number): PreparedResponse =>
  response(status, { headers: { 'content-type': 'text/html; charset=utf-8' }, body: ['<html></html>'] });

const resultOf = (prepared: PreparedResponse): unknown => {
  let result: unknown;
  withoutWebPages(respondWith(prepared).transport)(request).subscribe({
    next: ({ status }) => (result = status),
    error: (error: unknown) => (result = error),
  });
  return result;
};

describe('withoutWebPages', () => {
  it('errors as if without a network after a successful page', () => {
    const error = resultOf(page(200));
    expect(error).to.have.property('_tag', 'NetworkError');
    expect(String(error)).to.match(/login page or a captive portal.*: POST https:\/\/mail\.example\/ews$/);
  });

  it('does not claim that the request was not sent', () => {
    expect(resultOf(page(200))).to.have.property('isUnsent', false);
  });

  it('emits other responses, and pages with an error status', () => {
    expect([page(401), page(503), response(204)].map(resultOf)).to.deep.equal([401, 503, 204]);
  });
});
