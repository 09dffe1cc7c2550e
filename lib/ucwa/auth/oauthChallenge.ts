import { challengesOf } from '../../core/transport/challenge.ts';
import type { HttpHeaders } from '../../core/transport/transport.ts';

/** Where and how UCWA issues tokens. [AuthenticationInUCWA] */
export interface OAuthChallenge {
  /** Of the token endpoint: absolute, or relative to where it was asked. */
  readonly href: string;
  /** The grant types that it takes, such as `password`; empty if the server does not say. */
  readonly grantTypes: readonly string[];
}

/** Returns the offer of UCWA in the headers of a response, or undefined if there is none. */
export function oauthChallenge(headers: HttpHeaders): OAuthChallenge | undefined {
  for (const { parameters } of challengesOf(headers, 'MsRtcOAuth')) {
    const href = parameters.get('href');
    if (href === undefined || href === '') continue;
    const grantTypes = (parameters.get('grant_type') ?? '').split(',').map((type) => type.trim());
    return { href, grantTypes: grantTypes.filter((type) => type !== '') };
  }
  return undefined;
}
