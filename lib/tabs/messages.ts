import type { Observable } from 'rxjs';
import type { Json } from '../core/checkpoint/checkpoint.ts';

/** A connection between a tab and its worker. `messages$` completes when the other side is gone. */
export interface Port<Received, Sent> {
  readonly messages$: Observable<Received>;
  readonly post: (message: Sent) => void;
}

/** The two sorts of streams of a worker. */
export type StreamGroup = 'states' | 'events';

/** The checkpoints of the connections, by key. Each tab has a copy, in case its worker dies. */
export type Saved = ReadonlyMap<string, Json>;

/** A message of a tab to its worker. */
export type TabMessage =
  /** The first message, and sent again when the tab is shown. The tab holds the Web Lock named `tab`. */
  | { readonly type: 'join'; readonly tab: string }
  /** The checkpoints of an earlier worker. A worker with connections responds with its own. */
  | { readonly type: 'saved'; readonly saved: Saved }
  /** `args` is the canonical JSON of the arguments: equal ones share a subscription. */
  | {
      readonly type: 'subscribe';
      readonly id: number;
      readonly group: StreamGroup;
      readonly name: string;
      readonly args: string;
    }
  | { readonly type: 'unsubscribe'; readonly id: number }
  /** The result of a `call`. */
  | { readonly type: 'result'; readonly id: number; readonly value: Encoded }
  /** The failure of a `call`. */
  | { readonly type: 'failure'; readonly id: number; readonly error: Encoded }
  /** The last message. */
  | { readonly type: 'leave' };

/** A message of the worker to one tab. */
export type WorkerMessage =
  /** The first message. The worker holds the Web Lock of this name, if it has Web Locks. */
  | { readonly type: 'welcome'; readonly lock: string | undefined }
  /** The checkpoints have changed. */
  | { readonly type: 'saved'; readonly saved: Saved }
  /** A stream has emitted a value that is no Map. */
  | { readonly type: 'next'; readonly id: number; readonly value: Encoded }
  /** A stream has emitted a Map. */
  | { readonly type: 'patch'; readonly id: number; readonly patch: MapPatch }
  | { readonly type: 'error'; readonly id: number; readonly error: Encoded }
  | { readonly type: 'complete'; readonly id: number }
  /** The tab shall call a function of its own. `args` is JSON. */
  | { readonly type: 'call'; readonly id: number; readonly name: string; readonly args: string };

/** A message on the BroadcastChannel of tabs that elect a leader. A later leader has a higher number. */
export type ChannelMessage =
  /** A tab has become the leader, and is loading its streams. */
  | { readonly type: 'elected'; readonly leader: number }
  /** The leader serves the tabs. */
  | { readonly type: 'alive'; readonly leader: number }
  /** Requests an `alive` or `elected`. */
  | { readonly type: 'ping' }
  | {
      readonly type: 'toLeader';
      readonly leader: number;
      readonly tab: string;
      readonly message: TabMessage;
    }
  | {
      readonly type: 'toTab';
      readonly leader: number;
      readonly tab: string;
      readonly message: WorkerMessage;
    };

/** A value that structured cloning copies, with its errors as {@link SentError}. */
export interface Encoded {
  readonly value: unknown;
  /** Whether the value contains errors. */
  readonly hasErrors: boolean;
}

/** An error as data: structured cloning keeps neither the class nor the fields of an error. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: unknown;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A Map, as the difference from the last one. */
export interface MapPatch {
  /** Whether `set` has all entries. */
  readonly isWhole: boolean;
  readonly set: Encoded;
  readonly deleted: readonly unknown[];
  /** The properties that the Map has besides its entries, such as `isStale` of a board. */
  readonly fields: Encoded;
}
