import { HttpError, type RequestIdentity } from '../core/errors.ts';
import { httpUrl } from '../core/httpUrl.ts';
import { codeWord, describeUrl, excerpt } from '../core/text.ts';

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
