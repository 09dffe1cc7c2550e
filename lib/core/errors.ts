/** A URL as it may stand in a message: without credentials, query or fragment, where secrets can be. */
export function describeUrl(url: string): string {
  try {
    const { origin, host, protocol, pathname } = new URL(url);
    return `${origin === 'null' ? `${protocol}//${host}` : origin}${pathname}`;
  } catch {
    return 'an invalid URL';
  }
}

/** What is known of the request that an error is about. */
export interface RequestIdentity {
  readonly method: string;
  readonly url: string;
}

/**
 * There was no answer, or it broke off: name resolution, connection refused or reset, a body cut short.
 */
export class NetworkError extends Error {
  readonly _tag = 'NetworkError';
  override readonly name: string = 'NetworkError';
  /** The connection's own error code, such as `ECONNRESET`, where the platform tells one. */
  readonly code: string | undefined;

  constructor(
    what: string,
    request: RequestIdentity,
    options: { readonly cause?: unknown; readonly code?: string | undefined } = {},
  ) {
    super(
      `${what}: ${request.method} ${describeUrl(request.url)}${options.code === undefined ? '' : ` (${options.code})`}`,
      { cause: options.cause },
    );
    this.code = options.code;
  }
}

/** The server answered, with a status that means failure. */
export class HttpError extends Error {
  readonly _tag = 'HttpError';
  override readonly name: string = 'HttpError';
  readonly status: number;
  /** The server's own code, such as UCWA's `NotFound`. */
  readonly code: string | undefined;
  /** The server's own finer code, such as UCWA's `ApplicationNotFound`. */
  readonly subcode: string | undefined;
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    status: number,
    request: RequestIdentity,
    options: {
      readonly code?: string | undefined;
      readonly subcode?: string | undefined;
      readonly retryAfterMs?: number | undefined;
      /** What the caller can do, one sentence. */
      readonly hint?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    const codes = [options.code, options.subcode].filter((code) => code !== undefined).join('/');
    super(
      `${request.method} ${describeUrl(request.url)} was answered ${status}` +
        (codes === '' ? '' : ` ${codes}`) +
        (options.hint === undefined ? '' : `: ${options.hint}`),
      { cause: options.cause },
    );
    this.status = status;
    this.code = options.code;
    this.subcode = options.subcode;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** What came from the server is not what its protocol says. */
export class DecodeError extends Error {
  readonly _tag = 'DecodeError';
  override readonly name: string = 'DecodeError';
  /** Where in the message, such as `/sender/0/events/2/link/href`. */
  readonly path: string;
  /** What should have been there. */
  readonly expected: string;
  /** What was there, shortened and without secrets. */
  readonly actual: string;

  constructor(
    subject: string,
    problem: { readonly path: string; readonly expected: string; readonly actual: string },
    options: { readonly cause?: unknown } = {},
  ) {
    super(
      `${subject}: expected ${problem.expected} at ${problem.path === '' ? 'the root' : problem.path}, but there is ${problem.actual}`,
      options,
    );
    this.path = problem.path;
    this.expected = problem.expected;
    this.actual = problem.actual;
  }
}

/** A link or a redirect leads to another origin than the one that the credentials are for. */
export class OriginError extends Error {
  readonly _tag = 'OriginError';
  override readonly name: string = 'OriginError';
  /** The origin that was allowed. */
  readonly allowed: string;
  /** The origin that was asked for. */
  readonly refused: string;

  constructor(allowed: string, refused: string, what: string) {
    super(
      `${what} leads to ${refused}, but this connection is for ${allowed} only: nothing was sent there. ` +
        `If both are yours, connect to ${refused} on its own.`,
    );
    this.allowed = allowed;
    this.refused = refused;
  }
}

/** The connection was closed by its owner: nothing new can be subscribed to on it. */
export class ClosedError extends Error {
  readonly _tag = 'ClosedError';
  override readonly name: string = 'ClosedError';

  constructor(what: string) {
    super(`${what} cannot be subscribed to: its connection was closed. Make a new one.`);
  }
}
