/** A page that discovers the server of a domain, and signs in with a password. */
import { firstValueFrom } from 'rxjs';
import { connectUcwa, discovered, password } from '../../../lib/ucwa/index.ts';

/** Resolves with the path of the application, after it was deleted. */
export async function connectAndClose(discoveryUrl: string): Promise<string> {
  const ucwa = connectUcwa({
    server: discovered('contoso.com', { urls: [discoveryUrl] }),
    auth: password({ username: 'sara@contoso.com', password: 'secret' }),
  });
  const { self } = await firstValueFrom(ucwa.application$);
  const { clean } = await ucwa.close();
  if (!clean) throw new Error('not clean');
  return new URL(self).pathname;
}
