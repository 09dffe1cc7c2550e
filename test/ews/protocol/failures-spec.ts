import { expect } from 'chai';
import { DecodeError, HttpError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import {
  decide,
  decideUnsubscribe,
  type EwsDecision,
  type ErrorContext,
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
const BACK_OFF: EwsDecision = { action: 'backOff' };
const LOST: EwsDecision = { action: 'resubscribe', gap: 'subscriptionLost', gone: true };
const MOVED: EwsDecision = { action: 'resubscribeLater', gap: 'mailboxMoved' };
const GONE: EwsDecision = { action: 'alreadyGone' };

/** A row of the table: a code, and what is done about it as the answer to each operation; GetEvents counts for streams and pushes. */
type Row = readonly [code: string, subscribe: EwsDecision, getEvents: EwsDecision, unsubscribe: EwsDecision];
const same = (code: string, decision: EwsDecision): Row => [code, decision, decision, decision];
const AFRESH: EwsDecision = { action: 'resubscribeAfresh', gap: 'subscriptionLost', gone: true };

const table: readonly Row[] = [
  ['ErrorSubscriptionNotFound', FAIL, LOST, GONE],
  ['ErrorExpiredSubscription', FAIL, LOST, GONE],
  ['ErrorInvalidSubscription', FAIL, LOST, GONE],
  ['ErrorSubscriptionUnsubscribed', FAIL, AFRESH, GONE],
  same('ErrorReadEventsFailed', { action: 'resubscribe', gap: 'subscriptionLost' }),
  same('ErrorInvalidWatermark', { action: 'resubscribeAfresh', gap: 'watermarkRefused' }),
  same('ErrorMissedNotificationEvents', { action: 'goOn', gap: 'eventsMissed' }),
  same('ErrorSubscriptionAccessDenied', FAIL),
  same('ErrorSubscriptionDelegateAccessNotSupported', FAIL),
  same('ErrorInvalidSubscriptionRequest', FAIL),
  same('ErrorInvalidPullSubscriptionId', FAIL),
  same('ErrorInvalidPushSubscriptionUrl', FAIL),
  same('ErrorSchemaValidation', FAIL),
  same('ErrorInvalidServerVersion', FAIL),
  same('ErrorAccessDenied', FAIL),
  same('ErrorNewEventStreamConnectionOpened', { action: 'backOff', gap: 'connectionLost' }),
  same('ErrorServerBusy', BACK_OFF),
  same('ErrorExceededConnectionCount', BACK_OFF),
  same('ErrorExceededSubscriptionCount', { action: 'afterReleases' }),
  same('ErrorConnectionFailed', BACK_OFF),
  same('ErrorTimeoutExpired', BACK_OFF),
  same('ErrorInternalServerTransientError', BACK_OFF),
  same('ErrorInsufficientResources', BACK_OFF),
  same('ErrorADUnavailable', BACK_OFF),
  same('ErrorNoRespondingCASInDestinationSite', BACK_OFF),
  same('ErrorProxiedSubscriptionCallFailure', BACK_OFF),
  same('ErrorMailboxMoveInProgress', MOVED),
  same('ErrorMailboxStoreUnavailable', MOVED),
  same('ErrorMailboxFailover', MOVED),
  same('ErrorProxyRequestNotAllowed', MOVED),
  same('ErrorOfAnotherYear', FAIL),
  same('Client', FAIL),
];

const statuses: readonly [status: number, decision: EwsDecision][] = [
  [401, FAIL],
  [403, FAIL],
  [404, FAIL],
  [456, FAIL],
  [408, BACK_OFF],
  [429, BACK_OFF],
  [500, BACK_OFF],
  [502, BACK_OFF],
  [503, BACK_OFF],
  [504, BACK_OFF],
];

describe('The decision about an error', () => {
  for (const [code, ...decisions] of table) {
    (['Subscribe', 'GetEvents', 'Unsubscribe'] as const).forEach((operation, index) => {
      const expected = decisions[index]!;
      it(`should be ${expected.action} for ${code} to ${operation}, as an error and as a fault`, () => {
        expect(decide(asError(code), { operation })).to.deep.equal(expected);
        expect(decide(asFault(code), { operation })).to.deep.equal(expected);
        if (operation === 'GetEvents') {
          expect(decide(asError(code), { operation: 'GetStreamingEvents' })).to.deep.equal(expected);
          expect(decide(asError(code), { operation: 'SendNotification' })).to.deep.equal(expected);
        }
      });
    });
  }

  for (const [status, expected] of statuses) {
    it(`should be ${expected.action} for status ${status}`, () => {
      expect(decide(new HttpError(status, request), { operation: 'GetEvents' })).to.deep.equal(expected);
    });
  }

  it('should wait as long as the server asks, in an envelope or in a header', () => {
    const context: ErrorContext = { operation: 'GetEvents' };
    const expected = { action: 'backOff', delayMs: 5000 };
    const values = { Policy: 'x', BackOffMilliseconds: '5000' };
    expect(decide(asFault('ErrorServerBusy', values), context)).to.deep.equal(expected);
    expect(decide(asError('ErrorServerBusy', values), context)).to.deep.equal(expected);
    expect(decide(new HttpError(503, request, { retryAfterMs: 5000 }), context)).to.deep.equal(expected);
  });

  it('should back off where there is no network', () => {
    expect(decide(new NetworkError('no answer', request), { operation: 'Subscribe' })).to.deep.equal(
      BACK_OFF,
    );
  });

  it('should fail on what is no answer of this protocol, and on what is no error of this library', () => {
    const problem = { path: '', expected: 'x', actual: 'y' };
    for (const error of [
      new DecodeError('x', problem),
      new OriginError('a', 'b', 'c'),
      new Error('x'),
      'x',
      undefined,
    ]) {
      expect(decide(error, { operation: 'GetEvents' })).to.deep.equal(FAIL);
    }
  });

  it('should take a subscription that answered before and is denied now for another one with its id', () => {
    for (const code of ['ErrorAccessDenied', 'ErrorSubscriptionAccessDenied']) {
      for (const operation of ['GetEvents', 'GetStreamingEvents'] as const) {
        expect(decide(asError(code), { operation, hasAnswered: true })).to.deep.equal({
          action: 'resubscribeAfresh',
          gap: 'subscriptionLost',
        });
        expect(decide(asError(code), { operation, hasAnswered: false })).to.deep.equal(FAIL);
      }
    }
  });
});

describe('The decision about an Unsubscribe that failed', () => {
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
    it(`should be ${decision} for ${name}`, () => {
      expect(decideUnsubscribe(error)).to.equal(decision);
    });
  }
});
