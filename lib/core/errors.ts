import { describedCause } from './networkCause.ts';
import { codeWord, describeUrl, excerpt } from './text.ts';

/** The most characters of a hint in a message. */
const LONGEST_HINT = 400;

/** The request that an error is about. @inline */
export interface RequestIdentity {
  readonly method: string;
  readonly url: string;
}

/** A class of errors whose texts are bounded and without secrets. */
type OwnError = abstract new (...parts: never[]) => Error;

/**
 * Returns an error of this library as it is; of other errors the {@link describedCause}.
 *
 * An error of this library is an instance of one of its classes: foreign errors can have a `_tag`, too.
 *
 * @param more Classes of this library besides those of this file.
 */
export function asCause(cause: unknown, more: readonly OwnError[] = []): Error | undefined {
  return isOwn(cause, more) ? cause : describedCause(cause);
}

function isOwn(error: unknown, more: readonly OwnError[]): error is Error {
  const own = [NetworkError, HttpError, TokenError, DecodeError, OriginError, ClosedError, ...more];
  return own.some((type) => error instanceof type);
}

function causeOf(cause: unknown): ErrorOptions | undefined {
  const safe = asCause(cause);
  return safe === undefined ? undefined : { cause: safe };
}

function describeRequest({ method, url }: RequestIdentity): string {
  return `${excerpt(method, 20)} ${describeUrl(url)}`;
}

/** The code of a request that got no byte of a response in time. */
export const NO_RESPONSE = 'NO_RESPONSE';

/**
 * There is no response, or it broke off.
 *
 * Such as: name resolution failed, the connection was refused or reset, or the body was cut short.
 *
 * Its `cause` describes the error of the fetch by its name, its code and the facts about the connection. The
 * text of that error is withheld, because it can quote the request.
 */
export class NetworkError extends Error {
  readonly _tag = 'NetworkError';
  override readonly name: string = 'NetworkError';
  /** The error code of the connection, such as `ECONNRESET`, if the platform has one. */
  readonly code: string | undefined;
  /** Whether the request was not sent, so that any method may be retried. */
  readonly isUnsent: boolean;

  constructor(
    what: string,
    request: RequestIdentity,
    options: {
      readonly cause?: unknown;
      readonly code?: string | undefined;
      /** @default false */
      readonly isUnsent?: boolean;
    } = {},
  ) {
    const code = codeWord(options.code);
    super(
      `${excerpt(what)}: ${describeRequest(request)}${code === undefined ? '' : ` (${code})`}`,
      causeOf(options.cause),
    );
    this.code = code;
    this.isUnsent = options.isUnsent === true;
  }
}

/** The server responded with a status that means failure. */
export class HttpError extends Error {
  readonly _tag = 'HttpError';
  override readonly name: string = 'HttpError';
  readonly status: number;
  /**
   * The server's own code, such as UCWA's `NotFound`; undefined if that is not a word of at most 64
   * characters.
   */
  readonly code: string | undefined;
  /** The server's own finer code, such as UCWA's `ApplicationNotFound`. */
  readonly subcode: string | undefined;
  /** The wait of `Retry-After`, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    status: number,
    request: RequestIdentity,
    options: {
      readonly code?: string | undefined;
      readonly subcode?: string | undefined;
      readonly retryAfterMs?: number | undefined;
      /** Advice for the caller: one sentence. */
      readonly hint?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    const code = codeWord(options.code);
    const subcode = codeWord(options.subcode);
    const codes = [code, subcode].filter((one) => one !== undefined).join('/');
    super(
      `${describeRequest(request)} was answered ${status}` +
        (codes === '' ? '' : ` ${codes}`) +
        (options.hint === undefined ? '' : `: ${excerpt(options.hint, LONGEST_HINT)}`),
      causeOf(options.cause),
    );
    this.status = status;
    this.code = code;
    this.subcode = subcode;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * A message of the server does not follow its protocol.
 *
 * Each of its texts has at most 200 characters, all of them printable.
 */
export class DecodeError extends Error {
  readonly _tag = 'DecodeError';
  override readonly name: string = 'DecodeError';
  /** The path in the message, such as `/sender/0/events/2/link/href`. */
  readonly path: string;
  /** The expected value. */
  readonly expected: string;
  /** A description of the actual value, shortened and without secrets. */
  readonly actual: string;

  constructor(
    subject: string,
    problem: { readonly path: string; readonly expected: string; readonly actual: string },
    options: { readonly cause?: unknown } = {},
  ) {
    const path = excerpt(problem.path);
    const expected = excerpt(problem.expected);
    const actual = excerpt(problem.actual);
    super(
      `${excerpt(subject)}: expected ${expected} at ${path === '' ? 'the root' : path}, but there is ${actual}`,
      causeOf(options.cause),
    );
    this.path = path;
    this.expected = expected;
    this.actual = actual;
  }
}

/**
 * A request was not sent, because its URL is unsafe or of another origin.
 *
 * Credentials belong to one origin, and no link or redirect of a server leads elsewhere.
 */
export class OriginError extends Error {
  readonly _tag = 'OriginError';
  override readonly name: string = 'OriginError';
  /** The allowed origin; undefined if the URL itself is unsafe. */
  readonly allowed: string | undefined;
  /** The origin of the request. */
  readonly refused: string;

  constructor(allowedOrigin: string | undefined, refusedOrigin: string, link: string) {
    const allowed = allowedOrigin === undefined ? undefined : excerpt(allowedOrigin);
    const refused = excerpt(refusedOrigin);
    const what = excerpt(link);
    super(
      allowed === undefined
        ? `${what} leads to ${refused}, to which requests are never sent: it must be http or https, without ` +
            `user name and password, and its host a DNS name or an address. Check the URL.`
        : `${what} leads to ${refused}, but this connection is for ${allowed} only: nothing was sent there. ` +
            `If both are yours, connect to ${refused} on its own.`,
    );
    this.allowed = allowed;
    this.refused = refused;
  }
}

/**
 * The token provider failed with an `HttpError`. It is not the response of the server that needs the token.
 *
 * Its cause is that `HttpError`. A transient one, such as 503, is not wrapped.
 */
export class TokenError extends Error {
  readonly _tag = 'TokenError';
  override readonly name: string = 'TokenError';

  constructor(origin: string, cause: HttpError) {
    const what = `the token provider has failed for ${excerpt(origin)}`;
    super(`${what}, because a request of its own was answered ${cause.status}. Correct the provider.`, {
      cause,
    });
  }
}

/** The connection is closed: its streams cannot be subscribed to. */
export class ClosedError extends Error {
  readonly _tag = 'ClosedError';
  override readonly name: string = 'ClosedError';

  constructor(what: string) {
    super(`${excerpt(what)} cannot be subscribed to: its connection is closed. Create another.`);
  }
}
