import type { Observable } from 'rxjs';
import type { InspectorRecord } from './records.ts';

/** Something that a person can do in a playground. Streams are named as in the records, such as `UCWA 1`. */
export type PlaygroundCommand =
  | { readonly do: 'subscribe'; readonly to: SubscribeTo; readonly uris?: readonly string[] }
  | { readonly do: 'unsubscribe'; readonly stream: string }
  /** Subscribes, and unsubscribes while the request is in flight. */
  | { readonly do: 'unsubscribeMidAcquire'; readonly to: SubscribeTo }
  /** Changes the contacts of a `sharedBoard`. */
  | { readonly do: 'setContacts'; readonly uris: readonly string[] }
  | { readonly do: 'setPresence'; readonly uri: string; readonly availability: string }
  | { readonly do: 'deliverMail' }
  | { readonly do: 'cutNetwork' }
  | { readonly do: 'restoreNetwork' }
  | { readonly do: 'restartServer' }
  | { readonly do: 'forgetEverything' }
  /** The server acts on the next request, and its response is lost. */
  | { readonly do: 'loseResponse' };

/** A stream to subscribe to. All subscribers of `sharedBoard` share one subscription on the server. */
export type SubscribeTo =
  'presence' | 'presenceBoard' | 'sharedBoard' | 'pullNotifications' | 'streamingNotifications';

/** Connections that can be watched and commanded: in this page, or in another process. */
export interface Playground {
  /** The records of all connections. Late subscribers receive the last 2,000 first. */
  readonly records$: Observable<InspectorRecord>;
  /** The commands that are possible. Real servers cannot be restarted, for instance. */
  readonly commands: readonly PlaygroundCommand['do'][];
  /** The streams that can be subscribed to. */
  readonly streams: readonly SubscribeTo[];
  /** Runs a command. Rejects with an Error whose message says why it is impossible. */
  run(command: PlaygroundCommand): Promise<void>;
  /** Ends all streams and releases everything. */
  close(): Promise<void>;
}
