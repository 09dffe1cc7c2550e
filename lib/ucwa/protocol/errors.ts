import { HttpError, keptCause, NetworkError, type RequestIdentity } from '../../core/errors.ts';
import { httpUrl } from '../../core/httpUrl.ts';
import { beforeQuery, codeWord, describeUrl, excerpt } from '../../core/text.ts';

/** A link or a redirect of a server leads where nothing may be sent to. */
export class UntrustedLinkError extends Error {
  readonly _tag = 'UntrustedLinkError';
  override readonly name: string = 'UntrustedLinkError';
  /** Where it leads, without query. */
  readonly refused: string;

  constructor(link: string, refusedUrl: string, why: string) {
    const refused = excerpt(refusedUrl, 300);
    super(`${excerpt(link, 400)} leads to ${refused}, ${why}: nothing was sent there`);
    this.refused = refused;
  }
}

/** The server has ended a subscription before the subscriber did, and the caller wants that to be an error. */
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

/** What each of the documented errors means, and what the caller can do. [AuthenticationInUCWA, Error conditions] */
const HINTS: Readonly<Record<string, string>> = {
  invalid_request: 'the server does not understand what was asked',
  invalid_grant: 'the credentials could not be verified; check them',
  unsupported_grant_type: 'the server does not take this way to sign in',
  invalid_scope: 'the server does not know the scope',
  server_error: 'the server failed; try again later',
};

/** How many characters the advice in a message has at most. */
const LONGEST_HINT = 400;
/** How long a URL may be that a user is to open: its query is needed, so it cannot be shortened. */
const LONGEST_PAGE_URL = 2000;

/** Signing in was refused, or there is no way to. */
export class SignInError extends Error {
  readonly _tag = 'SignInError';
  override readonly name: string = 'SignInError';
  /** The token endpoint's own error, such as `invalid_grant`; undefined if it gave none. */
  readonly code: string | undefined;
  /** The status of the answer that refuses. */
  readonly status: number;
  /** Where the user can sign in with a browser, if the server says so (`ms_rtc_passiveauthuri`): at most 2,000 characters. */
  readonly passiveAuthUrl: string | undefined;

  constructor(
    url: string,
    status: number,
    options: {
      readonly code?: string | undefined;
      readonly passiveAuthUrl?: string | undefined;
      /** What the caller can do, instead of what the code says. */
      readonly hint?: string | undefined;
      /** What the server takes instead. */
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
          ? [`it takes ${excerpt(grantTypes.join(', '))}`]
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
  // Every object knows a `constructor`, and the server names what it likes.
  return code !== undefined && Object.hasOwn(HINTS, code) ? HINTS[code] : undefined;
}

/** The URL of a page, as a browser can open it; of what is too long or no such URL nothing is kept. */
function pageUrl(text: string | undefined): string | undefined {
  const url = text === undefined ? undefined : httpUrl(text)?.href;
  return url !== undefined && url.length <= LONGEST_PAGE_URL ? url : undefined;
}

/**
 * The error for a request of the sign-in that was not answered as it was to be. What does not pass by itself is no
 * {@link HttpError}: a 404 here says nothing of what the token is for.
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

/** Why discovery found nothing at one URL. */
export interface DiscoveryFailure {
  /** Without query and fragment, once it is in an error. */
  readonly url: string;
  /** In an error, described without its text if it is not an error of this library. */
  readonly cause: unknown;
}

/** How many characters the message says about the hosts, and about each of them. */
const LONGEST_ACCOUNT = 1600;
const LONGEST_SUMMARY = 400;

/** Errors that discovery ends with, besides those of the core. */
const OWN = [SignInError, UntrustedLinkError];

/** None of the hosts of a domain led to UCWA. */
export class DiscoveryError extends Error {
  readonly _tag = 'DiscoveryError';
  override readonly name: string = 'DiscoveryError';
  readonly domain: string;
  /** What was tried, in that order; the last of them is the `cause` as well. */
  readonly failures: readonly DiscoveryFailure[];
  /** Whether waiting may help: at each URL there was no answer, or one that says so. */
  readonly isTransient: boolean;

  constructor(domain: string, failed: readonly DiscoveryFailure[]) {
    const failures = failed.map(({ url, cause }) => ({
      url: describeUrl(url),
      cause: keptCause(cause, OWN),
    }));
    const told = failures.map(({ url, cause }) => `${url}: ${summaryOf(cause)}`);
    const account = excerpt(told.join('; '), LONGEST_ACCOUNT);
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

/** Of the description of a foreign error its name says enough. */
function summaryOf(kept: Error | undefined): string {
  if (kept === undefined) return 'an unknown error';
  return '_tag' in kept ? excerpt(kept.message, LONGEST_SUMMARY) : kept.name;
}
