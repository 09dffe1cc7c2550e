import { map, mergeMap, of } from 'rxjs';
import { type Transport } from '../../lib/index.ts';
import { readText } from '../../lib/core/transport/transport.ts';

/** A server whose events can get lost on the way. */
export interface LosingEvents {
  readonly transport: Transport;
  /** The next response with `resume` also loses the first of several events. */
  lose(): void;
  /** Stops losing events. */
  calm(): void;
}

interface Sender {
  readonly events: readonly { readonly link: { readonly href: string } }[];
}

/** Returns a UCWA server whose events can get lost on the way. */
export function losingEvents(server: Transport): LosingEvents {
  let isLosing = false;

  /** Returns the response without its first events, or undefined if it has too few of them. */
  const shortened = (text: string): string | undefined => {
    if (!text.includes('"resume"') || !text.includes('"sender"')) return undefined;
    const { sender, ...rest } = JSON.parse(text) as { sender: Sender[] };
    const numbers = new Set(
      sender.flatMap(({ events }) => events.map(({ link }) => /\/note\/(\d+)$/.exec(link.href)?.[1])),
    );
    const [first] = numbers;
    if (numbers.size < 2 || numbers.has(undefined)) return undefined;
    const left = sender.map((one) => ({
      ...one,
      events: one.events.filter(({ link }) => !link.href.endsWith(`/note/${first ?? ''}`)),
    }));
    return JSON.stringify({ ...rest, sender: left });
  };

  return {
    transport: (request) =>
      isLosing && request.url.includes('/events?')
        ? server(request).pipe(
            mergeMap((response) =>
              readText(response, 'events').pipe(
                map((text) => {
                  const short = isLosing && response.status === 200 ? shortened(text) : undefined;
                  if (short !== undefined) isLosing = false;
                  return { ...response, body$: of(new TextEncoder().encode(short ?? text)) };
                }),
              ),
            ),
          )
        : server(request),
    lose: () => (isLosing = true),
    calm: () => (isLosing = false),
  };
}
