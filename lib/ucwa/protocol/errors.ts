import { HttpError, asCause, NetworkError, type RequestIdentity } from '../../core/errors.ts';
import { httpUrl } from '../../core/httpUrl.ts';
import { beforeQuery, codeWord, describeUrl, excerpt } from '../../core/text.ts';

/** A link or redirect leads to a host that must not receive requests. */
export class UntrustedLinkError extends Error {
  readonly _tag = 'UntrustedLinkError';
  override readonly name: string = 'UntrustedLinkError';
  /** The target of the link, without query. */
  readonly refused: string;

  constructor(link: string, refusedUrl: string, why: string) {
    const refused = excerpt(refusedUrl, 300);
    super(`${excerpt(link, 400)} leads to ${refused}, ${why}: nothing was sent there`);
    this.refused = refused;
  }
}

/** The server ended a subscription before the subscriber left, and `onLost` is `error`. */
export class EndedError extends Error {
  readonly _tag = 'EndedError';
  override readonly name: string = 'EndedError';
  /** The path of the subscription on the server, without query: at most 300 characters. */
  readonly href: string;

  constructor(resource: string, self: string, how: string) {
    const href = excerpt(beforeQuery(self), 300);
    super(`the ${resource} ${href} was ended: ${how}. Subscribe again for a new one.`);
    this.href = href;
  }
}

/** The meaning of each documented error code, and a remedy. [AuthenticationInUCWA, Error conditions] */
const HINTS: Readonly<Record<string, string>> = {
  invalid_request: 'the server does not understand the request',
  invalid_grant: 'the credentials could not be verified; check them',
  unsupported_grant_type: 'the server does not accept this way to sign in',
  invalid_scope: 'the server does not know the scope',
  server_error: 'the server failed; try again later',
};

/** In characters. */
const LONGEST_HINT = 400;
/** In characters. The user needs the whole URL, so a longer one is dropped instead of shortened. */
const LONGEST_PAGE_URL = 2000;

/** The server refused to sign the user in, or offers no way to. */
export class SignInError extends Error {
  readonly _tag = 'SignInError';
  override readonly name: string = 'SignInError';
  /** The error code of the token endpoint, such as `invalid_grant`; undefined if it sent none. */
  readonly code: string | undefined;
  /** The HTTP status of the refusal. */
  readonly status: number;
  /** The page on which the user can sign in (`ms_rtc_passiveauthuri`), at most 2,000 characters. */
  readonly passiveAuthUrl: string | undefined;

  constructor(
    url: string,
    status: number,
    options: {
      readonly code?: string | undefined;
      readonly passiveAuthUrl?: string | undefined;
      /** A remedy. @default the one for the code */
      readonly hint?: string | undefined;
      /** The grant types that the server accepts. */
      readonly grantTypes?: readonly string[] | undefined;
    } = {},
  ) {
    const { grantTypes = [] } = options;
    const code = codeWord(options.code);
    const passiveAuthUrl = pageUrl(options.passiveAuthUrl);
    const hint = options.hint ?? hintFor(code);
    super(
      [
        `signing in at ${describeUrl(url)} was answered ${status}${code === undefined ? '' : ` ${code}`}`,
        ...(hint === undefined ? [] : [excerpt(hint, LONGEST_HINT)]),
        ...(code === 'unsupported_grant_type' && grantTypes.length > 0
          ? [`it accepts ${excerpt(grantTypes.join(', '))}`]
          : []),
        ...(passiveAuthUrl === undefined ? [] : [`the user can sign in at ${describeUrl(passiveAuthUrl)}`]),
      ].join(': '),
    );
    this.code = code;
    this.status = status;
    this.passiveAuthUrl = passiveAuthUrl;
  }
}

function hintFor(code: string | undefined): string | undefined {
  // The server chooses the code: every object has a `constructor`.
  return code !== undefined && Object.hasOwn(HINTS, code) ? HINTS[code] : undefined;
}

/** Returns a URL that a browser can open; undefined if the text is none, or too long. */
function pageUrl(text: string | undefined): string | undefined {
  const url = text === undefined ? undefined : httpUrl(text)?.href;
  return url !== undefined && url.length <= LONGEST_PAGE_URL ? url : undefined;
}

/**
 * Creates the error for an unexpected response during sign-in.
 *
 * A permanent failure is no {@link HttpError}: a 404 here says nothing about the resource that needs the
 * token.
 */
export function notSignedIn(
  status: number,
  request: RequestIdentity,
  options: { readonly retryAfterMs?: number | undefined; readonly hint: string },
): Error {
  const isTransient = status === 408 || status === 429 || status >= 500;
  return isTransient
    ? new HttpError(status, request, options)
    : new SignInError(request.url, status, { hint: options.hint });
}

/** A URL at which discovery failed. @inline */
export interface DiscoveryFailure {
  /** The URL; in an error without query and fragment. */
  readonly url: string;
  /** The error; in an error of discovery without the text of foreign errors. */
  readonly cause: unknown;
}

/** In characters: about all hosts, and about each. */
const LONGEST_ACCOUNT = 1600;
const LONGEST_SUMMARY = 400;

/** The errors of discovery besides those of the core. */
const OWN = [SignInError, UntrustedLinkError];

/** No host of a domain led to UCWA. */
export class DiscoveryError extends Error {
  readonly _tag = 'DiscoveryError';
  override readonly name: string = 'DiscoveryError';
  readonly domain: string;
  /** The attempts in order. The last one is the `cause` as well. */
  readonly failures: readonly DiscoveryFailure[];
  /** Whether a later attempt may succeed: every failure was transient. */
  readonly isTransient: boolean;

  constructor(domain: string, failed: readonly DiscoveryFailure[]) {
    const failures = failed.map(({ url, cause }) => ({
      url: describeUrl(url),
      cause: asCause(cause, OWN),
    }));
    const summaries = failures.map(({ url, cause }) => `${url}: ${summaryOf(cause)}`);
    const account = excerpt(summaries.join('; '), LONGEST_ACCOUNT);
    super(`no UCWA server was found for ${excerpt(domain)}; check the name and the network. ${account}`, {
      cause: failures.at(-1)?.cause,
    });
    this.domain = domain;
    this.failures = failures;
    this.isTransient = failures.every(({ cause }) => mayPass(cause));
  }
}

const TRANSIENT_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

function mayPass(error: unknown): boolean {
  return (
    error instanceof NetworkError || (error instanceof HttpError && TRANSIENT_STATUSES.has(error.status))
  );
}

/** Returns the message of an error of this library, and the name of any other. */
function summaryOf(cause: Error | undefined): string {
  if (cause === undefined) return 'an unknown error';
  return '_tag' in cause ? excerpt(cause.message, LONGEST_SUMMARY) : cause.name;
}
