import { map, type Observable } from 'rxjs';
import type { UcwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import type { UcwaEvent } from '../../lib/ucwa/protocol/events.ts';

/** The contact of the notes. */
export const NOTED = 'sip:sara@contoso.com';

const CONTACT = '/people/sara@contoso.com';
const NOTE = /\/note\/(\d+)$/;

/** Changes the note of {@link NOTED} to a number, which the channel reports. */
export function emitNote(server: UcwaSimulator, number: number): void {
  server.emit({
    type: 'updated',
    link: { rel: 'contactNote', href: `${CONTACT}/note/${number}` },
    in: { rel: 'contact', href: CONTACT },
  });
}

/** Returns an Observable of the numbers of the notes in a stream of events, and of its losses. */
export function notesIn(events$: Observable<UcwaEvent>): Observable<number | 'loss' | undefined> {
  return events$.pipe(
    map(({ type, link }) => {
      const number = NOTE.exec(link.href)?.[1];
      return type === 'gap' ? 'loss' : number === undefined ? undefined : Number(number);
    }),
  );
}
