import { expect } from 'chai';
import { inspect } from 'node:util';
import { HttpError, NetworkError } from '../../../lib/core/errors.ts';
import { UNPRINTABLE } from '../../../lib/core/text.ts';
import { DiscoveryError, SignInError, UntrustedLinkError } from '../../../lib/ucwa/protocol/errors.ts';

const request = { method: 'GET', url: 'https://lyncdiscover.contoso.com/?a=hush' };
const failing = (...causes: unknown[]): DiscoveryError =>
  new DiscoveryError(
    'contoso.com',
    causes.map((cause) => ({ url: request.url, cause })),
  );

describe('DiscoveryError', () => {
  it('reports the failure of each host without secrets', () => {
    const gone = new NetworkError('no answer', request, { code: 'ENOTFOUND' });
    const error = failing(gone, new HttpError(404, request));
    expect(error.message).to.equal(
      'no UCWA server was found for contoso.com; check the name and the network. ' +
        'https://lyncdiscover.contoso.com/: no answer: GET https://lyncdiscover.contoso.com/ (ENOTFOUND); ' +
        'https://lyncdiscover.contoso.com/: GET https://lyncdiscover.contoso.com/ was answered 404',
    );
    expect(error).to.include({ _tag: 'DiscoveryError', name: 'DiscoveryError', domain: 'contoso.com' });
    expect(error.failures.map(({ cause }) => cause)).to.include(gone);
    expect(error.cause).to.equal(error.failures[1]?.cause);
  });

  it('does not quote the text of foreign errors', () => {
    expect(failing(new TypeError('hush'), 'hush', undefined).message).to.match(
      /contoso\.com\/: TypeError; .*: an unknown error; .*: an unknown error$/,
    );
    expect(failing(new TypeError('hush')).message).not.to.include('hush');
  });

  const gone = new NetworkError('no answer', request);
  for (const [name, causes, expected] of [
    ['no host can be reached', [gone, gone], true],
    ['a host is busy', [gone, new HttpError(503, request)], true],
    ['a host is not what is looked for', [gone, new HttpError(404, request)], false],
    ['something else is wrong', [gone, new Error('x')], false],
  ] as const) {
    it(`is ${expected ? '' : 'not '}transient: ${name}`, () => {
      expect(failing(...causes).isTransient).to.equal(expected);
    });
  }

  it('has short, printable texts for any failure', () => {
    const long = `\u001b\u202e${'x'.repeat(1_000_000)}`;
    const tagged = Object.assign(new Error(long), { _tag: 'Tagged' });
    const error = new DiscoveryError(
      'contoso.com',
      Array.from({ length: 100 }, () => ({ url: `https://a.test/${long}?${long}`, cause: tagged })),
    );
    expect(error.message.length).to.be.below(2000);
    expect(error.message.replace(UNPRINTABLE, '')).to.equal(error.message);
    expect(failing(Object.assign(new Error('x'), { name: long })).message).to.match(/: Error$/);
  });

  it('keeps a description of a foreign cause, and errors of this library', () => {
    const own = [
      new NetworkError('no answer', request),
      new SignInError(request.url, 401),
      new UntrustedLinkError('a link', 'https://evil.test/', 'which is not allowed'),
    ];
    const foreign = [
      Object.assign(new TypeError('hush', { cause: new Error('hush') }), { config: 'hush' }),
      Object.assign(new Error('hush'), { _tag: 'HttpError' }),
      'hush',
    ];
    const error = failing(...own, ...foreign);
    expect(error.failures.slice(0, 3).map(({ cause }) => cause)).to.deep.equal(own);
    for (const one of [error, failing(foreign[0]), failing(foreign[1])]) {
      expect(inspect(one, { depth: Infinity, showHidden: true })).not.to.contain('hush');
    }
    expect(failing(foreign[0]).cause).to.include({ name: 'TypeError' });
  });

  it('has no queries in the URLs of its attempts', () => {
    expect(failing('x').failures[0]?.url).to.equal('https://lyncdiscover.contoso.com/');
  });
});
