/** The streams of the tabs, as a SharedWorker or as a module. Its URL has the URLs of the servers. */
import type { Observable } from 'rxjs';
import { bearer } from '../../../lib/core/auth/auth.ts';
import type { CheckpointStore } from '../../../lib/core/checkpoint/checkpoint.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import type { EwsEvent } from '../../../lib/ews/protocol/events.ts';
import { checkpointed as checkpointedStream } from '../../../lib/ews/subscription/checkpointed.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import { type ServedTabs, serveTabs } from '../../../lib/tabs/serveTabs.ts';
import type { CallTab, ServedStreams } from '../../../lib/tabs/tabServer.ts';
import { checkpointed } from '../../../lib/ucwa/application/checkpointed.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';

import { type PresenceBoard, presenceBoard } from '../../../lib/ucwa/presence/presenceBoard.ts';
import type { Resource } from '../../../lib/ucwa/protocol/resource.ts';

/** The functions of a tab. */
interface TabFunctions {
  readonly token: (server: string) => Promise<string>;
}

/** The streams of the worker. */
interface Streams extends ServedStreams {
  readonly states: {
    readonly board: (uris: readonly string[]) => Observable<PresenceBoard>;
  };
  readonly events: {
    readonly mail: () => Observable<EwsEvent>;
    readonly get: (href: string) => Observable<Resource>;
    readonly mailOf: (folder: string) => Observable<EwsEvent>;
  };
}

function streams(call: CallTab<TabFunctions>, store: CheckpointStore): Streams {
  const urls = new URL(import.meta.url).searchParams;
  const ucwa = connectUcwa({
    server: urls.get('ucwa') ?? '',
    auth: bearer(() => call('token', 'ucwa')),
    checkpoint: checkpointed(store, 'ucwa'),
  });
  const exchange = connectExchange({
    server: urls.get('ews') ?? '',
    auth: bearer(() => call('token', 'ews')),
  });
  const mail = (folder: string): Observable<EwsEvent> =>
    streamingNotifications(exchange, {
      folders: [folder],
      events: ['newMail'],
      checkpoint: checkpointedStream(store, folder),
    });
  return {
    connections: [ucwa, exchange],
    states: { board: (uris) => presenceBoard(ucwa, uris, { details: [] }) },
    events: { mail: () => mail('inbox'), get: (href) => ucwa.get({ href }), mailOf: mail },
  };
}

export const served: ServedTabs<typeof streams> = serveTabs(streams);
