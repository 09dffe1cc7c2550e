import { type ChannelParameters, type Cursor, withParameters } from '../protocol/cursor.ts';

/** The pending GETs of one application. */
export interface PendingGets {
  /** The parameters that the server knows; undefined if it has lost them. */
  readonly parameters: ChannelParameters | undefined;
  /** The priority of the latest GET. */
  readonly priority: number;
  /** The lowest priority of the next GET: higher than that of every GET that may still arrive. */
  readonly minPriority: number;
  /**
   * When the latest GETs were aborted without a response, in milliseconds: each can replace a newer GET once.
   */
  readonly strays: readonly number[];
  /** When one of those was found to have replaced a newer GET, in milliseconds. */
  readonly ascribed: readonly number[];
}

/**
 * How long a request may take to arrive after it was given up, in milliseconds: proxies hold some for a
 * minute.
 */
export const LATE_MS = 60_000;
/**
 * How many replacements in such a time are ascribed to our own requests: a foreign client must be reported.
 */
const MOST_STRAYS = 3;

/**
 * Returns the initial state. An application that existed before may have a pending GET of an earlier process.
 */
export function noPendingGets(isNew: boolean, now: number): PendingGets {
  return { parameters: undefined, priority: 0, minPriority: 0, strays: isNew ? [] : [now], ascribed: [] };
}

/**
 * Returns the pending GET to send at a link, and the state after it: a pure function.
 *
 * The link is followed verbatim. Parameters are added if the server does not know them, and a `priority` if
 * one of our own GETs may still arrive: of two, the server keeps the one of the same or higher priority.
 *
 * @see [MS-UCWA] EventChannelDetails
 */
export function toSend(
  gets: PendingGets,
  link: Cursor,
  parameters: ChannelParameters,
): readonly [Cursor, PendingGets] {
  const priority = Math.max(parameters.priority ?? 0, gets.minPriority);
  const raised = priority > (gets.parameters === parameters ? gets.priority : 0) ? { priority } : {};
  const added = { ...(gets.parameters === parameters ? {} : parameters), ...raised };
  return [withParameters(link, added), { ...gets, parameters, priority, minPriority: priority }];
}

/**
 * Returns the state after the latest GET was aborted without a response: it may arrive after the next one.
 */
export function afterGivingUp(gets: PendingGets, now: number): PendingGets {
  return {
    ...gets,
    minPriority: gets.priority + 1,
    strays: [...gets.strays, now].slice(-MOST_STRAYS),
  };
}

/**
 * Returns the state after a replacement of the latest GET by one of our own; undefined if it was another
 * client's.
 */
export function afterReplacement(gets: PendingGets, now: number): PendingGets | undefined {
  const isRecent = (at: number): boolean => now - at <= LATE_MS;
  const [stray, ...strays] = gets.strays.filter(isRecent);
  const ascribed = [...gets.ascribed.filter(isRecent), now];
  if (stray === undefined || ascribed.length > MOST_STRAYS) return undefined;
  // A GET of an earlier process may have any priority. The time in seconds is higher than those of all
  // earlier processes.
  return { ...gets, minPriority: Math.max(gets.priority + 1, Math.floor(now / 1000)), strays, ascribed };
}
