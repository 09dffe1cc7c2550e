import { filter, Observable, share, ReplaySubject } from 'rxjs';
import type { Playground, PlaygroundCommand } from '../playground.ts';
import type { InspectorRecord } from '../records.ts';

/** Whether the page was served by the relay of `rxchange inspect` with a connection. */
export function isRelayed({ documentElement }: Document): boolean {
  return documentElement.hasAttribute('data-relay');
}

/** A platform with `fetch` and `EventSource`: replaceable in specs. */
interface Platform {
  readonly fetch: typeof fetch;
  readonly EventSource: typeof EventSource;
}

const GONE = 'The command has ended: start rxchange inspect again, and open the address that it prints.';

/**
 * Resolves with the playground in the process of `rxchange inspect`, which has served the page at this URL.
 *
 * Rejects with an Error that says what to do if the process has ended.
 */
export async function remotePlayground(url: string, platform: Platform = globalThis): Promise<Playground> {
  const send = async (name: string, init?: RequestInit): Promise<Response> => {
    const response = await platform.fetch(new URL(name, url), init).catch((cause: unknown) => {
      throw new Error(GONE, { cause });
    });
    if (response.ok) return response;
    const { error = GONE } = (await response.json().catch(() => ({}))) as { readonly error?: string };
    throw new Error(error);
  };
  const described = (await (await send('playground.json')).json()) as Pick<
    Playground,
    'commands' | 'streams'
  >;
  const records$ = new Observable<InspectorRecord>((subscriber) => {
    const source = new platform.EventSource(new URL('records', url));
    source.onmessage = ({ data }: MessageEvent<string>) =>
      subscriber.next(JSON.parse(data) as InspectorRecord);
    return () => source.close();
  }).pipe(isNew(), share({ connector: () => new ReplaySubject(2000) }));
  return {
    ...described,
    records$,
    run: async (command: PlaygroundCommand) => {
      await send('commands', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(command),
      });
    },
    // The process owns the connection, and closes it.
    close: () => Promise.resolve(),
  };
}

/** An EventSource that connects again receives the last records again. */
function isNew(): (records$: Observable<InspectorRecord>) => Observable<InspectorRecord> {
  const last = new Map<string, number>();
  return filter(({ connection, type, seq }: InspectorRecord) => {
    const key = type === 'server' ? `${connection} server` : connection;
    if (seq <= (last.get(key) ?? 0)) return false;
    last.set(key, seq);
    return true;
  });
}
