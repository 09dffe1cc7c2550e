import { writeSync } from 'node:fs';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { fileCheckpoints } from '../../../lib/node/fileStore.ts';
import { checkpointed as ewsCheckpointed } from '../../../lib/ews/subscription/checkpointed.ts';
import { checkpointed as ucwaCheckpointed } from '../../../lib/ucwa/application/checkpointed.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { pullNotifications } from '../../../lib/ews/pull/pull.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';

/**
 * A process that watches new mail or presence with a checkpoint in a file.
 *
 * It prints a line for each processed event and each outcome, and closes the connection on SIGTERM.
 */
const [protocol, url = '', path = ''] = process.argv.slice(2);

// Synchronously, so that the line is written even if the process is killed immediately after.
const print = (value: unknown): void => void writeSync(1, `${JSON.stringify(value)}\n`);

const common = { auth: bearer('secret'), retry: { initialMs: 5 } };
const store = fileCheckpoints(path);
const key = 'watched';

if (protocol === 'ucwa') {
  const checkpoint = ucwaCheckpointed(store, key);
  const ucwa = connectUcwa({ ...common, server: url, channel: { ack: 'processed' }, checkpoint });
  ucwa.releases.outcomes$.subscribe(({ outcome, id }) => print({ outcome, id }));
  ucwa.batches$.subscribe(({ self, next, events }) => {
    for (const { type, link } of events) print({ type, href: link.href, self, next });
  });
  presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe();
  process.once('SIGTERM', () => void ucwa.close());
} else {
  const exchange = connectExchange({ ...common, server: url });
  exchange.releases.outcomes$.subscribe(({ outcome, id }) => print({ outcome, id }));
  pullNotifications(exchange, {
    folders: ['inbox'],
    events: ['newMail'],
    pollIntervalSeconds: 0.01,
    checkpoint: ewsCheckpointed(store, key),
  }).subscribe(print);
  process.once('SIGTERM', () => void exchange.close());
}
