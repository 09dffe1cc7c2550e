// A page with the simulators inside, as a test or a demo without a server has it.
import { bearer } from 'rxchange';
import { connectExchange, streamingNotifications } from 'rxchange/ews';
import { inspect } from 'rxchange/inspector';
import { deleted, ofRel } from 'rxchange/operators';
import { ewsSimulator, ucwaSimulator } from 'rxchange/testing';
import { connectUcwa, presence } from 'rxchange/ucwa';
import { firstValueFrom } from 'rxjs';

const show = (text) =>
  document.querySelector('ol').append(Object.assign(document.createElement('li'), { textContent: text }));

const pool = ucwaSimulator({ mediumSeconds: 0 });
const ucwa = connectUcwa({ server: pool.url, auth: bearer('secret'), transport: pool.transport });
inspect(ucwa).subscribe((record) => {
  if (record.type === 'stream') show(`${record.name} ${record.state}`);
});
ucwa.events$
  .pipe(ofRel('presenceSubscription'), deleted())
  .subscribe(() => show('the server announces the removal'));
const watching = presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe();
show(`${pool.presenceSubscriptions.length} presence subscription`);
watching.unsubscribe();

const mailServer = ewsSimulator();
const exchange = connectExchange({ server: mailServer.url, transport: mailServer.transport });
const mail = firstValueFrom(streamingNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }));
mailServer.deliverMail();
show(`EWS ${(await mail).type}`);

await Promise.all([ucwa.drain(), exchange.drain()]);
show(`${pool.presenceSubscriptions.length} and ${mailServer.subscriptions.length} left`);
