import { invalidSecret, objectOption } from '../../core/options.ts';
import { SIGN_IN, type SignIn } from './signer.ts';
import { tokenSigner } from './tokenClient.ts';

const PASSWORD = 'password';
const WINDOWS = 'urn:microsoft.rtc:windows';
const ANONYMOUS = 'urn:microsoft.rtc:anonmeeting';

/** A user and a password. @inline */
export interface PasswordCredentials {
  /** Such as `sara@contoso.com` or `CONTOSO\sara`. */
  readonly username: string;
  readonly password: string;
}

/** A meeting to join without an account. @inline */
export interface MeetingCredentials {
  /** Such as `sip:john@contoso.com;gruu;opaque=app:conf:focus:id:G03W98W4`. */
  readonly conferenceUri: string;
  /** The key of the conference. @default its id, which is the last part of `conferenceUri` */
  readonly conferenceKey?: string;
}

/**
 * Returns the way to sign in with a user name and a password.
 *
 * Throws a TypeError if either is missing or empty; its message contains no secret.
 *
 * @example
 * ```ts
 * import { inspect } from 'node:util';
 * import { password } from 'rxchange/ucwa';
 *
 * const signIn = password({ username: 'sara@contoso.com', password: 'hush' });
 * console.log(JSON.stringify(signIn), inspect(signIn).includes('hush'));
 * // prints: {"grantType":"password"} false
 * ```
 */
export function password(credentials: PasswordCredentials): SignIn {
  objectOption('credentials', credentials, { username: 1, password: 1 });
  const username = secretText('username', credentials.username);
  const secret = secretText('password', credentials.password);
  return signIn({
    grantType: PASSWORD,
    form: () => formOf(PASSWORD, { username, password: secret }),
  });
}

/**
 * Returns the way to sign in as the current Windows user.
 *
 * The browser answers the challenge of the token endpoint on its own, and may ask the user. On Node, a
 * transport does: `ntlm(…)` or `negotiate()` of `rxchange/node`.
 *
 * @example
 * ```ts
 * import { windows } from 'rxchange/ucwa';
 *
 * console.log(windows().grantType);
 * // prints: urn:microsoft.rtc:windows
 * ```
 */
export function windows(): SignIn {
  return signIn({ grantType: WINDOWS, credentials: 'include', form: () => formOf(WINDOWS) });
}

/**
 * Returns the way to sign in without an account, to join a meeting.
 *
 * Tokens expire after an hour; a renewed token keeps the identity of the first.
 *
 * Throws a TypeError if `conferenceUri` is not the URI of a conference. Its message does not contain the URI,
 * whose key gives access.
 *
 * @see [MS-UCWA] AuthenticationInUCWA, Refreshing an OAuth token
 *
 * @example
 * ```ts
 * import { anonymousMeeting } from 'rxchange/ucwa';
 *
 * const signIn = anonymousMeeting({
 *   conferenceUri: 'sip:john@contoso.com;gruu;opaque=app:conf:focus:id:G03W98W4',
 * });
 * console.log(signIn.grantType);
 * // prints: urn:microsoft.rtc:anonmeeting
 * ```
 */
export function anonymousMeeting(meeting: MeetingCredentials): SignIn {
  const { conferenceUri, conferenceKey = meetingId(conferenceUri) } = objectOption('meeting', meeting, {
    conferenceUri: 1,
    conferenceKey: 1,
  });
  if (typeof conferenceUri !== 'string' || !/^sips?:[^\s;@]+@[^\s;@]+;/i.test(conferenceUri)) {
    throw invalidSecret(
      'conferenceUri',
      'the SIP URI of a conference, such as sip:…@…;gruu;opaque=app:conf:…',
    );
  }
  const key = secretText('conferenceKey', conferenceKey);
  return signIn({
    grantType: ANONYMOUS,
    renews: true,
    form: (renewed?: string) =>
      formOf(ANONYMOUS, {
        password: key,
        ms_rtc_conferenceuri: conferenceUri,
        ...(renewed === undefined ? {} : { ms_rtc_renew: renewed }),
      }),
  });
}

/** Creates a sign-in with its token signer. */
function signIn(properties: SignIn): SignIn {
  return SIGN_IN.create(properties, (context) => tokenSigner(properties, context));
}

function formOf(grantType: string, fields: Readonly<Record<string, string>> = {}): string {
  return new URLSearchParams({ grant_type: grantType, ...fields }).toString();
}

function secretText(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalidSecret(name, 'a text that is not empty');
  return value;
}

function meetingId(conferenceUri: unknown): string {
  return typeof conferenceUri === 'string' ? conferenceUri.slice(conferenceUri.lastIndexOf(':') + 1) : '';
}
