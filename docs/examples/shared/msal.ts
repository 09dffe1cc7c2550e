import {
  type AccountInfo,
  type IPublicClientApplication,
  ProtocolMode,
  PublicClientApplication,
} from '@azure/msal-browser';
import { bearer } from 'rxchange';
import { connectUcwa, discovered, type Ucwa } from 'rxchange/ucwa';

/** Hybrid modern authentication: tokens of Microsoft Entra ID for servers on premises. */
export function entraId(clientId: string, tenant: string): IPublicClientApplication {
  return new PublicClientApplication({
    auth: { clientId, authority: `https://login.microsoftonline.com/${tenant}` },
  });
}

/** AD FS 2016 or later; `host` is such as `adfs.contoso.com`. */
export function adfs(clientId: string, host: string): IPublicClientApplication {
  return new PublicClientApplication({
    auth: { clientId, authority: `https://${host}/adfs`, knownAuthorities: [host] },
    system: { protocolMode: ProtocolMode.OIDC },
  });
}

/** Connects a user who has signed in with `loginRedirect` or `loginPopup`, after `initialize()`. */
export function connectAs(
  msal: Pick<IPublicClientApplication, 'acquireTokenSilent'>,
  account: AccountInfo,
  domain: string,
): Ucwa {
  // Called with the origin of each server, and again when a token is about to expire or was rejected.
  const getToken = (origin: string): Promise<string> =>
    msal
      .acquireTokenSilent({ scopes: [`${origin}/.default`], account })
      .then(({ accessToken }) => accessToken);
  return connectUcwa({ server: discovered(domain), auth: bearer(getToken) });
}
