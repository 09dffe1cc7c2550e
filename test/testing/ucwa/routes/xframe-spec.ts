import { expect } from 'chai';
import { serve } from '../../../../lib/testing/http/serve.ts';
import { ucwaDomain } from '../../../../lib/testing/ucwa/discovery/domain.ts';
import { ucwaSimulator } from '../../../../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../../../../lib/ucwa/connect.ts';
import { presence } from '../../../../lib/ucwa/presence/presence.ts';
import { xframe } from '../../../../lib/ucwa/transport/xframe.ts';
import { xframePage } from '../../../support/browser/xframePage.ts';
import { bearer } from '../../../../lib/core/auth/auth.ts';

const ORIGIN = 'https://ucwa.example';
const PATH = '/Autodiscover/XFrame/XFrame.html';

/** Returns the response to one message of a page at `pageOrigin`. */
function posted(pageOrigin: string, message: object, failing = false): Record<string, unknown> | undefined {
  const server = ucwaSimulator();
  if (failing) server.failNext(1, 'reset', ({ url }) => url.endsWith('/applications'));
  const page = xframePage(server.transport, ORIGIN, pageOrigin);
  const frame = page.window.document.createElement('iframe');
  let answer: Record<string, unknown> | undefined;
  page.window.addEventListener('message', ({ data }) => {
    answer = JSON.parse(data as string) as Record<string, unknown>;
  });
  frame.src = `${ORIGIN}${PATH}`;
  page.window.document.body?.append(frame);
  frame.contentWindow?.postMessage(JSON.stringify(message), ORIGIN);
  return answer;
}

const CREATE = {
  ...{ type: 'post', url: `${ORIGIN}/ucwa/oauth/v1/applications`, messageId: { Id: 7 } },
  ...{ accepts: 'application/json', contentType: 'application/json' },
  headers: { Authorization: 'Bearer t' },
  data: JSON.stringify({ culture: 'en-us', endpointId: '1', userAgent: 'spec' }),
};

describe('the XFrame of ucwaSimulator', () => {
  it('is a page that requires no token', async () => {
    for (const { transport } of [ucwaSimulator({ token: 't' }), ucwaDomain()]) {
      const server = await serve(transport);
      const response = await fetch(`${server.origin}${PATH.toLowerCase()}`);
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.equal('text/html; charset=utf-8');
      expect(await response.text()).to.contain('<script>');
      await server.close();
    }
  });

  it('carries a connection and its subscription', async () => {
    const server = ucwaSimulator({ token: 'secret', mediumSeconds: 0 });
    const { window } = xframePage(server.transport, ORIGIN, 'http://localhost:8080');
    const transport = xframe({ url: `${ORIGIN}${PATH}`, window });
    const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport });
    const watching = presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe();
    expect(server.presenceSubscriptions).to.have.length(1);
    watching.unsubscribe();
    await ucwa.close();
    expect(server.presenceSubscriptions).to.deep.equal([]);
    expect(server.applications).to.deep.equal([]);
  });

  it('responds to a documented message with its id and headers', () => {
    const { responseText, ...answer } = posted('http://127.0.0.1:3000', CREATE) ?? {};
    expect(answer).to.deep.equal({
      ...{ status: 201, statusText: '', messageId: { Id: 7 } },
      headers: 'Content-Type: application/json; charset=utf-8\r\n',
    });
    expect(JSON.parse(responseText as string)).to.include({ rel: 'application' });
  });

  it('responds with status 0 when the connection fails', () => {
    expect(posted(ORIGIN, CREATE, true)).to.include({ status: 0 });
  });

  for (const origin of [ORIGIN, 'http://localhost', 'https://app.localhost:8443', 'http://[::1]:80']) {
    it(`sends requests of a page at ${origin}`, () => {
      expect(posted(origin, CREATE)).to.include({ status: 201 });
    });
  }

  for (const origin of [
    'https://evil.example',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
  ]) {
    it(`rejects requests of a page at ${origin}`, () => {
      const answer = posted(origin, CREATE);
      expect(answer).to.include({ status: 403, responseText: '' });
      expect(answer?.['headers']).to.match(/^X-Ms-diagnostics: .*reason=/);
    });
  }

  it('does not respond to a page without an origin', () => {
    expect(posted('null', CREATE)).to.equal(undefined);
  });
});
