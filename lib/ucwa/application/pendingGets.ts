import { type ChannelParameters, type Cursor, withParameters } from '../protocol/cursor.ts';

/** The pending GETs of one application: what they told the server, and which may still arrive. */
export interface PendingGets {
  /** The parameters that the server was told; undefined if it has lost them. */
  readonly told: ChannelParameters | undefined;
  /** The priority of the latest one. */
  readonly priority: number;
  /** The least priority of the next one: higher than that of each one that may still arrive. */
  readonly least: number;
  /** When the latest were given up unanswered, in milliseconds: each can replace a newer one once. */
  readonly strays: readonly number[];
  /** When replacements were ascribed to them, in milliseconds. */
  readonly ascribed: readonly number[];
}

/** How long a request may take to arrive after it was given up, in milliseconds: proxies hold some for a minute. */
export const LATE_MS = 60_000;
/** How many replacements in such a time are ascribed to our own requests: a foreign client must be reported. */
const MOST_STRAYS = 3;

/** Returns the state of an application that was created. One that was found may have a GET of an earlier life. */
export function noPendingGets(isNew: boolean, now: number): PendingGets {
  return { told: undefined, priority: 0, least: 0, strays: isNew ? [] : [now], ascribed: [] };
}

/**
 * Returns the pending GET to send at a link, and the state after it: a pure function.
 *
 * The link is followed verbatim. Parameters are added when the server does not know them, and a `priority` when one
 * of our own may still arrive: of two, the server keeps that of the same or higher priority. [EventChannelDetails]
 */
export function toSend(
  gets: PendingGets,
  link: Cursor,
  parameters: ChannelParameters,
): readonly [Cursor, PendingGets] {
  const priority = Math.max(parameters.priority ?? 0, gets.least);
  const raised = priority > (gets.told === parameters ? gets.priority : 0) ? { priority } : {};
  const added = { ...(gets.told === parameters ? {} : parameters), ...raised };
  return [withParameters(link, added), { ...gets, told: parameters, priority, least: priority }];
}

/** Returns the state after the latest one was given up unanswered: it may arrive after the next one. */
export function afterGivingUp(gets: PendingGets, now: number): PendingGets {
  return {
    ...gets,
    least: gets.priority + 1,
    strays: [...gets.strays, now].slice(-MOST_STRAYS),
  };
}

/** Returns the state after one of our own has replaced the latest; undefined if it was another client's. */
export function afterReplacement(gets: PendingGets, now: number): PendingGets | undefined {
  const isRecent = (at: number): boolean => now - at <= LATE_MS;
  const [stray, ...strays] = gets.strays.filter(isRecent);
  const ascribed = [...gets.ascribed.filter(isRecent), now];
  if (stray === undefined || ascribed.length > MOST_STRAYS) return undefined;
  // One of an earlier life may have any priority: by the second, each life has a higher one than those before.
  return { ...gets, least: Math.max(gets.priority + 1, Math.floor(now / 1000)), strays, ascribed };
}
