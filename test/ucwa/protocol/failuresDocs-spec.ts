import { expect } from 'chai';
import { DecodeError, HttpError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import { decide, type UcwaOperation, UCWA_FAILURES } from '../../../lib/ucwa/protocol/failures.ts';
import { DiscoveryError } from '../../../lib/ucwa/protocol/errors.ts';
import { tableAfter } from '../../support/docs/docTable.ts';

const request = { method: 'GET', url: 'https://pool.contoso.com/' };

const WORDS: Readonly<Record<UcwaOperation, Readonly<Record<string, string>>>> = {
  channel: {
    retry: 'retry',
    retryLimited: 'retry 3 times',
    gone: 'lost',
    fail: 'fail',
  },
  acquire: { fail: 'fail' },
  release: { retry: 'retry', gone: 'gone', fail: 'fail' },
};

/** Errors without a status, and so without a row. */
const OTHERS: readonly (readonly [string, unknown])[] = [
  ['any other status', new HttpError(418, request)],
  ['no response', new NetworkError('no answer', request)],
  [
    'not from UCWA: HTML, malformed JSON',
    new DecodeError('events', { path: '', expected: 'JSON', actual: 'a page' }),
  ],
  ['a link to another origin', new OriginError('https://a.example', 'https://b.example', 'the link')],
  ['no discovery host responds', new DiscoveryError('contoso.com', [])],
  [
    'the domain has no UCWA',
    new DiscoveryError('contoso.com', [{ url: request.url, cause: new HttpError(404, request) }]),
  ],
  ['an error of the token provider', new TypeError('no token')],
];

const OPERATIONS = ['channel', 'acquire', 'release'] as const;

const word = (operation: UcwaOperation, decision: string): string | undefined => WORDS[operation][decision];

function decided(error: unknown): readonly (string | undefined)[] {
  return OPERATIONS.map((operation) => {
    const first = decide(operation, error, 1);
    return word(operation, first !== decide(operation, error, 4) ? 'retryLimited' : first);
  });
}

describe('The failure table in docs/UCWA.md', () => {
  it('are those of the code, in its order', () => {
    const rows = UCWA_FAILURES.map(({ status, code, subcode }) => [
      [status, code, subcode].filter((part) => part !== undefined).join(' '),
      ...decided(new HttpError(status === 'other 5xx' ? 500 : status, request, { code, subcode })),
    ]);
    const others = OTHERS.map(([name, error]) => [name, ...decided(error)]);
    expect(tableAfter('UCWA.md', '## Errors')).to.deep.equal([...rows, ...others]);
  });
});
