import { expect } from 'chai';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { lastValueFrom, of, throwError } from 'rxjs';
import { fetchTransport, type HttpResponse, NetworkError, type Transport } from '../lib/index.ts';
import { withProgress } from '../lib/core/transport/withProgress.ts';
import { headersFrom, type RequestProgress } from '../lib/core/transport/transport.ts';
import { connectExchange, pullNotifications } from '../lib/ews/index.ts';
import { ewsSimulator, ucwaSimulator } from '../lib/testing/index.ts';
import { connectUcwa, presence } from '../lib/ucwa/index.ts';
import { bearer } from '../lib/core/auth/auth.ts';

const applications = 'https://pool.contoso.com/ucwa/v1/applications';

/** The message of the error that a connection ends with after this response. */
function messages(answer: Partial<HttpResponse> & { readonly body?: string }): { ucwa: string; ews: string } {
  const { status = 200, headers = headersFrom({}), body = '' } = answer;
  const transport: Transport = ({ url }) =>
    of({ status, url, headers, body$: of(new TextEncoder().encode(body)) });
  return ends(transport);
}

function ends(transport: Transport): { ucwa: string; ews: string } {
  const seen = { ucwa: '', ews: '' };
  connectUcwa({ server: applications, transport, retry: { retries: 0 } }).events$.subscribe({
    error: ({ message }: Error) => (seen.ucwa = message),
  });
  const server = 'https://mail.contoso.com/EWS/Exchange.asmx';
  pullNotifications(connectExchange({ server, transport, retry: { retries: 0 } }), {
    folders: ['inbox'],
    events: ['newMail'],
  }).subscribe({ error: ({ message }: Error) => (seen.ews = message) });
  return seen;
}

describe('Messages of errors', () => {
  it('say after a 401 that no sign-in was configured', () => {
    const ucwa = ucwaSimulator();
    const errors: string[] = [];
    connectUcwa({ server: ucwa.url, transport: ucwa.transport }).events$.subscribe({
      error: ({ message }: Error) => errors.push(message),
    });
    const ews = ewsSimulator({ token: 'secret' });
    pullNotifications(connectExchange({ server: ews.url, transport: ews.transport }), {
      folders: ['inbox'],
      events: ['newMail'],
    }).subscribe({ error: ({ message }: Error) => errors.push(message) });
    expect(errors[0])
      .to.contain('401')
      .and.contain('the connection has no auth: give connectUcwa() auth: bearer(token) or');
    expect(errors[1])
      .to.contain('401')
      .and.contain('the connection has no auth: give connectExchange() auth: bearer(token) or');
  });

  it('say after a 401 that a configured token was rejected', () => {
    const { url, transport } = ucwaSimulator({ token: 'good' });
    let message = '';
    connectUcwa({ server: url, transport, auth: bearer('bad') }).events$.subscribe({
      error: (error: Error) => (message = error.message),
    });
    expect(message).to.contain('the token was refused').and.not.contain('configured');
  });

  it('say after a 404 that the URL is wrong', () => {
    const { ucwa, ews } = messages({ status: 404, body: '{"code":"NotFound"}' });
    expect(ucwa).to.contain('there is no such application at this URL').and.not.contain('gone');
    expect(ews).to.contain('there is no EWS here').and.not.contain('gone');
  });

  for (const type of ['text/xml', 'text/html', 'application/json', undefined]) {
    for (const page of [
      '<!DOCTYPE html><html><p>Sign in</html>',
      '<?xml version="1.0"?>\n<html><p/></html>',
    ]) {
      it(`recognize a web page sent as ${type ?? 'no type'}: ${page.slice(0, 9)}`, () => {
        const headers = headersFrom(type === undefined ? {} : { 'content-type': type });
        const { ucwa, ews } = messages({ headers, body: page });
        expect(ucwa).to.contain('login page or a captive portal');
        if (type !== 'application/json') expect(ews).to.contain('a login page or a captive portal');
      });
    }
  }

  it('do not treat a web page as text/xml as a confirmed removal', async () => {
    const { url, transport } = ucwaSimulator();
    const headers = headersFrom({ 'content-type': 'text/xml' });
    const page: HttpResponse = { status: 200, url, headers, body$: of(new TextEncoder().encode('<html/>')) };
    const ucwa = connectUcwa({
      server: url,
      auth: bearer('secret'),
      transport: (request) => (request.method === 'DELETE' ? of(page) : transport(request)),
    });
    presence(ucwa, { uris: ['sip:sara@contoso.com'] })
      .subscribe()
      .unsubscribe();
    expect(await ucwa.drain({ timeoutMs: 0 })).to.include({ clean: false });
  });

  describe('of https to a port for http', () => {
    const send = async (transport: Transport, seen: RequestProgress[]): Promise<NetworkError> => {
      const server = createServer((_, answer) => answer.end());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const onProgress = (progress: RequestProgress): void => void seen.push(progress);
      const request = { method: 'POST', url, body: 'x', onProgress };
      const error = await lastValueFrom(withProgress(transport)(request)).catch((cause: unknown) => cause);
      await new Promise((resolve) => server.close(resolve));
      return error as NetworkError;
    };
    for (const [name, transport] of [
      ['cross-fetch', fetchTransport()],
      ["Node's fetch", fetchTransport(fetch)],
    ] as const) {
      it(`name the mistake by ${name}, and nothing reaches the server`, async () => {
        const seen: RequestProgress[] = [];
        const error = await send(transport, seen);
        expect(error).to.be.instanceOf(NetworkError).with.property('code', 'ERR_SSL_WRONG_VERSION_NUMBER');
        expect(error.message).to.contain('does not speak https');
        expect(seen).to.deep.equal(['sent', 'notProcessed']);
      });
    }
  });

  describe('of a fetch that failed', () => {
    const failing = fetchTransport(() => Promise.reject(new TypeError('Failed to fetch')));
    const messageAt = async (url: string): Promise<string> => {
      const error: unknown = await lastValueFrom(failing({ method: 'GET', url })).catch(
        (cause: unknown) => cause,
      );
      return (error as Error).message;
    };
    const inPage = async (origin: string, url: string): Promise<string> => {
      Object.defineProperty(globalThis, 'location', { value: { origin }, configurable: true });
      try {
        return await messageAt(url);
      } finally {
        Reflect.deleteProperty(globalThis, 'location');
      }
    };

    it('mention CORS in a page of another origin', async () => {
      expect(await inPage('https://app.example', applications)).to.contain('CORS');
    });

    it('mention no CORS in a same-origin page and in Node', async () => {
      expect(await inPage('https://pool.contoso.com', applications)).to.not.contain('CORS');
      expect(await messageAt(applications)).to.not.contain('CORS');
    });
  });

  it('are unchanged for other errors', () => {
    const failure = new NetworkError('no answer', { method: 'GET', url: applications }, { code: 'EPROTO' });
    const seen: RequestProgress[] = [];
    const request = {
      method: 'POST',
      url: applications,
      onProgress: (progress: RequestProgress) => void seen.push(progress),
    };
    withProgress(() => throwError(() => failure))(request).subscribe({ error: () => undefined });
    expect(seen).to.deep.equal(['sent']);
  });
});
