import { expect } from 'chai';
import { DecodeError, HttpError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import { AutodiscoverError, EwsError } from '../../../lib/ews/protocol/errors.ts';
import {
  decideFailure,
  decideUnsubscribe,
  type EwsDecision,
  EWS_FAILURES,
} from '../../../lib/ews/protocol/failures.ts';
import { tableAfter } from '../../support/docs/docTable.ts';

const request = { method: 'POST', url: 'https://mail.contoso.com/EWS/Exchange.asmx' };

const asError = (responseCode: string): EwsError =>
  new EwsError({ operation: 'GetEvents', url: request.url }, { responseCode, values: new Map() });

const page = { path: '', expected: 'an envelope', actual: 'a page' };
const asked = { kind: 'json', host: 'contoso.com', reason: 'did not tell' } as const;
const unreachable = { ...asked, cause: new NetworkError('no answer', request) };
const refused = { ...asked, cause: new HttpError(404, request) };

/** What has no code, or one that is decided by more than that. */
const OTHERS: readonly (readonly [string, unknown])[] = [
  ['ErrorAccessDenied', asError('ErrorAccessDenied')],
  ['ErrorSubscriptionAccessDenied', asError('ErrorSubscriptionAccessDenied')],
  ['any other code', asError('ErrorOfAnotherYear')],
  ...[401, 408, 429, 500, 502, 503, 504].map(
    (status) => [`${status}`, new HttpError(status, request)] as const,
  ),
  ['any other status', new HttpError(418, request)],
  ['no answer', new NetworkError('no answer', request)],
  ["not EWS's own: HTML, malformed XML", new DecodeError('response', page)],
  ['a redirect to another origin', new OriginError('https://a.example', 'https://b.example', 'the URL')],
  ['no server of Autodiscover answers', new AutodiscoverError('contoso.com', [unreachable])],
  ['Autodiscover finds nothing', new AutodiscoverError('contoso.com', [refused])],
];

const WORDS: Readonly<Record<EwsDecision['action'], string>> = {
  gone: 'already gone',
  continue: 'go on',
  resubscribe: 'again',
  resubscribeFromNow: 'afresh',
  resubscribeDelayed: 'later',
  waitForReleases: 'after releases',
  retry: 'wait',
  fail: 'fail',
};

/** What each operation makes of an error, as the documentation says it. */
function decided(name: string, error: unknown): readonly string[] {
  const subscribing = decideFailure(error, { operation: 'Subscribe' });
  const reading = decideFailure(error, { operation: 'GetEvents', hasAnswered: true });
  const releasing = decideUnsubscribe(error);
  const isReplaced = reading.action.startsWith('resubscribe');
  return [
    name,
    // Nothing stands that could go on.
    subscribing.action === 'continue' ? 'fail' : WORDS[subscribing.action],
    WORDS[reading.action] + (isReplaced && reading.isGone !== true ? ', remove the old' : ''),
    reading.gap ?? '',
    releasing === 'retry' ? 'wait' : releasing === 'fail' ? 'fail' : 'already gone',
  ];
}

describe('the errors in docs/EWS.md', () => {
  it('should be those that the code decides on, in its order', () => {
    const rows = [
      ...EWS_FAILURES.map(([code]) => decided(code, asError(code))),
      ...OTHERS.map(([name, error]) => decided(name, error)),
    ];
    expect(tableAfter('EWS.md', '## Errors')).to.deep.equal(rows);
  });

  it('should be decided the same for events that are asked for, streamed and posted', () => {
    for (const error of [
      ...EWS_FAILURES.map(([code]) => asError(code)),
      ...OTHERS.map(([, other]) => other),
    ]) {
      const [polled, streamed, posted] = (
        ['GetEvents', 'GetStreamingEvents', 'SendNotification'] as const
      ).map((operation) => decideFailure(error, { operation, hasAnswered: true }));
      expect(streamed).to.deep.equal(polled);
      expect(posted).to.deep.equal(polled);
    }
  });
});
