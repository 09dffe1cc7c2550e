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
const attempt = { format: 'json', host: 'contoso.com', reason: 'did not tell' } as const;
const unreachable = { ...attempt, cause: new NetworkError('no answer', request) };
const refused = { ...attempt, cause: new HttpError(404, request) };

/** Failures without a code, or whose decision depends on more than the code. */
const OTHERS: readonly (readonly [string, unknown])[] = [
  ['ErrorAccessDenied', asError('ErrorAccessDenied')],
  ['ErrorSubscriptionAccessDenied', asError('ErrorSubscriptionAccessDenied')],
  ['any other code', asError('ErrorOfAnotherYear')],
  ...[401, 408, 429, 500, 502, 503, 504].map(
    (status) => [`${status}`, new HttpError(status, request)] as const,
  ),
  ['any other status', new HttpError(418, request)],
  ['no response, a web page, a blank body', new NetworkError('no answer', request)],
  ['not from EWS: text, malformed XML', new DecodeError('response', page)],
  ['a redirect to another origin', new OriginError('https://a.example', 'https://b.example', 'the URL')],
  ['no Autodiscover host responds', new AutodiscoverError('contoso.com', [unreachable])],
  ['Autodiscover finds no server', new AutodiscoverError('contoso.com', [refused])],
];

const WORDS: Readonly<Record<EwsDecision['action'], string>> = {
  gone: 'gone',
  continue: 'continue',
  resubscribe: 'resubscribe',
  resubscribeFromNow: 'resubscribe from now',
  resubscribeDelayed: 'resubscribe later',
  waitForReleases: 'after releases',
  retry: 'retry',
  fail: 'fail',
};

/** Returns the decisions for an error, in the words of the documentation. */
function decided(name: string, error: unknown): readonly string[] {
  const subscribing = decideFailure(error, { operation: 'Subscribe' });
  const reading = decideFailure(error, { operation: 'GetEvents', hasResponded: true });
  const releasing = decideUnsubscribe(error);
  const isReplaced = reading.action.startsWith('resubscribe');
  return [
    name,
    // Without a subscription, nothing can continue.
    subscribing.action === 'continue' ? 'fail' : WORDS[subscribing.action],
    WORDS[reading.action] + (isReplaced && reading.isGone !== true ? ', release the old' : ''),
    reading.gap ?? '',
    releasing === 'alreadyGone' ? 'gone' : releasing,
  ];
}

describe('The errors in docs/EWS.md', () => {
  it('match the failure policy, in order', () => {
    const rows = [
      ...EWS_FAILURES.map(([code]) => decided(code, asError(code))),
      ...OTHERS.map(([name, error]) => decided(name, error)),
    ];
    expect(tableAfter('EWS.md', '## Errors')).to.deep.equal(rows);
  });

  it('are the same for polled, streamed and posted events', () => {
    for (const error of [
      ...EWS_FAILURES.map(([code]) => asError(code)),
      ...OTHERS.map(([, other]) => other),
    ]) {
      const [polled, streamed, posted] = (
        ['GetEvents', 'GetStreamingEvents', 'SendNotification'] as const
      ).map((operation) => decideFailure(error, { operation, hasResponded: true }));
      expect(streamed).to.deep.equal(polled);
      expect(posted).to.deep.equal(polled);
    }
  });
});
