import { keptCause, NetworkError } from '../../core/errors.ts';
import { codeWord, describeUrl, excerpt, prose } from '../../core/text.ts';

const HINTS: ReadonlyMap<string, string> = new Map([
  [
    'ErrorExceededSubscriptionCount',
    'the account holds as many subscriptions as the server allows: release some, or wait until forgotten ones expire.',
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
  ['ErrorSubscriptionAccessDenied', 'only who made a subscription may use it: check the account.'],
  ['ErrorInvalidServerVersion', 'give the option version a lower value.'],
  ['ErrorInvalidSubscriptionRequest', 'name either folders, all in one mailbox, or allFolders.'],
  ['ErrorInvalidWatermark', 'the server does not know this watermark (any more): subscribe without one.'],
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
  [407, 'a proxy wants a sign-in of its own.'],
  [456, 'the account is locked: sign in to it with a browser, or ask its administrator.'],
]);

/** What the caller can do about an EWS code, one sentence. */
function adviceFor(code: string): string | undefined {
  return HINTS.get(code);
}

/** What the caller can do about an HTTP status, one sentence. */
export function statusAdviceFor(status: number): string | undefined {
  return STATUS_HINTS.get(status);
}

/** How many characters the message says about the attempts: redirects can make dozens of them. */
const LONGEST_ACCOUNT = 1600;
/** How many characters a reason has at most. */
const LONGEST_REASON = 300;

/**
 * No server of the domain said where the web services are.
 *
 * `tried` has each server that was asked, and what it came to; the message has as many as fit in 1,600 characters.
 * A cause that is not an error of this library is described without its text.
 */
export class AutodiscoverError extends Error {
  readonly _tag = 'AutodiscoverError';
  override readonly name: string = 'AutodiscoverError';
  /** The domain of the address. */
  readonly domain: string;
  /** What was tried, in order. */
  readonly tried: readonly AutodiscoverAttempt[];
  /** Whether none of the servers could be reached: there may be no network just now. */
  readonly isUnreachable: boolean;

  constructor(domain: string, attempted: readonly AutodiscoverAttempt[]) {
    const tried = attempted.map(({ kind, host, reason, cause }): AutodiscoverAttempt => {
      const kept = keptCause(cause);
      return {
        kind,
        host: excerpt(host),
        reason: excerpt(reason, LONGEST_REASON),
        ...(kept === undefined ? {} : { cause: kept }),
      };
    });
    const attempts = tried.map(
      ({ kind, host, reason }, index) =>
        `${index + 1}. ${host} (${kind === 'json' ? 'JSON' : 'XML'}) ${reason}`,
    );
    super(
      `no web services were found for ${excerpt(domain)}: ${excerpt(attempts.join('; '), LONGEST_ACCOUNT)}. ` +
        'Give connectExchange() the URL as server, or allow the host that is not allowed with allowRedirectTo.',
      { cause: tried.findLast(({ cause }) => cause !== undefined)?.cause },
    );
    this.domain = domain;
    this.tried = tried;
    this.isUnreachable = tried.every(({ cause }) => cause instanceof NetworkError);
  }
}

/** The operation that an error is about, and the server that was asked. */
export interface OperationIdentity {
  /** Such as `Subscribe`. */
  readonly operation: string;
  readonly url: string;
}

/** How many values of a MessageXml are kept; servers send three. */
const MOST_VALUES = 20;

/**
 * The server answered with a SOAP fault: it did not come to the operation.
 */
export class SoapFault extends Error {
  readonly _tag = 'SoapFault';
  override readonly name: string = 'SoapFault';
  readonly operation: string;
  /** The EWS code, such as `ErrorServerBusy`; if there is none, SOAP's own, such as `Client`; if none either, empty. */
  readonly code: string;
  /** The first values of MessageXml, by name, and other elements, such as `Violation`: at most 200 characters each, without the queries of URLs. */
  readonly values: ReadonlyMap<string, string>;
  /** How long the server asks to wait, in milliseconds. */
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

/**
 * The server came to the operation and answered that it failed: `ResponseClass="Error"`.
 */
export class EwsError extends Error {
  readonly _tag = 'EwsError';
  override readonly name: string = 'EwsError';
  readonly operation: string;
  /** The ResponseCode, such as `ErrorSubscriptionNotFound`; empty if the server gave none. */
  readonly code: string;
  /** The first values of MessageXml, by name, and other elements: at most 200 characters each, without the queries of URLs. */
  readonly values: ReadonlyMap<string, string>;
  /** How long the server asks to wait, in milliseconds. */
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

/** The wait is found wherever the value stands: its place among the others varies. */
function backOffMilliseconds(values: ReadonlyMap<string, string>): number | undefined {
  const text = values.get('BackOffMilliseconds');
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The names and texts are the server's: of any number, and of any length. */
function bounded(values: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const kept = new Map<string, string>();
  for (const [name, value] of values) {
    if (kept.size === MOST_VALUES) break;
    if (codeWord(name) !== undefined) kept.set(name, prose(value));
  }
  return kept;
}

function explain(
  { operation, url }: OperationIdentity,
  kind: string,
  code: string,
  text: string,
  values: ReadonlyMap<string, string>,
): string {
  const answer = [kind, code].filter((word) => word !== '').join(' ');
  const violation = values.get('Violation');
  const hint = adviceFor(code);
  return (
    `${operation} at ${describeUrl(url)} was answered ${answer === '' ? 'an error without a code' : answer}` +
    (text === '' ? '' : `: ${prose(text)}`) +
    (violation === undefined ? '' : ` (${prose(violation)})`) +
    (hint === undefined ? '' : ` What to do: ${hint}`)
  );
}

/**
 * All connections that a service may have for streaming are full: this subscription has no place on any.
 */
export class ConnectionsFullError extends Error {
  readonly _tag = 'ConnectionsFullError';
  override readonly name: string = 'ConnectionsFullError';
  /** How many connections the service may have. */
  readonly maxConnections: number;

  constructor(url: string, maxConnections: number, perConnection: number) {
    super(
      `The ${maxConnections} connections to ${describeUrl(url)} have ${perConnection} streaming subscriptions ` +
        'each, which is all that they can have. What to do: allow more of them with streaming.maxConnections, ' +
        'if the server does, or watch several folders with one subscription.',
    );
    this.maxConnections = maxConnections;
  }
}

/** How an Autodiscover server is asked: the JSON endpoint, or with XML. */
export type AutodiscoverKind = 'json' | 'pox';

/** A step that did not bring the URL. */
export interface AutodiscoverAttempt {
  readonly kind: AutodiscoverKind;
  /** The server that was asked, such as `autodiscover.contoso.com`. */
  readonly host: string;
  /** What it came to, in words. */
  readonly reason: string;
  /** The error behind it, where there was one. */
  readonly cause?: unknown;
}
