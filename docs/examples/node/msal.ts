import { ConfidentialClientApplication, ProtocolMode, PublicClientApplication } from '@azure/msal-node';
import { bearer } from 'rxchange';
import { connectExchange, type Exchange } from 'rxchange/ews';

/** AD FS 2019 or later; `host` is such as `adfs.contoso.com`. */
export function adfs(clientId: string, host: string): PublicClientApplication {
  return new PublicClientApplication({
    auth: { clientId, authority: `https://${host}/adfs`, knownAuthorities: [host] },
    system: { protocolMode: ProtocolMode.OIDC },
  });
}

/** Hybrid modern authentication: tokens of Microsoft Entra ID for servers on premises. */
export function entraId(clientId: string, tenant: string): PublicClientApplication {
  return new PublicClientApplication({
    auth: { clientId, authority: `https://login.microsoftonline.com/${tenant}` },
  });
}

/** The user signs in once in any browser, with a code; then tokens are renewed until that is revoked. */
export function withDeviceCode(
  server: string,
  msal: PublicClientApplication,
  scopes: string[],
  show: (message: string) => void = console.error,
): Exchange {
  const acquire = async () => {
    const [account] = await msal.getTokenCache().getAllAccounts();
    const silent = account && (await msal.acquireTokenSilent({ scopes, account }).catch(() => null));
    const deviceCodeCallback = ({ message }: { readonly message: string }): void => show(message);
    return silent ?? msal.acquireTokenByDeviceCode({ scopes, deviceCodeCallback });
  };
  return connectExchange({ server, auth: bearer(() => acquire().then(issued)) });
}

/** A service without a user; the server must allow it to impersonate the mailboxes that it watches. */
export function asService(
  server: string,
  clientId: string,
  clientSecret: string,
  tenant: string,
  scope: string,
): Exchange {
  const authority = `https://login.microsoftonline.com/${tenant}`;
  const msal = new ConfidentialClientApplication({ auth: { clientId, clientSecret, authority } });
  const acquire = () => msal.acquireTokenByClientCredential({ scopes: [scope] });
  return connectExchange({ server, auth: bearer(() => acquire().then(issued)) });
}

/** The token with its expiry, so that it is renewed in time. */
function issued(result: { readonly accessToken: string; readonly expiresOn: Date | null } | null) {
  if (result === null) throw new Error('there is no token');
  const { accessToken: token, expiresOn } = result;
  if (expiresOn === null) return { token };
  return { token, expiresInSeconds: Math.max(0, (expiresOn.getTime() - Date.now()) / 1000) };
}
