import { asyncScheduler } from 'rxjs';
import type { HttpRequest } from '../../../core/transport/transport.ts';
import type { SimulatedResponse } from '../responses.ts';

/** A token issued by the simulated server. @inline */
export interface SimulatedToken {
  /** The user name; anonymous users have a number. */
  readonly identity: string;
  /** The grant type of the request, such as `password`. */
  readonly grantType: string;
  /** The only origin that accepts it. */
  readonly origin: string;
  /** In milliseconds of the scheduler's clock. */
  readonly expiresAt: number;
}

/** The options of a token server. */
interface TokenServerOptions {
  readonly grantTypes: readonly string[];
  /** The passwords by user name; undefined accepts all. */
  readonly users: Readonly<Record<string, string>> | undefined;
  readonly tokenSeconds: number | undefined;
  /** The length of a second of the server, in milliseconds. */
  readonly secondMs: number;
}

/** The part of a simulated server that issues and verifies tokens. */
interface TokenServer {
  readonly issued: readonly SimulatedToken[];
  /** Responds to a request to the token endpoint. @see [MS-UCWA] AuthenticationInUCWA */
  respond(request: HttpRequest): SimulatedResponse;
  /** Returns whether a request has a valid token of its origin. */
  isAuthorized(request: HttpRequest): boolean;
  /** Revokes every token issued so far. */
  revokeAll(): void;
}

const HOUR = 3600;
const INVALID_REQUEST: SimulatedResponse = { status: 400, body: { error: 'invalid_request' } };
const INVALID_GRANT: SimulatedResponse = { status: 400, body: { error: 'invalid_grant' } };

/** Creates a token server without tokens. */
export function tokenServer({ grantTypes, users, tokenSeconds, secondMs }: TokenServerOptions): TokenServer {
  const issued: SimulatedToken[] = [];
  const valid = new Map<string, SimulatedToken>();
  const known = new Map<string, SimulatedToken>();
  let anonymous = 0;

  const issue = (identity: string, grantType: string, origin: string, seconds: number): SimulatedResponse => {
    const expiresIn = tokenSeconds ?? seconds;
    const token = { identity, grantType, origin, expiresAt: asyncScheduler.now() + expiresIn * secondMs };
    issued.push(token);
    const text = `cwt=AAEB${String(issued.length).padStart(4, '0')}`;
    valid.set(text, token);
    known.set(text, token);
    return {
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: {
        access_token: text,
        expires_in: expiresIn,
        ms_rtc_identityscope: 'local',
        token_type: 'Bearer',
      },
    };
  };

  const respond = ({ method, url, headers, body = '' }: HttpRequest): SimulatedResponse => {
    if (method !== 'POST') return { status: 405 };
    if (!/^application\/x-www-form-urlencoded/i.test(headers?.['content-type'] ?? '')) return INVALID_REQUEST;
    const { origin } = new URL(url);
    const form = new URLSearchParams(body);
    const grantType = form.get('grant_type');
    if (grantType === null) return INVALID_REQUEST;
    if (!grantTypes.includes(grantType)) return { status: 400, body: { error: 'unsupported_grant_type' } };
    if (grantType === 'password') {
      const [username, password] = [form.get('username'), form.get('password')];
      if (username === null || password === null) return INVALID_REQUEST;
      const isAccepted =
        users === undefined || (Object.hasOwn(users, username) && users[username] === password);
      return isAccepted ? issue(username, grantType, origin, 8 * HOUR) : INVALID_GRANT;
    }
    if (grantType === 'urn:microsoft.rtc:windows') return issue('windows', grantType, origin, 8 * HOUR);
    if (grantType === 'urn:microsoft.rtc:anonmeeting') {
      if (form.get('password') === null || form.get('ms_rtc_conferenceuri') === null) return INVALID_REQUEST;
      const renewed = form.get('ms_rtc_renew');
      if (renewed === null) return issue(`anonymous${(anonymous += 1)}`, grantType, origin, HOUR);
      const old = known.get(renewed);
      return old === undefined ? INVALID_GRANT : issue(old.identity, grantType, origin, HOUR);
    }
    const ms_rtc_passiveauthuri = `${origin}/PassiveAuth/PassiveAuth.aspx`;
    return { status: 400, body: { error: 'invalid_grant', ms_rtc_passiveauthuri } };
  };

  return {
    issued,
    respond,
    isAuthorized: ({ url, headers }) => {
      const token = valid.get((headers?.['authorization'] ?? '').replace(/^Bearer /i, ''));
      return (
        token !== undefined && token.origin === new URL(url).origin && asyncScheduler.now() < token.expiresAt
      );
    },
    revokeAll: () => valid.clear(),
  };
}
