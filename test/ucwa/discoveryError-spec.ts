import { expect } from 'chai';
import { HttpError, NetworkError } from '../../lib/core/errors.ts';
import { DiscoveryError } from '../../lib/ucwa/discoveryError.ts';

const request = { method: 'GET', url: 'https://lyncdiscover.contoso.com/?a=hush' };
const failing = (...causes: unknown[]): DiscoveryError =>
  new DiscoveryError(
    'contoso.com',
    causes.map((cause) => ({ url: request.url, cause })),
  );

describe('DiscoveryError', () => {
  it('should tell what was wrong with each host, without secrets', () => {
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

  it('should not repeat what it does not know', () => {
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
    it(`should be ${expected ? '' : 'not '}transient where ${name}`, () => {
      expect(failing(...causes).isTransient).to.equal(expected);
    });
  }
});
