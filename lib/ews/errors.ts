import { describeUrl } from '../core/errors.ts';
import { hintOf } from './hints.ts';

/** The operation that an error is about, and the server that was asked. */
export interface OperationIdentity {
  /** Such as `Subscribe`. */
  readonly operation: string;
  readonly url: string;
}

const LONGEST_TEXT = 200;

/**
 * The server answered with a SOAP fault: it did not come to the operation.
 */
export class SoapFault extends Error {
  readonly _tag = 'SoapFault';
  override readonly name: string = 'SoapFault';
  readonly operation: string;
  /** The EWS code, such as `ErrorServerBusy`; where there is none, SOAP's own, such as `Client`. */
  readonly code: string;
  /** What stands in MessageXml: values by their name, other elements, such as `Violation`, by theirs. */
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
    const code = fault.responseCode ?? fault.faultCode.slice(fault.faultCode.indexOf(':') + 1);
    super(explain(what, `the fault ${code}`, code, fault.message ?? fault.faultString, fault.values));
    this.operation = what.operation;
    this.code = code;
    this.values = fault.values;
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
  /** The ResponseCode, such as `ErrorSubscriptionNotFound`. */
  readonly code: string;
  /** What stands in MessageXml: values by their name, other elements by theirs. */
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
    const { responseCode: code, messageText = '', values } = response;
    super(explain(what, code, code, messageText, values));
    this.operation = what.operation;
    this.code = code;
    this.values = values;
    this.retryAfterMs = backOffMilliseconds(values);
  }
}

/** The wait is found wherever the value stands: its place among the others varies. */
function backOffMilliseconds(values: ReadonlyMap<string, string>): number | undefined {
  const text = values.get('BackOffMilliseconds');
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function explain(
  { operation, url }: OperationIdentity,
  answer: string,
  code: string,
  text: string,
  values: ReadonlyMap<string, string>,
): string {
  const violation = values.get('Violation');
  const hint = hintOf(code);
  return (
    `${operation} at ${describeUrl(url)} was answered ${answer}` +
    (text === '' ? '' : `: ${shorten(text)}`) +
    (violation === undefined ? '' : ` (${shorten(violation)})`) +
    (hint === undefined ? '' : ` What to do: ${hint}`)
  );
}

function shorten(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}
