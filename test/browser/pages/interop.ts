import { firstValueFrom, map, throwError, toArray } from 'rxjs';
import {
  fromPlatform,
  type PlatformObservable,
  toPlatform,
} from '../../../docs/recipes/platformObservable.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import { presenceBoard } from '../../../lib/ucwa/presence/presenceBoard.ts';

const controller = new AbortController();
let last: string | undefined;

/** Shows the presence of a contact through the Observable of the browser. */
export function watch(server: string, uri: string): void {
  const board$ = presenceBoard(connectUcwa({ server, auth: bearer('secret'), graceSeconds: 0 }), [uri]);
  const platform = toPlatform(board$.pipe(map((board) => String(board.get(uri)?.availability))));
  platform.subscribe({ next: (availability) => (last = availability) }, { signal: controller.signal });
}

export function shown(): string | undefined {
  return last;
}

export function abort(): void {
  controller.abort();
}

/** Presses a button, and returns the number of its listeners that RxJS received, before and after. */
export async function clicks(): Promise<string[]> {
  const button = document.createElement('button') as HTMLButtonElement & {
    when(type: string): PlatformObservable<Event>;
  };
  const seen: string[] = [];
  const listening = fromPlatform(button.when('click')).subscribe(({ type }) => seen.push(type));
  button.click();
  listening.unsubscribe();
  button.click();
  const three = globalThis.Observable as unknown as { from(values: number[]): PlatformObservable<number> };
  const all = await firstValueFrom(fromPlatform(three.from([1, 2, 3])).pipe(toArray()));
  const failed = fromPlatform(toPlatform(throwError(() => new Error('failed'))));
  const error: string = await firstValueFrom(failed).catch(String);
  return [...seen, all.join(), error];
}
