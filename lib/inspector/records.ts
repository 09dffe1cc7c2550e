import type { Json } from '../core/checkpoint/checkpoint.ts';
import type { ConnectionStatus, WaitingReason } from '../core/connectionStatus.ts';
import type { ReleaseOutcome } from '../core/lifecycle/releaseOutcome.ts';
import type { Activity } from '../core/transport/requestLog.ts';

/** The members of every record. Records are JSON values. */
interface RecordFields {
  /** The name of the connection, such as `UCWA`. */
  readonly connection: string;
  /** The position among the records of the connection, from 1. */
  readonly seq: number;
  /** The time, in milliseconds of the scheduler's clock. */
  readonly at: number;
}

/** An error as a record shows it. @inline */
export interface InspectedError {
  /** Such as `HttpError`. */
  readonly name: string;
  /** At most 300 characters, without secrets. */
  readonly message: string;
}

/** The connection itself: the first record of an inspection. */
export interface ConnectionRecord extends RecordFields {
  readonly type: 'connection';
  readonly protocol: 'UCWA' | 'EWS';
}

/**
 * A change of a stream: what an application has subscribed to.
 *
 * - `subscribed`: the application has subscribed. Repeated for the streams that exist when the inspection
 *   begins.
 * - `created`: the server has created a subscription for it, also after a loss. Streams that share a
 *   subscription have no such record of their own, except the first.
 * - `unsubscribed`, `completed`, `failed`: it has ended.
 */
export interface StreamRecord extends RecordFields {
  readonly type: 'stream';
  /** Identifies the stream, such as `UCWA 1`; numbers begin at 1 in each inspection. */
  readonly stream: string;
  /** The name of the function that returned it, such as `presence`. */
  readonly name: string;
  /** The contacts or folders, such as `sip:sara@contoso.com` or `inbox`; at most 300 characters. */
  readonly detail: string;
  readonly state: 'subscribed' | 'created' | 'unsubscribed' | 'completed' | 'failed';
  /** The id or href of the subscription; with `created` only. */
  readonly id?: string;
  /** With `failed` only. */
  readonly error?: InspectedError;
}

/** A value that a stream has emitted. */
export interface EventRecord extends RecordFields {
  readonly type: 'event';
  readonly stream: string;
  /** The `type` of an event, such as `updated`, `newMail` or `gap`; `value` for values without a type. */
  readonly name: string;
  /** One short line, such as `contactPresence of sip:sara@contoso.com`. */
  readonly summary: string;
  /** The value. Long texts and lists are cut. */
  readonly value: Json;
}

/** A request that has ended: what `activity$` emits. */
export interface RequestRecord extends RecordFields, Omit<Activity, 'sentAt'> {
  readonly type: 'request';
  /** The time at which it was sent, in milliseconds. */
  readonly sentAt: number;
}

/** A release: `pending`, and later its outcome. */
export interface ReleaseRecord extends RecordFields {
  readonly type: 'release';
  /** Identifies the release; numbers begin at 1 in each inspection. */
  readonly release: number;
  /** The stream whose end began it; missing for one that no stream began, such as that of an application. */
  readonly stream?: string;
  /** The protocol's name of the resource, such as `presenceSubscription`. */
  readonly resource: string;
  /** The id or href; missing while the response to the creation is outstanding. */
  readonly id?: string;
  readonly state: 'pending' | ReleaseOutcome['outcome'];
  /** The response of the server, such as `204`, `404` or `NoError`; if known. */
  readonly response?: string;
  readonly attempts?: number;
  /** As in the outcome, such as `{ deletedEvent: 'seen' }`. */
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
  readonly error?: InspectedError;
  /** The fate of a resource whose id is unknown. */
  readonly hint?: string;
}

/** A status of the connection. Times are in milliseconds. */
export interface StatusRecord extends RecordFields {
  readonly type: 'status';
  readonly state: ConnectionStatus['state'];
  readonly since?: number;
  readonly reason?: WaitingReason;
  readonly attempt?: number;
  readonly retryAt?: number;
  readonly error?: InspectedError;
}

/** Something that exists on the server. @inline */
export interface ServerResource {
  /** The protocol's name of it, such as `application`, `presenceSubscription` or `PullSubscription`. */
  readonly resource: string;
  readonly id: string;
  /** Such as the contacts or folders. */
  readonly detail: string;
}

/**
 * Everything that the server still has, after each change. `inspect` cannot know it: simulators report it.
 */
export interface ServerRecord extends RecordFields {
  readonly type: 'server';
  /** Whether the network to it works. */
  readonly isReachable: boolean;
  readonly resources: readonly ServerResource[];
  /** The availability of each contact by URI; UCWA only. */
  readonly presence?: Readonly<Record<string, string>>;
  /** How many messages have arrived; EWS only. */
  readonly mail?: number;
}

/** One record of an inspection, as plain JSON; `type` distinguishes them. */
export type InspectorRecord =
  ConnectionRecord | StreamRecord | EventRecord | RequestRecord | ReleaseRecord | StatusRecord | ServerRecord;
