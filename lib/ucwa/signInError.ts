import { describeUrl, HttpError, type RequestIdentity } from '../core/errors.ts';

/** What each of the documented errors means, and what the caller can do. [AuthenticationInUCWA, Error conditions] */
const HINTS: Readonly<Record<string, string>> = {
  invalid_request: 'the server does not understand what was asked',
  invalid_grant: 'the credentials could not be verified; check them',
  unsupported_grant_type: 'the server does not take this way to sign in',
  invalid_scope: 'the server does not know the scope',
  server_error: 'the server failed; try again later',
};

/** Signing in was refused, or there is no way to. */
export class SignInError extends Error {
  readonly _tag = 'SignInError';
  override readonly name: string = 'SignInError';
  /** The token endpoint's own error, such as `invalid_grant`; undefined where it gave none. */
  readonly code: string | undefined;
  /** The status of the answer that refuses. */
  readonly status: number;
  /** Where the user can sign in with a browser, if the server tells (`ms_rtc_passiveauthuri`). */
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
    const { code, passiveAuthUrl, grantTypes = [] } = options;
    const hint = options.hint ?? HINTS[code ?? ''];
    super(
      [
        `signing in at ${describeUrl(url)} was answered ${status}${code === undefined ? '' : ` ${code}`}`,
        ...(hint === undefined ? [] : [hint]),
        ...(code === 'unsupported_grant_type' && grantTypes.length > 0
          ? [`it takes ${grantTypes.join(', ')}`]
          : []),
        ...(passiveAuthUrl === undefined ? [] : [`the user can sign in at ${describeUrl(passiveAuthUrl)}`]),
      ].join(': '),
    );
    this.code = code;
    this.status = status;
    this.passiveAuthUrl = passiveAuthUrl;
  }
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
