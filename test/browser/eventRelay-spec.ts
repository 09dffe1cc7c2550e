import { expect } from 'chai';
import type { ServerResponse } from 'node:http';
import type { Page } from 'playwright-core';
import { eventRelay } from '../../docs/recipes/eventRelay.ts';
import { connectExchange, pullNotifications } from '../../lib/ews/index.ts';
import { eventually } from '../support/browser/eventually.ts';
import { withContext } from '../support/browser/withContext.ts';
import { httpServer } from '../support/net/httpServer.ts';

const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>Mail</title>
<link rel="icon" href="data:,">
<ul></ul>
<output></output>
<script>
const events = new EventSource('/mail');
events.onmessage = ({ data }) => {
  const { type } = JSON.parse(data);
  // A pull stream reports that nothing has happened, too.
  if (type === 'status') return;
  document.querySelector('ul').append(Object.assign(document.createElement('li'), { textContent: type }));
};
events.addEventListener('status', ({ data }) => {
  document.querySelector('output').textContent = JSON.parse(data).state;
});
</script>
`;

const shown = (page: Page): Promise<string[]> => page.locator('li').allTextContents();

describe('In a browser, the relay of EWS events', () => {
  it('serves three tabs with one subscription, and leaves nothing', () =>
    withContext(
      async ({ context, ews }) => {
        const exchange = connectExchange({ server: ews.url });
        const mail$ = pullNotifications(exchange, {
          ...{ folders: ['inbox'], events: ['newMail'], pollIntervalSeconds: 0.1 },
        });
        const handle = eventRelay(mail$, exchange.status$);
        const open: ServerResponse[] = [];
        const relay = await httpServer((request, response) => {
          if (request.url === '/mail') {
            open.push(response);
            void handle(request, response);
          } else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
        });
        try {
          const pages = [await context.newPage(), await context.newPage(), await context.newPage()];
          for (const page of pages) await page.goto(relay.url);
          for (const page of pages) await page.locator('output', { hasText: 'live' }).waitFor();
          expect(ews.subscriptions).to.have.length(1);
          ews.deliverMail();
          for (const page of pages)
            await eventually(async () => expect(await shown(page)).to.deep.equal(['newMail']));

          // The browser reconnects on its own, and receives what it missed.
          open[0]?.destroy();
          ews.deliverMail();
          for (const page of pages)
            await eventually(async () => expect(await shown(page)).to.deep.equal(['newMail', 'newMail']));

          for (const page of pages) await page.close();
          await eventually(() => expect(ews.subscriptions).to.be.empty);
        } finally {
          await relay.close();
          await exchange.close();
        }
      },
      { expectedErrors: /ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET/ },
    ));
});
