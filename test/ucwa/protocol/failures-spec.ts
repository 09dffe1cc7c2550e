import { expect } from 'chai';
import { DecodeError, HttpError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import {
  decide,
  decideDelete,
  type UcwaDecision,
  hintFor,
  isRecreated,
} from '../../../lib/ucwa/protocol/failures.ts';
import { DiscoveryError } from '../../../lib/ucwa/protocol/errors.ts';

const request = { method: 'GET', url: 'https://pool.contoso.com/' };
const http = (status: number, code?: string, subcode?: string): HttpError =>
  new HttpError(status, request, { code, subcode });
const network = new NetworkError('no answer', request, { code: 'ECONNRESET' });
const page = new DecodeError('answer', { path: '', expected: 'JSON', actual: 'a page' });
const origin = new OriginError('https://pool.contoso.com', 'https://evil.example', 'the link');
const noUcwa = new DiscoveryError('contoso.com', [{ url: 'https://contoso.com/', cause: http(404) }]);

type Row = readonly [
  name: string,
  error: unknown,
  channel: UcwaDecision,
  acquire: UcwaDecision,
  release: UcwaDecision,
];

describe('decide', () => {
  const rows: readonly Row[] = [
    [
      '400 ParameterValidationFailure',
      http(400, 'BadRequest', 'ParameterValidationFailure'),
      'fail',
      'fail',
      'fail',
    ],
    ['401, after a new token was tried', http(401, 'Unauthorized'), 'fail', 'fail', 'fail'],
    ['403 LimitExceeded', http(403, 'Forbidden', 'LimitExceeded'), 'fail', 'fail', 'fail'],
    ['403 of another kind', http(403, 'Forbidden'), 'fail', 'fail', 'fail'],
    ['404 ApplicationNotFound', http(404, 'NotFound', 'ApplicationNotFound'), 'gone', 'fail', 'gone'],
    ['404 without a subcode', http(404, 'NotFound'), 'gone', 'fail', 'gone'],
    ['404 that is not from UCWA', http(404), 'fail', 'fail', 'gone'],
    ['405', http(405, 'MethodNotAllowed'), 'fail', 'fail', 'fail'],
    ['408', http(408), 'retry', 'fail', 'retry'],
    ['409 PGetReplaced', http(409, 'Conflict', 'PGetReplaced'), 'fail', 'fail', 'fail'],
    ['409 of another kind', http(409, 'Conflict', 'AlreadyExists'), 'fail', 'fail', 'fail'],
    [
      '410 InactiveApplicationExpired',
      http(410, 'Gone', 'InactiveApplicationExpired'),
      'gone',
      'fail',
      'gone',
    ],
    ['410 TooManyApplications', http(410, 'Gone', 'TooManyApplications'), 'gone', 'fail', 'gone'],
    ['410 UserAgentNotAllowed', http(410, 'Gone', 'UserAgentNotAllowed'), 'gone', 'fail', 'gone'],
    ['410 CannotRedirect', http(410, 'Gone', 'CannotRedirect'), 'fail', 'fail', 'gone'],
    ['413', http(413), 'fail', 'fail', 'fail'],
    ['415', http(415), 'fail', 'fail', 'fail'],
    ['429', http(429, 'TooManyRequests'), 'retry', 'fail', 'retry'],
    ['500 ServiceFailure', http(500, 'ServiceFailure'), 'retry', 'fail', 'retry'],
    ['501', http(501), 'retry', 'fail', 'retry'],
    ['502', http(502), 'retry', 'fail', 'retry'],
    ['503', http(503), 'retry', 'fail', 'retry'],
    ['504', http(504), 'retry', 'fail', 'retry'],
    ['a status that is none', http(304), 'fail', 'fail', 'fail'],
    ['no network', network, 'retry', 'fail', 'retry'],
    ['the page of a proxy', page, 'retry', 'fail', 'retry'],
    ['a link to another server', origin, 'fail', 'fail', 'fail'],
    [
      'hosts of discovery that do not answer',
      new DiscoveryError('contoso.com', []),
      'retry',
      'fail',
      'retry',
    ],
    ['a domain without UCWA', noUcwa, 'fail', 'fail', 'retry'],
    ["a token provider's error", new TypeError('fetch failed'), 'fail', 'fail', 'retry'],
  ];
  for (const [name, error, channel, acquire, release] of rows) {
    it(`returns ${channel}, ${acquire}, ${release} for ${name}`, () => {
      expect(decide('channel', error, 1), 'channel').to.equal(channel);
      expect(decide('acquire', error, 1), 'acquire').to.equal(acquire);
      expect(decide('release', error, 1), 'release').to.equal(release);
    });
  }

  const tired: readonly (readonly [string, unknown])[] = [
    ['500', http(500)],
    ['the page of a proxy', page],
  ];
  for (const [name, error] of tired) {
    it(`retries the channel three times, a release always, after ${name}`, () => {
      expect([1, 2, 3, 4].map((failures) => decide('channel', error, failures))).to.deep.equal([
        'retry',
        'retry',
        'retry',
        'fail',
      ]);
      expect(decide('release', error, 100)).to.equal('retry');
    });
  }

  it('retries without limit while the network is down or the server busy', () => {
    for (const error of [network, http(429), http(502), http(503)]) {
      expect(decide('channel', error, 1000)).to.equal('retry');
    }
  });
});

describe('isRecreated', () => {
  const cases: readonly (readonly [string, unknown, boolean, boolean])[] = [
    ['a 404', http(404, 'NotFound', 'ApplicationNotFound'), true, true],
    ['410 InactiveApplicationExpired', http(410, 'Gone', 'InactiveApplicationExpired'), false, true],
    ['410 TooManyApplications', http(410, 'Gone', 'TooManyApplications'), false, true],
    ['410 UserAgentNotAllowed', http(410, 'Gone', 'UserAgentNotAllowed'), false, false],
    ['410 of another kind', http(410), false, true],
  ];
  for (const [name, error, byDefault, wanted] of cases) {
    it(`returns ${byDefault}, or ${wanted} with 'recreate', for ${name}`, () => {
      expect(isRecreated(error, 'error')).to.equal(byDefault);
      expect(isRecreated(error, 'recreate')).to.equal(wanted);
    });
  }
});

describe('decideDelete', () => {
  it('returns the decision in the terms of the core', () => {
    expect(decideDelete(http(404))).to.equal('alreadyGone');
    expect(decideDelete(http(503))).to.equal('retry');
    expect(decideDelete(http(403))).to.equal('fail');
  });
});

describe('hintFor', () => {
  it('names the cause that the code implies', () => {
    expect(hintFor({ status: 409, subcode: 'PGetReplaced' })).to.contain('another client');
    expect(hintFor({ status: 409, subcode: 'AlreadyExists' })).to.equal(undefined);
    expect(hintFor({ status: 404, code: 'NotFound' })).to.contain('there is no such application');
    expect(hintFor({ status: 404 })).to.contain('check the URL');
    expect(hintFor({ status: 403, subcode: 'LimitExceeded' })).to.contain('limit');
    expect(hintFor({ status: 504 })).to.equal(undefined);
  });
});
