import { bearer, suspendOnPageHide } from 'rxchange';
import { connectExchange } from 'rxchange/ews';
import { connectUcwa } from 'rxchange/ucwa';

// The servers are in the address of the page: ?ucwa=…&ews=…
const servers = new URLSearchParams(globalThis.location?.search);

/** One connection per page. Nothing is sent before a component subscribes. */
export const ucwa = connectUcwa({
  server: servers.get('ucwa') ?? 'http://127.0.0.1:8001/ucwa/oauth/v1/applications',
  auth: bearer('secret'),
  whenUnreachable: 'wait',
});

export const exchange = connectExchange({
  server: servers.get('ews') ?? 'http://127.0.0.1:8002/EWS/Exchange.asmx',
  auth: bearer('secret'),
  whenUnreachable: 'wait',
});

suspendOnPageHide(ucwa);
suspendOnPageHide(exchange);
