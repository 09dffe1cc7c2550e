import { asyncScheduler, catchError, map, mergeMap, type Observable, of } from 'rxjs';
import { retryAfterMs } from '../../core/backoff/backoff.ts';
import { type Codec, intersection, partial, refinement, string, type, unknown } from '../../core/codec.ts';
import { decode } from '../../core/decode.ts';
import { parseJson } from '../../core/json.ts';
import type { Limits } from '../../core/limits.ts';
import { codeWord } from '../../core/text.ts';
import { restrictToOrigin } from '../../core/transport/restrictToOrigin.ts';
import {
  type HttpRequest,
  type HttpResponse,
  readText,
  type Transport,
} from '../../core/transport/transport.ts';
import type { IssuedToken } from '../../core/auth/withToken.ts';
import { notSignedIn, SignInError } from '../protocol/errors.ts';
import type { SignIn } from './signer.ts';

/** A request for a token. */
export interface TokenRequest {
  /** The token endpoint, absolute: credentials are sent there. */
  readonly url: string;
  readonly signIn: SignIn;
  /** The token that the new one replaces. */
  readonly renewed?: string | undefined;
  /** The grant types that the server offers, for the error. */
  readonly grantTypes?: readonly string[];
  /** Only `redirects` applies. @default at most 5 redirects */
  readonly limits?: Limits | undefined;
}

/** The response of a token endpoint. */
interface TokenAnswer {
  readonly access_token: string;
  readonly expires_in?: unknown;
  readonly token_type?: unknown;
}

interface TokenRefusal {
  readonly error: string;
  readonly ms_rtc_passiveauthuri?: unknown;
}

const SUBJECT = 'answer of the token endpoint';
const MAX_ANSWER_BYTES = 262_144;

/** Accepts a missing or ill-typed `token_type`: only another name means another type of token. */
const Bearer: Codec<unknown> = refinement(
  unknown,
  (name) => typeof name !== 'string' || name.toLowerCase() === 'bearer',
  'Bearer',
);

const TokenAnswer: Codec<TokenAnswer> = intersection(
  [type({ access_token: string }), partial({ expires_in: unknown, token_type: Bearer })],
  'token',
);

const TokenRefusal: Codec<TokenRefusal> = intersection([
  type({ error: string }),
  partial({ ms_rtc_passiveauthuri: unknown }),
]);

/**
 * Returns an Observable that requests a token, emits it, and completes.
 *
 * It errors with a {@link SignInError} if the endpoint refuses, with the endpoint's own `error` if it has
 * one; with an HttpError for a transient failure; with an OriginError for a redirect to another origin, which
 * must not get the credentials; and with a DecodeError for a response without a token.
 *
 * @see [MS-UCWA] AuthenticationInUCWA
 */
export function requestToken(transport: Transport, asked: TokenRequest): Observable<IssuedToken> {
  const { url, signIn, renewed, limits } = asked;
  const request: HttpRequest = {
    method: 'POST',
    url,
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
    },
    body: signIn.form(renewed),
    // A repeated request issues a second token, which does no harm.
    idempotent: true,
    ...(signIn.credentials === undefined ? {} : { credentials: signIn.credentials }),
  };
  return restrictToOrigin(
    url,
    limits,
  )(transport)(request).pipe(
    mergeMap((response) =>
      response.status >= 200 && response.status < 300
        ? readText(response, SUBJECT, MAX_ANSWER_BYTES).pipe(map(issuedToken))
        : readText(response, SUBJECT, MAX_ANSWER_BYTES).pipe(
            // If the body cannot be read, the status says enough.
            catchError(() => of('')),
            map((text) => {
              throw refusal(response, text, request, asked);
            }),
          ),
    ),
  );
}

function issuedToken(text: string): IssuedToken {
  const answer = decode(TokenAnswer, SUBJECT)(parseJson(text, SUBJECT));
  const { access_token: token, expires_in: expiresIn } = answer;
  const seconds = typeof expiresIn === 'string' ? Number(expiresIn) : expiresIn;
  const isKnown = typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0;
  return isKnown ? { token, expiresInSeconds: seconds } : { token };
}

function refusal(
  { status, headers }: HttpResponse,
  text: string,
  request: HttpRequest,
  { url, grantTypes, signIn }: TokenRequest,
): Error {
  const { error, ms_rtc_passiveauthuri: passive } = refusalIn(text);
  if (status === 400 && error !== undefined) {
    const passiveAuthUrl = typeof passive === 'string' ? passive : undefined;
    return new SignInError(url, status, { code: error, passiveAuthUrl, grantTypes });
  }
  if (status === 401) {
    const hint =
      signIn.credentials === undefined
        ? 'the endpoint asks for more than the form'
        : 'the platform did not sign the user in by itself; use another way to sign in, or a transport that can';
    return new SignInError(url, status, { hint });
  }
  const asked = retryAfterMs(headers.get('retry-after'), asyncScheduler.now());
  return notSignedIn(status, request, { retryAfterMs: asked, hint: 'no token was issued' });
}

/** Returns the refusal in a response body; empty if it is not from a token endpoint. */
function refusalIn(text: string): Partial<TokenRefusal> {
  try {
    const value = parseJson(text, SUBJECT);
    // An error is one word. Any other text could contain anything, and is not repeated.
    return TokenRefusal.is(value) && codeWord(value.error) !== undefined ? value : {};
  } catch {
    return {};
  }
}
