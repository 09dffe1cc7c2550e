import { originOf } from '../core/text.ts';
import type { ApplicationIdentity } from './applicationIdentity.ts';
import type { Acknowledgement } from './cursor.ts';
import type { ConnectionJournal, ConnectionPlace } from './connectionJournal.ts';
import { hrefKey } from './href.ts';
import type { LiveApplication } from './liveApplication.ts';

/** Notes that an application is about to be asked for: with this identity the next process finds it again. */
export function noteIdentity(journal: ConnectionJournal, identity: ApplicationIdentity): void {
  const { place } = journal;
  journal.reached({ ...place, application: { ...place.application, identity } });
}

/**
 * Lets an application that was made, or found again, go on where the journal says that its channel has come to, and
 * notes what it is. Where that is not said, or it is another application, events were lost since: unless there
 * never was one.
 *
 * @param asked What a process before asked for, which may have been handed events that nobody has processed.
 */
export function goOn(
  journal: ConnectionJournal,
  live: LiveApplication,
  identity: ApplicationIdentity,
  ack: Acknowledgement,
  asked: ConnectionPlace['application'],
): void {
  const { application: before, next } = journal.place;
  if (before?.self !== undefined) {
    const isSame = hrefKey(before.self) === hrefKey(live.self);
    // What stands in a file is followed only where the server itself leads.
    if (isSame && next !== undefined && isAtOriginOf(next, live.events)) live.place = { url: next };
    else live.lost = isSame ? 'resync' : 'recreated';
  } else if (asked !== undefined) {
    // Of the same one, what was not acknowledged comes again.
    if (asked.identity !== identity) live.lost = 'recreated';
    else if (ack === 'eager' || live.isNew) live.lost = 'resync';
  }
  live.journal = journal;
  const { self, events, place, lost } = live;
  // As long as the loss is not told, the next process has to tell it.
  const goesOnAt = ack === 'processed' && lost === undefined ? (place?.url ?? events) : undefined;
  journal.reached({ application: { identity, self }, next: goesOnAt });
}

function isAtOriginOf(href: string, url: string): boolean {
  return originOf(href) === new URL(url).origin;
}
