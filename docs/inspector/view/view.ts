import type {
  InspectorRecord,
  RequestRecord,
  ServerRecord,
  StatusRecord,
} from '../../../lib/inspector/records.ts';
import { availabilityOf, type Lane, laneAfter } from './lane.ts';
import { type LedgerEntry, ledgerAfter } from './ledger.ts';

/** How many requests the view has; older ones are dropped. */
const MOST_REQUESTS = 200;
/** How many lanes the view has. Lanes that have ended are dropped first. */
const MOST_LANES = 40;

/** A connection as the page shows it. */
export interface Connection {
  readonly name: string;
  readonly protocol: 'UCWA' | 'EWS';
  readonly status?: StatusRecord;
  readonly server?: ServerRecord;
}

/** The state of the page after the records so far. Its size is bounded. */
export interface View {
  readonly connections: ReadonlyMap<string, Connection>;
  /** By stream, in the order in which they began. */
  readonly lanes: ReadonlyMap<string, Lane>;
  readonly requests: readonly RequestRecord[];
  readonly ledger: readonly LedgerEntry[];
  /** The availability of each contact that a stream has shown. */
  readonly contacts: ReadonlyMap<string, string>;
  readonly events: number;
  /** The time of the last record. */
  readonly at: number;
}

export const EMPTY: View = {
  connections: new Map(),
  lanes: new Map(),
  requests: [],
  ledger: [],
  contacts: new Map(),
  events: 0,
  at: 0,
};

/** Returns the view after more records: a pure function. Many records at once cost little more than one. */
export function viewAfter(before: View, records: readonly InspectorRecord[]): View {
  if (records.length === 0) return before;
  const connections = new Map(before.connections);
  const lanes = new Map(before.lanes);
  const requests: RequestRecord[] = [];
  const ofStreams = new Map<string, InspectorRecord[]>();
  let { ledger, contacts, events, at } = before;

  for (const record of records) {
    at = Math.max(at, record.at);
    const known = connections.get(record.connection);
    switch (record.type) {
      case 'connection':
        connections.set(record.connection, { ...known, name: record.connection, protocol: record.protocol });
        break;
      case 'status':
        if (known !== undefined) connections.set(record.connection, { ...known, status: record });
        break;
      case 'server':
        if (known !== undefined) connections.set(record.connection, { ...known, server: record });
        break;
      case 'request':
        requests.push(record);
        break;
      case 'release':
        ledger = ledgerAfter(ledger, record);
        break;
      case 'event':
        events += 1;
        contacts = contactsAfter(contacts, record.value);
        break;
      case 'stream':
        break;
    }
    if (isOfStream(record)) {
      const together = ofStreams.get(record.stream);
      if (together === undefined) ofStreams.set(record.stream, [record]);
      else together.push(record);
    }
  }
  for (const [stream, together] of ofStreams) {
    const lane = laneAfter(lanes.get(stream), together);
    if (lane !== undefined) lanes.set(stream, lane);
  }
  return {
    connections,
    lanes: fewer(lanes),
    requests:
      requests.length === 0 ? before.requests : [...before.requests, ...requests].slice(-MOST_REQUESTS),
    ledger,
    contacts,
    events,
    at,
  };
}

function fewer(lanes: ReadonlyMap<string, Lane>): ReadonlyMap<string, Lane> {
  const excess = lanes.size - MOST_LANES;
  if (excess <= 0) return lanes;
  const ended = [...lanes.values()].filter(({ end }) => end !== undefined);
  const dropped = new Set([...ended, ...lanes.values()].slice(0, excess).map(({ stream }) => stream));
  return new Map([...lanes].filter(([stream]) => !dropped.has(stream)));
}

/** A state of a contact has a `uri`; a board is an object of states by URI. */
function contactsAfter(before: ReadonlyMap<string, string>, value: unknown): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null) return before;
  const states =
    availabilityOf(value) === undefined ? Object.entries(value) : [[uriOf(value), value] as const];
  const found = states.flatMap(([uri, state]) => {
    const availability = availabilityOf(state);
    return uri === undefined || availability === undefined ? [] : [[uri, availability] as const];
  });
  if (found.every(([uri, availability]) => before.get(uri) === availability)) return before;
  return new Map([...before, ...found].slice(-MOST_REQUESTS));
}

function uriOf(state: object): string | undefined {
  return 'uri' in state && typeof state.uri === 'string' ? state.uri : undefined;
}

/** Returns how many resources the servers have, or undefined if no record says it. */
export function remaining({ connections }: View): number | undefined {
  const servers = [...connections.values()].flatMap(({ server }) => server ?? []);
  return servers.length === 0 ? undefined : servers.reduce((sum, { resources }) => sum + resources.length, 0);
}

/** Returns how many mails the stream that has received most of them has received. */
export function mailReceived({ lanes }: View): number {
  return Math.max(0, ...[...lanes.values()].map(({ mails }) => mails));
}

/** Returns the contacts' availability on the servers, and how many mails they have delivered. */
export function onServer({ connections }: View): {
  readonly presence: Readonly<Record<string, string>>;
  readonly mail?: number;
} {
  const servers = [...connections.values()].flatMap(({ server }) => server ?? []);
  const mail = servers.find((server) => server.mail !== undefined)?.mail;
  const presence = servers.find((server) => server.presence !== undefined)?.presence ?? {};
  return { presence, ...(mail === undefined ? {} : { mail }) };
}

/** Returns whether no connection waits: what the streams show is then current. */
export function isCurrent({ connections }: View): boolean {
  return [...connections.values()].every(({ status }) => status?.state !== 'waiting');
}

/** Returns the contacts of the board that is subscribed to last; undefined if there is none. */
export function sharedContacts({ lanes }: View): readonly string[] | undefined {
  const board = [...lanes.values()].findLast(
    ({ name, end }) => name === 'presenceBoard' && end === undefined,
  );
  const last = board?.marks.findLast(({ type }) => type === 'event')?.value;
  return typeof last === 'object' && last !== null ? Object.keys(last) : undefined;
}

function isOfStream(record: InspectorRecord): record is InspectorRecord & { readonly stream: string } {
  return 'stream' in record;
}
