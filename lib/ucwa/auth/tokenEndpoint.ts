import * as t from 'io-ts';
import { asyncScheduler, catchError, map, mergeMap, type Observable, of } from 'rxjs';
import { retryAfterMs } from '../../core/backoff/backoff.ts';
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
import type { IssuedToken } from '../../core/transport/withToken.ts';
import { notSignedIn, SignInError } from '../protocol/errors.ts';
import type { SignIn } from './signer.ts';

/** What asks for a token. */
export interface TokenRequest {
  /** The token endpoint, absolute: credentials are sent there. */
  readonly url: string;
  readonly signIn: SignIn;
  /** The token that the new one replaces. */
  readonly renewed?: string | undefined;
  /** What the endpoint was said to take, for the error. */
  readonly grantTypes?: readonly string[];
  /** Of these, `redirects` applies. @default at most 5 redirects */
  readonly limits?: Limits | undefined;
}

/** The answer of a token endpoint. */
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

/** An ill-typed one costs nothing: only one of another name says that the token is another. */
const Bearer: t.Type<unknown> = t.refinement(
  t.unknown,
  (type) => typeof type !== 'string' || type.toLowerCase() === 'bearer',
  'Bearer',
);

const TokenAnswer: t.Type<TokenAnswer, unknown> = t.intersection(
  [t.type({ access_token: t.string }), t.partial({ expires_in: t.unknown, token_type: Bearer })],
  'token',
);

const TokenRefusal: t.Type<TokenRefusal, unknown> = t.intersection([
  t.type({ error: t.string }),
  t.partial({ ms_rtc_passiveauthuri: t.unknown }),
]);

/**
 * Returns an Observable that asks a token endpoint for a token, emits it, and completes.
 *
 * It errors with a {@link SignInError} when the endpoint refuses, with its own `error` where it gives one;
 * with an HttpError for what may pass; with an OriginError when it redirects elsewhere: credentials are sent
 * to it alone; with a DecodeError for an answer without a token. [AuthenticationInUCWA]
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
    // Of two tokens one is not used: it does no harm.
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
            // The status says enough where the rest cannot be read.
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

/** Reads what a refusing endpoint says; nothing where that is not its own answer. */
function refusalIn(text: string): Partial<TokenRefusal> {
  try {
    const value = parseJson(text, SUBJECT);
    // An error is one word: anything else could be anything, and is not repeated.
    return TokenRefusal.is(value) && codeWord(value.error) !== undefined ? value : {};
  } catch {
    return {};
  }
}
