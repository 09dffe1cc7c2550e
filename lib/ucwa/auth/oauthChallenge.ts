import { challengesOf } from '../../core/auth/challenge.ts';
import type { HttpHeaders } from '../../core/transport/transport.ts';

/**
 * The sign-in that a UCWA server offers.
 *
 * @see [MS-UCWA] AuthenticationInUCWA
 */
export interface OAuthChallenge {
  /** The href of the token endpoint: absolute, or relative to the URL of the response. */
  readonly href: string;
  /** The accepted grant types, such as `password`; empty if the server does not say. */
  readonly grantTypes: readonly string[];
}

/** Returns the sign-in that a response offers in its headers; undefined if there is none. */
export function oauthChallenge(headers: HttpHeaders): OAuthChallenge | undefined {
  for (const { parameters } of challengesOf(headers, 'MsRtcOAuth')) {
    const href = parameters.get('href');
    if (href === undefined || href === '') continue;
    const grantTypes = (parameters.get('grant_type') ?? '').split(',').map((type) => type.trim());
    return { href, grantTypes: grantTypes.filter((type) => type !== '') };
  }
  return undefined;
}
