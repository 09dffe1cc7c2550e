import { expect } from 'chai';
import { readElements, SchemaViolation } from '../../../../lib/testing/ews/requests/elements.ts';

const nested = (levels: number): string =>
  `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">${'<a>'.repeat(levels - 1)}${'</a>'.repeat(levels - 1)}</soap:Envelope>`;

describe('readElements', () => {
  it('rejects a request with more than 64 levels of elements', () => {
    expect(readElements(nested(64)).name).to.equal('soap:Envelope');
    expect(() => readElements(nested(65))).to.throw(SchemaViolation, 'more than 64 levels');
  });
});
