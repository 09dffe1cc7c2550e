import { BehaviorSubject } from 'rxjs';

export const COLLEAGUES: readonly string[] = ['sara', 'alfred', 'bob'];

/** The contacts on the board, as URIs. Each change changes the one subscription on the server. */
export const contacts$ = new BehaviorSubject<readonly string[]>([uriOf('sara')]);

export function uriOf(name: string): string {
  return `sip:${name}@contoso.com`;
}

export function nameOf(uri: string): string {
  return uri.slice('sip:'.length, uri.indexOf('@'));
}

export function toggleContact(name: string): void {
  const { value } = contacts$;
  const uri = uriOf(name);
  contacts$.next(value.includes(uri) ? value.filter((one) => one !== uri) : [...value, uri]);
}
