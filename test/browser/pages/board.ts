/** A page with a board of contacts. */
import type { Subscription } from 'rxjs';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import { presenceBoard } from '../../../lib/ucwa/presence/presenceBoard.ts';
import { xframe } from '../../../lib/ucwa/transport/xframe.ts';

let watching: Subscription | undefined;
let states: Readonly<Record<string, string | undefined>> = {};

/** Watches contacts on a server, through its XFrame page if there is a URL of that. */
export function watch(url: string, uris: readonly string[], frameUrl?: string): void {
  const transport = frameUrl === undefined ? {} : { transport: xframe({ url: frameUrl }) };
  const ucwa = connectUcwa({ server: url, auth: bearer('secret'), ...transport });
  watching = presenceBoard(ucwa, uris).subscribe((board) => {
    states = Object.fromEntries([...board].map(([uri, { availability }]) => [uri, availability]));
  });
}

/** Returns the availability of each contact. */
export function shown(): typeof states {
  return states;
}

export function leave(): void {
  watching?.unsubscribe();
}
