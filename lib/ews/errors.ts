import { codeWord, describeUrl, prose } from '../core/text.ts';
import { hintOf } from './hints.ts';

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
  const hint = hintOf(code);
  return (
    `${operation} at ${describeUrl(url)} was answered ${answer === '' ? 'an error without a code' : answer}` +
    (text === '' ? '' : `: ${prose(text)}`) +
    (violation === undefined ? '' : ` (${prose(violation)})`) +
    (hint === undefined ? '' : ` What to do: ${hint}`)
  );
}
