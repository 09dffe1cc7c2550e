import { writeSync } from 'node:fs';
import { fileCheckpoints } from '../../lib/core/fileCheckpoints.ts';
import { exchange } from '../../lib/ews/service.ts';
import { pullNotifications } from '../../lib/ews/pull.ts';

/**
 * A process that watches new mail on the server whose URL it is given, with a checkpoint in a file. What it
 * prints is what it has processed: a line for each event and each outcome. It leaves when it is told to end.
 */
const [url = '', path = ''] = process.argv.slice(2);

// At once, so that what was processed can be read even if the process is killed right then.
const print = (value: unknown): void => void writeSync(1, `${JSON.stringify(value)}\n`);

const service = exchange({ url, token: 'secret', retry: { initialMs: 5 } });
service.releases.outcomes$.subscribe(({ outcome, id }) => print({ outcome, id }));
pullNotifications(service, {
  folders: ['inbox'],
  events: ['newMail'],
  pollIntervalSeconds: 0.01,
  checkpoint: { store: fileCheckpoints(path), key: 'inbox' },
}).subscribe(print);
process.once('SIGTERM', () => void service.close());
