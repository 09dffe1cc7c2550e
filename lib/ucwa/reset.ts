import { beforeQuery } from '../core/text.ts';
import type { ResetEvent, ResetKind, UcwaEvent } from './events.ts';
import type { NamedLink } from './wire.ts';

/**
 * The event for what the server says that it has lost, by a link in an answer of the event channel.
 *
 * Its hrefs have no query: following one with its `ack` would acknowledge events, and others can be secret.
 */
export function lossEvent(rel: 'resume' | 'resync', href: string, channel: string): ResetEvent {
  const link = { rel, href: beforeQuery(href) };
  return { type: 'reset', reset: rel, link, sender: { rel: 'events', href: beforeQuery(channel) } };
}

/** The event for what was gone and has been made again on an application. */
export function recreationEvent(link: NamedLink, application: string): ResetEvent {
  return { type: 'reset', reset: 'recreated', link, sender: { rel: 'application', href: application } };
}

/** What was lost, where an event tells of a loss. */
export function lossIn(event: UcwaEvent): ResetKind | undefined {
  return event.type === 'reset' && 'reset' in event ? event.reset : undefined;
}
