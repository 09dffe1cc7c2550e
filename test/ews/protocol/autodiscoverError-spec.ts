import { expect } from 'chai';
import { inspect } from 'node:util';
import { NetworkError } from '../../../lib/core/errors.ts';
import { type AutodiscoverAttempt, AutodiscoverError } from '../../../lib/ews/protocol/errors.ts';
import { expectHarmless } from '../../support/errorTexts.ts';

const attempt: AutodiscoverAttempt = { format: 'json', host: 'contoso.com', reason: 'was answered 404' };

describe('AutodiscoverError', () => {
  it('names each attempt, and what to do', () => {
    const error = new AutodiscoverError('contoso.com', [attempt, { ...attempt, format: 'pox' }]);
    expect(error.message).to.equal(
      'no web services were found for contoso.com: 1. contoso.com (JSON) was answered 404; ' +
        '2. contoso.com (XML) was answered 404. ' +
        'Give connectExchange() the URL as server, or allow the host that is not allowed with allowRedirectTo.',
    );
  });

  it('has printable and short texts, and the advice, whatever servers send', () => {
    const long = `\u001b\u202e${'x'.repeat(1_000_000)}`;
    const attempts = Array.from({ length: 10 }, () => ({ ...attempt, host: long, reason: long }));
    const error = new AutodiscoverError('contoso.com', attempts);
    expectHarmless(error);
    expect(error.tried).to.have.length(10);
    expect(error.message).to.match(/…\. Give connectExchange\(\) the URL as server, or allow .*\.$/);
  });

  it('keeps a description of a foreign cause', () => {
    const cause = Object.assign(new TypeError('hush'), { config: 'hush', _tag: 'NetworkError' });
    const error = new AutodiscoverError('a', [
      { ...attempt, cause },
      { ...attempt, cause: 'hush' },
    ]);
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.to.contain('hush');
    expect(error.cause).to.include({ name: 'TypeError' });
    expect(error.tried[1]).not.to.have.property('cause');
  });

  it('knows whether any server could be reached', () => {
    const cause = new NetworkError('no answer', { method: 'GET', url: 'https://contoso.com/' });
    expect(new AutodiscoverError('a', [{ ...attempt, cause }])).to.include({ isUnreachable: true, cause });
    expect(new AutodiscoverError('a', [attempt, { ...attempt, cause }]).isUnreachable).to.equal(false);
  });
});
