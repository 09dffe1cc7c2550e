import { take } from 'rxjs';
import { exchange } from '../../lib/ews/service.ts';
import { pullNotifications } from '../../lib/ews/pull.ts';
import { streamingNotifications } from '../../lib/ews/streaming.ts';
import { connect } from '../../lib/ucwa/connect.ts';
import { presence } from '../../lib/ucwa/presence.ts';

/**
 * A process that watches something on the server whose URL it is given, leaves, and has nothing more to do. It
 * prints whether the server was left clean.
 */
const [how, url = ''] = process.argv.slice(2);
const folders = { folders: ['inbox'], events: ['newMail'] } as const;

if (how === 'ucwa') {
  const ucwa = connect({ applications: url, token: 'secret' });
  presence(ucwa, { uris: ['sip:sara@contoso.com'] })
    .pipe(take(1))
    .subscribe({ complete: () => void ucwa.drain().then(({ clean }) => console.log(clean)) });
} else {
  const service = exchange({ url, token: 'secret' });
  const events$ =
    how === 'pull' ? pullNotifications(service, folders) : streamingNotifications(service, folders);
  events$
    .pipe(take(1))
    .subscribe({ complete: () => void service.drain().then(({ clean }) => console.log(clean)) });
}
