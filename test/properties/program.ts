import type { Fault } from '../../lib/testing/index.ts';
import type { StreamEnd } from '../../lib/testing/ews/streaming/streaming.ts';
import type { EwsFailure, EwsOperation } from '../../lib/testing/ews/simulator.ts';
import type { EwsDialect } from '../../lib/testing/ews/dialect.ts';

/** A program as data: the steps of the application and of the server, and the failures. */
export type Program = UcwaProgram | EwsProgram;

/** The part that programs of both protocols have. */
interface CommonProgram {
  /** In any order: what counts is when. */
  readonly steps: readonly Step[];
  /** How the remaining subscribers unsubscribe at the end. */
  readonly ending: 'unsubscribe' | 'close';
}

/** A program on UCWA. */
export interface UcwaProgram extends CommonProgram {
  readonly protocol: 'UCWA';
  readonly settings: UcwaSettings;
}

/** A program on EWS. */
export interface EwsProgram extends CommonProgram {
  readonly protocol: 'EWS';
  readonly settings: EwsSettings;
}

/** The type of the server, and the options of the client. */
export interface UcwaSettings {
  readonly latencyMs: number;
  readonly mediumSeconds: number;
  readonly contactHrefs: 'address' | 'opaque';
  /** How the server calls the parameter of its cursor. */
  readonly cursorParameter: 'ack' | 'ck';
  readonly ack: 'eager' | 'processed';
  /** The grace time of a shared subscription. */
  readonly graceSeconds: number;
  /** The grace time of an application. @default the library's default */
  readonly applicationGraceSeconds: number | undefined;
  /** How many requests go out together at most; 1 sends each alone. */
  readonly maxParts: number;
}

/** The type of the server, and the options of the client. */
export interface EwsSettings {
  readonly dialect: EwsDialect;
  readonly latencyMs: number;
  readonly chunkBytes: number;
  readonly maxStreams: number;
  readonly maxConnections: number;
  /** The grace time of a shared subscription. */
  readonly graceSeconds: number;
  readonly onLost: 'resume' | 'recreate';
  /** How much more time all takes than usual: 1 or more. */
  readonly pace: number;
  /** Programs with push notifications take their time: minutes, not seconds. */
  readonly isOfPush: boolean;
}

/** One thing that happens, in virtual milliseconds from the start. */
export type Step = { readonly at: number } & (
  Visit | Event | Failure | Upheaval | Misleading | Leap | Draining | Closing
);

/** The types of streams. */
export type Way = 'presence' | 'states' | 'events' | 'batches' | 'contacts' | 'pull' | 'streaming' | 'push';

/** A subscriber that unsubscribes in some way. */
export interface Visit {
  readonly what: 'visit';
  readonly to: Way;
  /** The number of the contact or folder. */
  readonly place: number;
  /** For oneself, or with others: by `graceSeconds` of the library, or by `share` of RxJS. */
  readonly sharing: 'own' | 'graced' | 'share';
  /** How often it is subscribed to again after an error. */
  readonly retries: number;
  readonly leaving: Leaving;
  /** With which value it makes something happen at once, at every place; 0 for never. */
  readonly provokes: number;
}

/** How a subscriber unsubscribes. */
export type Leaving =
  | { readonly how: 'unsubscribe' | 'switchMap'; readonly afterMs: number }
  | { readonly how: 'take' | 'operatorThrows' | 'observerThrows'; readonly events: number }
  | { readonly how: 'stays' };

/** An event of each target, which every subscriber gets. */
export interface Event {
  readonly what: 'event';
  /** So often, at once. */
  readonly count: number;
}

/** Which requests go wrong. */
export type Target =
  'channel' | 'creation' | 'removal' | 'application' | 'any request' | 'post' | EwsOperation;

/** A failure of the next requests of a type. */
export interface Failure {
  readonly what: 'failure';
  readonly on: Target;
  readonly how: Fault | EwsFailure;
  readonly count: number;
}

/** An upheaval of the server or of the connection, without a request. */
export interface Upheaval {
  readonly what: 'upheaval';
  readonly how:
    | 'a subscription ends'
    | 'all subscriptions expire'
    | 'it restarts'
    | 'a resync'
    | 'a resume'
    | 'events are lost before a resume'
    | 'the watermarks are forgotten'
    | 'the streams fall silent'
    | 'an envelope is corrupt'
    | 'another token is wanted'
    | 'the channel is tuned'
    | { readonly streamsEnd: StreamEnd }
    | { readonly stallMs: number };
}

/** A link in the next matching response leads to another origin. */
export interface Misleading {
  readonly what: 'misleading';
  readonly on: Target;
}

/** The machine sleeps: overdue timers fire late, all at once. */
export interface Leap {
  readonly what: 'leap';
  readonly ms: number;
}

/** A call of drain(). */
export interface Draining {
  readonly what: 'drain';
  readonly timeoutMs?: number;
}

/** The connection is closed. */
export interface Closing {
  readonly what: 'close';
  readonly timeoutMs?: number;
}
