import { expect } from 'chai';
import { DecodeError, HttpError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import {
  decideFailure,
  decideUnsubscribe,
  type EwsDecision,
  type FailureContext,
} from '../../../lib/ews/protocol/failures.ts';
import { EwsError, SoapFault } from '../../../lib/ews/protocol/errors.ts';

const what = { operation: 'GetEvents', url: 'https://mail.example/EWS/Exchange.asmx' };
const request = { method: 'POST', url: what.url };

const asError = (code: string, values: Readonly<Record<string, string>> = {}): EwsError =>
  new EwsError(what, { responseCode: code, values: new Map(Object.entries(values)) });
const asFault = (code: string, values: Readonly<Record<string, string>> = {}): SoapFault =>
  new SoapFault(what, {
    faultCode: code,
    faultString: '',
    values: new Map(Object.entries(values)),
  });

const FAIL: EwsDecision = { action: 'fail' };
const RETRY: EwsDecision = { action: 'retry' };
const LOST: EwsDecision = { action: 'resubscribe', gap: 'subscriptionLost', isGone: true };
const DELAYED: EwsDecision = { action: 'resubscribeDelayed', gap: 'mailboxMoved' };
const GONE: EwsDecision = { action: 'gone' };

/** A code, and the decision for each operation; GetEvents also covers streams and pushes. */
type Row = readonly [code: string, subscribe: EwsDecision, getEvents: EwsDecision, unsubscribe: EwsDecision];
const same = (code: string, decision: EwsDecision): Row => [code, decision, decision, decision];
const FROM_NOW: EwsDecision = { action: 'resubscribeFromNow', gap: 'subscriptionLost', isGone: true };

const table: readonly Row[] = [
  ['ErrorSubscriptionNotFound', FAIL, LOST, GONE],
  ['ErrorExpiredSubscription', FAIL, LOST, GONE],
  ['ErrorInvalidSubscription', FAIL, LOST, GONE],
  ['ErrorSubscriptionUnsubscribed', FAIL, FROM_NOW, GONE],
  same('ErrorReadEventsFailed', { action: 'resubscribe', gap: 'subscriptionLost' }),
  same('ErrorInvalidWatermark', { action: 'resubscribeFromNow', gap: 'watermarkRefused' }),
  same('ErrorMissedNotificationEvents', { action: 'continue', gap: 'eventsMissed' }),
  same('ErrorSubscriptionAccessDenied', FAIL),
  same('ErrorSubscriptionDelegateAccessNotSupported', FAIL),
  same('ErrorInvalidSubscriptionRequest', FAIL),
  same('ErrorInvalidPullSubscriptionId', FAIL),
  same('ErrorInvalidPushSubscriptionUrl', FAIL),
  same('ErrorSchemaValidation', FAIL),
  same('ErrorInvalidServerVersion', FAIL),
  same('ErrorAccessDenied', FAIL),
  same('ErrorNewEventStreamConnectionOpened', { action: 'retry', gap: 'connectionLost' }),
  same('ErrorServerBusy', RETRY),
  same('ErrorExceededConnectionCount', RETRY),
  same('ErrorExceededSubscriptionCount', { action: 'waitForReleases' }),
  same('ErrorConnectionFailed', RETRY),
  same('ErrorTimeoutExpired', RETRY),
  same('ErrorInternalServerTransientError', RETRY),
  same('ErrorInsufficientResources', RETRY),
  same('ErrorADUnavailable', RETRY),
  same('ErrorNoRespondingCASInDestinationSite', RETRY),
  same('ErrorProxiedSubscriptionCallFailure', RETRY),
  same('ErrorMailboxMoveInProgress', DELAYED),
  same('ErrorMailboxStoreUnavailable', DELAYED),
  same('ErrorMailboxFailover', DELAYED),
  same('ErrorProxyRequestNotAllowed', DELAYED),
  same('ErrorOfAnotherYear', FAIL),
  same('Client', FAIL),
];

const statuses: readonly [status: number, decision: EwsDecision][] = [
  [401, FAIL],
  [403, FAIL],
  [404, FAIL],
  [456, FAIL],
  [408, RETRY],
  [429, RETRY],
  [500, RETRY],
  [502, RETRY],
  [503, RETRY],
  [504, RETRY],
];

describe('decideFailure', () => {
  for (const [code, ...decisions] of table) {
    (['Subscribe', 'GetEvents', 'Unsubscribe'] as const).forEach((operation, index) => {
      const expected = decisions[index]!;
      it(`returns ${expected.action} for ${code} to ${operation}, as error and fault`, () => {
        expect(decideFailure(asError(code), { operation })).to.deep.equal(expected);
        expect(decideFailure(asFault(code), { operation })).to.deep.equal(expected);
        if (operation === 'GetEvents') {
          expect(decideFailure(asError(code), { operation: 'GetStreamingEvents' })).to.deep.equal(expected);
          expect(decideFailure(asError(code), { operation: 'SendNotification' })).to.deep.equal(expected);
        }
      });
    });
  }

  for (const [status, expected] of statuses) {
    it(`returns ${expected.action} for status ${status}`, () => {
      expect(decideFailure(new HttpError(status, request), { operation: 'GetEvents' })).to.deep.equal(
        expected,
      );
    });
  }

  it('returns the delay of an envelope or a header', () => {
    const context: FailureContext = { operation: 'GetEvents' };
    const expected = { action: 'retry', delayMs: 5000 };
    const values = { Policy: 'x', BackOffMilliseconds: '5000' };
    expect(decideFailure(asFault('ErrorServerBusy', values), context)).to.deep.equal(expected);
    expect(decideFailure(asError('ErrorServerBusy', values), context)).to.deep.equal(expected);
    expect(decideFailure(new HttpError(503, request, { retryAfterMs: 5000 }), context)).to.deep.equal(
      expected,
    );
  });

  it('retries without a network', () => {
    expect(decideFailure(new NetworkError('no answer', request), { operation: 'Subscribe' })).to.deep.equal(
      RETRY,
    );
  });

  it('fails on other responses, and on unknown errors', () => {
    const problem = { path: '', expected: 'x', actual: 'y' };
    for (const error of [
      new DecodeError('x', problem),
      new OriginError('a', 'b', 'c'),
      new Error('x'),
      'x',
      undefined,
    ]) {
      expect(decideFailure(error, { operation: 'GetEvents' })).to.deep.equal(FAIL);
    }
  });

  it('re-creates a subscription that worked before and is denied now', () => {
    for (const code of ['ErrorAccessDenied', 'ErrorSubscriptionAccessDenied']) {
      for (const operation of ['GetEvents', 'GetStreamingEvents'] as const) {
        expect(decideFailure(asError(code), { operation, hasResponded: true })).to.deep.equal({
          action: 'resubscribeFromNow',
          gap: 'subscriptionLost',
        });
        expect(decideFailure(asError(code), { operation, hasResponded: false })).to.deep.equal(FAIL);
      }
    }
  });
});

describe('decideUnsubscribe', () => {
  const problem = { path: '', expected: 'x', actual: 'y' };
  const cases: readonly [name: string, error: unknown, decision: string][] = [
    ['ErrorSubscriptionNotFound', asError('ErrorSubscriptionNotFound'), 'alreadyGone'],
    ['ErrorInvalidSubscription', asFault('ErrorInvalidSubscription'), 'alreadyGone'],
    ['ErrorExpiredSubscription', asError('ErrorExpiredSubscription'), 'alreadyGone'],
    ['ErrorServerBusy', asFault('ErrorServerBusy'), 'retry'],
    ['ErrorMailboxMoveInProgress', asError('ErrorMailboxMoveInProgress'), 'retry'],
    ['ErrorReadEventsFailed', asError('ErrorReadEventsFailed'), 'retry'],
    ['no network', new NetworkError('no answer', request), 'retry'],
    ['status 503', new HttpError(503, request), 'retry'],
    ['status 401', new HttpError(401, request), 'fail'],
    ['status 403', new HttpError(403, request), 'fail'],
    ['a page of a proxy', new DecodeError('x', problem), 'retry'],
    ['ErrorAccessDenied', asError('ErrorAccessDenied'), 'fail'],
    ['ErrorMissedNotificationEvents', asError('ErrorMissedNotificationEvents'), 'fail'],
    ['an error that is none of ours', new Error('x'), 'fail'],
  ];
  for (const [name, error, decision] of cases) {
    it(`returns ${decision} for ${name}`, () => {
      expect(decideUnsubscribe(error)).to.equal(decision);
    });
  }
});
