import { expect } from 'chai';
import * as browserErrors from '../../lib/core/browserErrors.ts';
import * as systemErrors from '../../lib/core/systemErrors.ts';

const { codeOf, factsOf } = systemErrors;

/** An error as Node makes it of a failed system call. */
const systemError = (facts: object): Error =>
  Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', ...facts });

describe('codeOf', () => {
  it('returns the first code of an error and its causes', () => {
    expect(codeOf(systemError({}))).to.equal('ECONNREFUSED');
    expect(codeOf(new TypeError('fetch failed', { cause: systemError({}) }))).to.equal('ECONNREFUSED');
  });

  it('returns nothing for a code that is not a word', () => {
    expect(codeOf(systemError({ code: '\u001b[2J' }))).to.equal(undefined);
    expect(codeOf(systemError({ code: 20 }))).to.equal(undefined);
    expect(codeOf('ECONNREFUSED')).to.equal(undefined);
  });
});

describe('factsOf', () => {
  it('returns the words and the port of a system error', () => {
    const error = systemError({ syscall: 'connect', address: '::1', port: 443, hostname: 'a b' });
    expect(factsOf(error)).to.deep.equal({
      ...{ syscall: 'connect', code: 'ECONNREFUSED', address: '::1', port: 443 },
    });
  });
});

describe('browserErrors', () => {
  it('has the functions of systemErrors', () => {
    expect(browserErrors).to.have.all.keys(Object.keys(systemErrors));
  });
});
