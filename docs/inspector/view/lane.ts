import type { InspectorRecord, StreamRecord } from '../../../lib/inspector/records.ts';
import { isGood } from './ledger.ts';

/** How many marks a lane has; older ones are dropped. */
const MOST_MARKS = 2000;

/** Something on a lane, at a time. */
export interface Mark {
  readonly at: number;
  readonly type:
    'subscribed' | 'created' | 'event' | 'gap' | 'unsubscribed' | 'completed' | 'failed' | 'release';
  /** One or two words, such as `updated` or `204`. */
  readonly label: string;
  /** The letter or number on a marble. */
  readonly glyph: string;
  /** One line. */
  readonly text: string;
  /** The value of an event, or an error. */
  readonly value?: unknown;
  /** Of a release: whether it has ended as it should. */
  readonly isGood?: boolean;
}

/** The marble diagram of one stream. */
export interface Lane {
  readonly stream: string;
  readonly connection: string;
  readonly name: string;
  readonly detail: string;
  readonly subscribedAt: number;
  /** When the server had created a subscription, or an event showed it. */
  readonly createdAt?: number;
  readonly endedAt?: number;
  readonly end?: 'unsubscribed' | 'completed' | 'failed';
  /** The numbers of its releases that are pending. */
  readonly pending: readonly number[];
  /** When its last release had an outcome. */
  readonly releasedAt?: number;
  readonly marks: readonly Mark[];
  readonly events: number;
  readonly mails: number;
}

/** Returns a lane after records of its stream; undefined if its beginning is not known. */
export function laneAfter(before: Lane | undefined, records: readonly InspectorRecord[]): Lane | undefined {
  let lane = before;
  const added: Mark[] = [];
  for (const record of records) {
    if (record.type === 'stream' && record.state === 'subscribed') lane ??= begun(record);
    if (lane === undefined) continue;
    lane = afterRecord(lane, record);
    const mark = markOf(record);
    if (mark !== undefined) added.push(mark);
  }
  if (lane === undefined || added.length === 0) return lane;
  return { ...lane, marks: [...lane.marks, ...added].slice(-MOST_MARKS) };
}

function begun({ stream, connection, name, detail, at }: StreamRecord): Lane {
  return { stream, connection, name, detail, subscribedAt: at, pending: [], marks: [], events: 0, mails: 0 };
}

function afterRecord(lane: Lane, record: InspectorRecord): Lane {
  const { at } = record;
  switch (record.type) {
    case 'event':
      return {
        ...{ ...lane, createdAt: lane.createdAt ?? at, events: lane.events + 1 },
        mails: lane.mails + (record.name === 'newMail' ? 1 : 0),
      };
    case 'stream':
      if (record.state === 'subscribed') return lane;
      if (record.state === 'created') return { ...lane, createdAt: lane.createdAt ?? at };
      return { ...lane, end: record.state, endedAt: at };
    case 'release':
      return record.state === 'pending'
        ? { ...lane, pending: [...others(lane, record.release), record.release] }
        : { ...lane, pending: others(lane, record.release), releasedAt: at };
    case 'connection':
    case 'request':
    case 'server':
    case 'status':
      return lane;
  }
}

function others({ pending }: Lane, release: number): readonly number[] {
  return pending.filter((one) => one !== release);
}

function markOf(record: InspectorRecord): Mark | undefined {
  const { at } = record;
  switch (record.type) {
    case 'event': {
      const { name: label, summary: text, value } = record;
      return {
        at,
        type: label === 'gap' ? 'gap' : 'event',
        label,
        glyph: glyphOf(label, value),
        text,
        value,
      };
    }
    case 'stream': {
      const { state: type, error, id, detail } = record;
      const text =
        { subscribed: detail, created: id ?? '', failed: error?.message ?? '' }[type as string] ?? '';
      return { at, type, label: type, glyph: '', text, ...(error === undefined ? {} : { value: error }) };
    }
    case 'release': {
      const { state, response, resource, id, attempts, hint, error } = record;
      if (state === 'pending') return undefined;
      const text = [`${resource} ${id ?? ''}`.trim(), state, hint].filter(Boolean).join(' · ');
      const value = { attempts, error };
      return { at, type: 'release', label: response ?? state, glyph: '', text, value, isGood: isGood(state) };
    }
    case 'connection':
    case 'request':
    case 'server':
    case 'status':
      return undefined;
  }
}

/** Returns the initial of an event or an availability, or the number of contacts on a board. */
function glyphOf(label: string, value: unknown): string {
  const availability = availabilityOf(value);
  if (availability !== undefined) return availability.charAt(0);
  const isBoard = label === 'value' && typeof value === 'object' && value !== null;
  return isBoard ? String(Object.keys(value).length) : label.charAt(0);
}

/** Returns the availability of the state of a contact. */
export function availabilityOf(state: unknown): string | undefined {
  if (typeof state !== 'object' || state === null || !('availability' in state)) return undefined;
  return typeof state.availability === 'string' ? state.availability : undefined;
}

/** Returns whether the server may still have a subscription of a stream that has ended. */
export function isReleasing({ end, pending }: Lane): boolean {
  return end !== undefined && pending.length > 0;
}
