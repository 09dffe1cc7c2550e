import { type Observable, ReplaySubject } from 'rxjs';
import type { UcwaInternals } from './connect.ts';
import type { ContactPresencePlan } from './contactPresenceOptions.ts';
import { presenceStates, type Standing } from './presenceStates.ts';
import { presenceStream } from './presenceStream.ts';
import { shared } from './subscriptionOptions.ts';

/** Returns an Observable of how things stand with these contacts, which its subscribers share with a grace time. */
export function standings(
  internals: UcwaInternals,
  uris: readonly string[] | Observable<readonly string[]>,
  { lifetime, rels }: ContactPresencePlan,
): Observable<Standing> {
  return presenceStream(internals, uris, lifetime, (watched) =>
    presenceStates(internals, watched, rels),
  ).pipe(
    // How things stood last has all states in it.
    shared(internals, lifetime, () => new ReplaySubject<Standing>(1)),
  );
}
