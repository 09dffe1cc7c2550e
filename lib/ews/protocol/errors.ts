import { asCause, NetworkError } from '../../core/errors.ts';
import { codeWord, describeUrl, excerpt, prose } from '../../core/text.ts';

const HINTS: ReadonlyMap<string, string> = new Map([
  [
    'ErrorExceededSubscriptionCount',
    'the account has as many subscriptions as the server allows: release some, or wait until old ones expire.',
  ],
  [
    'ErrorExceededConnectionCount',
    'the account has as many open requests as the server allows: use fewer at a time.',
  ],
  ['ErrorAccessDenied', 'check the rights of the account on the mailbox, and its right to impersonate.'],
  [
    'ErrorImpersonateUserDenied',
    'the account may not impersonate this user: grant ApplicationImpersonation.',
  ],
  [
    'ErrorSubscriptionDelegateAccessNotSupported',
    'subscribe as the mailbox owner, or impersonate them: delegates cannot subscribe.',
  ],
  [
    'ErrorSubscriptionAccessDenied',
    'only the account that created a subscription may use it: check the account.',
  ],
  ['ErrorInvalidServerVersion', 'give the option version a lower value.'],
  ['ErrorInvalidSubscriptionRequest', 'name either folders, all in one mailbox, or allFolders.'],
  ['ErrorInvalidWatermark', 'the server does not know this watermark: subscribe without one.'],
  [
    'ErrorInvalidPushSubscriptionUrl',
    'the server cannot post to callbackUrl: check the address, and that the server reaches it and trusts its certificate.',
  ],
  ['ErrorFolderNotFound', 'the folder does not exist: check the option folders.'],
  ['ErrorNonExistentMailbox', 'there is no such mailbox: check impersonate, or the mailbox of the folders.'],
]);

const STATUS_HINTS: ReadonlyMap<number, string> = new Map([
  [401, 'the sign-in was refused: check the token, or user name and password.'],
  [403, 'the account may not use EWS here: ask its administrator.'],
  [404, 'there is no EWS here: its URL usually ends with /EWS/Exchange.asmx.'],
  [405, 'there is no EWS here: its URL usually ends with /EWS/Exchange.asmx.'],
  [407, 'a proxy requires its own sign-in.'],
  [456, 'the account is locked: sign in to it with a browser, or ask its administrator.'],
]);

/** Returns advice for an HTTP status: one sentence. */
export function statusAdviceFor(status: number): string | undefined {
  return STATUS_HINTS.get(status);
}

/** The length of the attempts in the message: redirects can cause dozens of them. */
const MAX_ATTEMPTS_LENGTH = 1600;
const MAX_REASON_LENGTH = 300;

/**
 * Autodiscover has not found the web services of a domain.
 *
 * `tried` has the result of each request; the message has as many as fit in 1,600 characters. A cause that is
 * not an error of this library is described without its text.
 */
export class AutodiscoverError extends Error {
  readonly _tag = 'AutodiscoverError';
  override readonly name: string = 'AutodiscoverError';
  /** The domain of the address. */
  readonly domain: string;
  /** The requests and their results, in order. */
  readonly tried: readonly AutodiscoverAttempt[];
  /** Whether no server could be reached, perhaps because there is no network. */
  readonly isUnreachable: boolean;

  constructor(domain: string, attempted: readonly AutodiscoverAttempt[]) {
    const tried = attempted.map(({ format, host, reason, cause }): AutodiscoverAttempt => {
      const described = asCause(cause);
      return {
        format,
        host: excerpt(host),
        reason: excerpt(reason, MAX_REASON_LENGTH),
        ...(described === undefined ? {} : { cause: described }),
      };
    });
    const attempts = tried.map(
      ({ format, host, reason }, index) =>
        `${index + 1}. ${host} (${format === 'json' ? 'JSON' : 'XML'}) ${reason}`,
    );
    super(
      `no web services were found for ${excerpt(domain)}: ${excerpt(attempts.join('; '), MAX_ATTEMPTS_LENGTH)}. ` +
        'Give connectExchange() the URL as server, or allow the host that is not allowed with allowRedirectTo.',
      { cause: tried.findLast(({ cause }) => cause !== undefined)?.cause },
    );
    this.domain = domain;
    this.tried = tried;
    this.isUnreachable = tried.every(({ cause }) => cause instanceof NetworkError);
  }
}

/** An operation, and the server that it was sent to. @inline */
export interface OperationIdentity {
  /** Such as `Subscribe`. */
  readonly operation: string;
  readonly url: string;
}

/** The number of values in an error; servers send three. */
const MAX_VALUES = 20;

/** The server has sent a SOAP fault: it did not start the operation. */
export class SoapFault extends Error {
  readonly _tag = 'SoapFault';
  override readonly name: string = 'SoapFault';
  readonly operation: string;
  /**
   * The EWS code, such as `ErrorServerBusy`, or the SOAP code, such as `Client`; empty if there is neither.
   */
  readonly code: string;
  /**
   * The first values and elements of MessageXml, such as `Violation`, by name. Each has at most 200
   * characters, and no queries of URLs.
   */
  readonly values: ReadonlyMap<string, string>;
  /** How long to wait, as the server says, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    what: OperationIdentity,
    fault: {
      readonly faultCode: string;
      readonly faultString: string;
      readonly responseCode?: string;
      readonly message?: string;
      readonly values: ReadonlyMap<string, string>;
    },
  ) {
    const soapCode = fault.faultCode.slice(fault.faultCode.indexOf(':') + 1);
    const code = codeWord(fault.responseCode) ?? codeWord(soapCode) ?? '';
    super(explain(what, 'the fault', code, fault.message ?? fault.faultString, fault.values));
    this.operation = what.operation;
    this.code = code;
    this.values = bounded(fault.values);
    this.retryAfterMs = backOffMilliseconds(fault.values);
  }
}

/** The operation failed: the response message has `ResponseClass="Error"`. */
export class EwsError extends Error {
  readonly _tag = 'EwsError';
  override readonly name: string = 'EwsError';
  readonly operation: string;
  /** The ResponseCode, such as `ErrorSubscriptionNotFound`; empty if the server gave none. */
  readonly code: string;
  /**
   * The first values and elements of MessageXml, by name: at most 200 characters each, without queries of
   * URLs.
   */
  readonly values: ReadonlyMap<string, string>;
  /** How long to wait, as the server says, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    what: OperationIdentity,
    response: {
      readonly responseCode: string;
      readonly messageText?: string;
      readonly values: ReadonlyMap<string, string>;
    },
  ) {
    const { responseCode, messageText = '', values } = response;
    const code = codeWord(responseCode) ?? '';
    super(explain(what, '', code, messageText, values));
    this.operation = what.operation;
    this.code = code;
    this.values = bounded(values);
    this.retryAfterMs = backOffMilliseconds(values);
  }
}

function backOffMilliseconds(values: ReadonlyMap<string, string>): number | undefined {
  const text = values.get('BackOffMilliseconds');
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The server can send any number of names and texts, of any length. */
function bounded(values: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  for (const [name, value] of values) {
    if (result.size === MAX_VALUES) break;
    if (codeWord(name) !== undefined) result.set(name, prose(value));
  }
  return result;
}

function explain(
  { operation, url }: OperationIdentity,
  prefix: string,
  code: string,
  text: string,
  values: ReadonlyMap<string, string>,
): string {
  const refusal = [prefix, code].filter((word) => word !== '').join(' ');
  const violation = values.get('Violation');
  const hint = HINTS.get(code);
  return (
    `${operation} at ${describeUrl(url)} was answered ${refusal === '' ? 'an error without a code' : refusal}` +
    (text === '' ? '' : `: ${prose(text)}`) +
    (violation === undefined ? '' : ` (${prose(violation)})`) +
    (hint === undefined ? '' : ` What to do: ${hint}`)
  );
}

/** All streaming connections are full, so that another subscription does not fit. */
export class ConnectionsFullError extends Error {
  readonly _tag = 'ConnectionsFullError';
  override readonly name: string = 'ConnectionsFullError';
  /** How many streaming connections may be open. */
  readonly maxConnections: number;

  constructor(url: string, maxConnections: number, perConnection: number) {
    super(
      `The ${maxConnections} connections to ${describeUrl(url)} have ${perConnection} streaming subscriptions ` +
        'each, which is the limit. What to do: raise streaming.maxConnections, if the server allows it, ' +
        'or watch several folders with one subscription.',
    );
    this.maxConnections = maxConnections;
  }
}

/** An Autodiscover request that did not find the URL. @inline */
export interface AutodiscoverAttempt {
  /** The endpoint that was queried: the one for JSON, or the one for XML. */
  readonly format: 'json' | 'pox';
  /** The server, such as `autodiscover.contoso.com`. */
  readonly host: string;
  /** The result, in words. */
  readonly reason: string;
  /** The error, if there was one. */
  readonly cause?: unknown;
}

/** The two endpoints of Autodiscover. */
export type AutodiscoverFormat = AutodiscoverAttempt['format'];
