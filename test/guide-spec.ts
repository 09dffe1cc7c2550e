import { distinctUntilChanged, filter, Subject, takeUntil, tap, timer } from 'rxjs';
import { bearer } from '../lib/core/auth/auth.ts';
import type { Transport } from '../lib/core/transport/transport.ts';
import { ucwaSimulator } from '../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../lib/ucwa/connect.ts';
import { presence } from '../lib/ucwa/presence/presence.ts';
import { expectPicture } from './support/marbles/marbleDiagram.ts';
import { recorder } from './support/marbles/recording.ts';
import { at, inVirtualTime } from './support/virtualTime.ts';

const LATENCY_MS = 20;
/** The application is on the server by now. */
const START_SECONDS = 1;

/** Draws what happens if a stream is unsubscribed from some milliseconds after it was subscribed to. */
function drawUnsubscribe(name: string, afterMs: number): void {
  const program = recorder();
  const connection = recorder();
  inVirtualTime(() => {
    const server = ucwaSimulator({ mediumSeconds: 0, latencyMs: LATENCY_MS });
    const wire$ = new Subject<string>();
    const watched: Transport = (request) => {
      const path = /presenceSubscriptions.*$/.exec(request.url)?.[0];
      const response$ = server.transport(request);
      if (path === undefined) return response$;
      wire$.next(request.method);
      return response$.pipe(tap(({ status }) => wire$.next(String(status))));
    };
    const ucwa = connectUcwa({ server: server.url, transport: watched, auth: bearer('secret') });
    const calls$ = new Subject<string>();
    const onServer$ = new Subject<number>();
    const application = ucwa.events$.subscribe();
    at(START_SECONDS, () => {
      program.record('your code', calls$, String).subscribe();
      connection.record('requests and responses', wire$, String).subscribe();
      const count$ = onServer$.pipe(distinctUntilChanged());
      connection.record('the server', count$, (count) => `${count} on the server`).subscribe();
      const outcome$ = ucwa.releases.outcomes$.pipe(filter(({ resource }) => resource !== 'application'));
      connection.record('releases.outcomes$', outcome$, ({ outcome }) => outcome).subscribe();
      timer(0, 1)
        .pipe(takeUntil(timer(200)))
        .subscribe(() => onServer$.next(server.presenceSubscriptions.length));
      calls$.next('subscribe()');
      const watching = presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe();
      timer(afterMs).subscribe(() => {
        calls$.next('unsubscribe()');
        watching.unsubscribe();
      });
    });
    at(START_SECONDS + 1, () => application.unsubscribe());
  });
  expectPicture(name, { call: 'rxchange', above: program.lanes(), below: connection.lanes() });
}

describe('The guide', () => {
  it('shows an unsubscribe in docs/marbles/unsubscribe.svg', () => {
    drawUnsubscribe('unsubscribe', 50);
  });

  it('shows one during the request in docs/marbles/unsubscribe-early.svg', () => {
    drawUnsubscribe('unsubscribe-early', LATENCY_MS / 4);
  });
});
