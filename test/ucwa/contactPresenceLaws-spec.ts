import { expect } from 'chai';
import fc from 'fast-check';
import { timer } from 'rxjs';
import type { HttpRequest } from '../../lib/core/transport.ts';
import type { Fault } from '../../lib/testing/faults.ts';
import type { UcwaSimulator } from '../../lib/testing/ucwaSimulator.ts';
import { contactPresence } from '../../lib/ucwa/contactPresence.ts';
import type { ContactPresence } from '../../lib/ucwa/contactState.ts';
import { marbles } from '../support/marbles.ts';
import { connected } from './connected.ts';

const URIS = ['sip:sara@contoso.com', 'sip:bob@contoso.com', 'sip:Al@contoso.com'] as const;
const QUIET_AT = 600_000;

const isOfContacts = ({ method, url }: HttpRequest): boolean =>
  method === 'GET' && url.includes('/people/') && !url.includes('?');

/** What happens, and when, in virtual milliseconds. */
const change = fc.record({
  at: fc.nat(500),
  uri: fc.constantFrom(...URIS),
  presence: fc.oneof(
    fc.record({ availability: fc.constantFrom('Online', 'Busy', 'Away', 'Juggling') }),
    fc.record({ note: fc.constantFrom('', 'Lunch', 'Back soon') }),
    fc.record({ location: fc.constantFrom('Home', 'Office') }),
  ),
});
const mishap = fc.record({
  at: fc.nat(500),
  count: fc.integer({ min: 1, max: 3 }),
  // What passes by itself: after a few 500s a failure is told, and stays until the next event.
  fault: fc.constantFrom<Fault>(...(['reset', { status: 503 }, { delayMs: 30 }, { delayMs: 300 }] as const), {
    truncateAfterBytes: 30,
  }),
});
const happening = fc.record({
  at: fc.nat(500),
  what: fc.constantFrom('resync', 'resume', 'expire', 'endApplications', 'restart'),
});
const scenario = fc.record({
  changes: fc.array(change, { maxLength: 12 }),
  mishaps: fc.array(mishap, { maxLength: 4 }),
  happenings: fc.array(happening, { maxLength: 2 }),
  latencyMs: fc.constantFrom(0, 1, 15),
  contactHrefs: fc.constantFrom('address', 'opaque'),
  contactEvents: fc.constantFrom('linkOnly', 'embedded'),
});

const happen = (
  server: UcwaSimulator,
  what: 'resync' | 'resume' | 'expire' | 'endApplications' | 'restart',
): void => {
  if (what === 'resync' || what === 'resume') server.reset(what);
  else server[what]();
};

describe('the states of contacts', () => {
  it('should be the server’s own in the end, whatever changes, is late, fails or is lost', () => {
    fc.assert(
      fc.property(scenario, ({ changes, mishaps, happenings, latencyMs, ...contacts }) => {
        const { server, ucwa } = connected({ latencyMs, ...contacts });
        const truth = new Map<string, object>(URIS.map((uri) => [uri, { availability: 'Offline' }]));
        const board = new Map<string, ContactPresence>();
        marbles(() => {
          const watching = contactPresence(ucwa, URIS).subscribe((state) => {
            expect(state).to.not.deep.equal(board.get(state.uri));
            board.set(state.uri, state);
          });
          for (const { at, uri, presence } of changes) {
            timer(at).subscribe(() => {
              truth.set(uri, { ...truth.get(uri), ...presence });
              server.setPresence(uri, presence);
            });
          }
          for (const { at, count, fault } of mishaps) {
            timer(at).subscribe(() => server.failNext(count, fault, isOfContacts));
          }
          for (const { at, what } of happenings) timer(at).subscribe(() => happen(server, what));
          timer(QUIET_AT).subscribe(() => watching.unsubscribe());
        });
        for (const [uri, expected] of truth) {
          const { availability, note, location, failure } = board.get(uri) ?? {};
          const { note: wanted = '', ...rest } = { location: undefined, ...expected } as { note?: string };
          expect({ availability, note: note ?? '', location, failure }).to.deep.equal({
            ...{ ...rest, note: wanted, failure: undefined },
          });
        }
        expect(server.presenceSubscriptions).to.deep.equal([]);
        expect(server.applications).to.deep.equal([]);
      }),
      { numRuns: 60 },
    );
  });

  it('should never go back to an older one while answers are late', () => {
    const late = fc.record({ at: fc.nat(400), takes: fc.constantFrom(0, 20, 150) });
    fc.assert(
      fc.property(
        fc.array(late, { minLength: 1, maxLength: 10 }),
        fc.constantFrom(0, 5),
        (lates, latencyMs) => {
          const { server, ucwa } = connected({ latencyMs });
          const seen: number[] = [];
          let last = 0;
          marbles(() => {
            const watching = contactPresence(ucwa, [URIS[0]], { details: [] }).subscribe(({ activity }) => {
              if (activity !== undefined) seen.push(Number(activity));
            });
            for (const { at, takes } of lates) {
              timer(100 + at).subscribe(() => {
                last += 1;
                server.failNext(1, { delayMs: takes }, isOfContacts);
                server.setPresence(URIS[0], { activity: String(last) });
              });
            }
            timer(QUIET_AT).subscribe(() => watching.unsubscribe());
          });
          expect(seen).to.deep.equal([...new Set(seen)].sort((one, other) => one - other));
          expect(seen.at(-1)).to.equal(last);
        },
      ),
      { numRuns: 60 },
    );
  });
});
