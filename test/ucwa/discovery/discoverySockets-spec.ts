import { expect } from 'chai';
import { firstValueFrom, type Observable } from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import { fetchTransport } from '../../../lib/core/transport/fetch.ts';
import { serve, type Served } from '../../../lib/testing/http/serve.ts';
import { ucwaDiscovery, type UcwaDiscoveryOptions } from '../../../lib/testing/ucwa/discovery/discovery.ts';
import { password } from '../../../lib/ucwa/auth/signIn.ts';
import { discover } from './discover.ts';
import { DiscoveryError, SignInError } from '../../../lib/ucwa/protocol/errors.ts';
import { httpServer } from '../../support/net/httpServer.ts';

const sara = password({ username: 'sara@contoso.com', password: 'hush' });

const errorOf = (source: Observable<unknown>): Promise<unknown> =>
  firstValueFrom(source).then(
    () => expect.fail('it did not error'),
    (error: unknown) => error,
  );

describe('discover, over real sockets', () => {
  const servers: { close(): Promise<void> }[] = [];
  const serving = async (
    options: UcwaDiscoveryOptions = {},
  ): Promise<{ hosts: ReturnType<typeof ucwaDiscovery>; server: Served }> => {
    const hosts = ucwaDiscovery(options);
    const server = await serve(hosts.transport);
    servers.push(server);
    return { hosts, server };
  };
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

  it('finds the applications and signs requests to them', async () => {
    const { hosts, server } = await serving({ users: { 'sara@contoso.com': 'hush' } });
    const { location$, signed } = discover({
      domain: 'contoso.com',
      auth: sara,
      urls: [`${server.origin}/`],
    });

    const { applications, origin } = await firstValueFrom(location$);
    const answer = await firstValueFrom(signed(fetchTransport())({ method: 'GET', url: applications }));

    expect(origin).to.equal(server.origin);
    expect(answer.status).to.equal(404);
    expect(hosts.requests.map(({ method, path, status }) => `${method} ${path} ${status}`)).to.deep.equal([
      'GET / 200',
      'GET /Autodiscover/AutodiscoverService.svc/root/oauth/user 401',
      'POST /WebTicket/oauthtoken 200',
      'GET /Autodiscover/AutodiscoverService.svc/root/oauth/user 200',
      'GET /ucwa/oauth/v1/applications 404',
    ]);
  });

  it('continues with the next URL if the first does not respond', async () => {
    const { server: closed } = await serving();
    await closed.close();
    const { server } = await serving();
    const urls = [`${closed.origin}/`, `${server.origin}/`];

    const { origin } = await firstValueFrom(discover({ domain: 'contoso.com', auth: sara, urls }).location$);

    expect(origin).to.equal(server.origin);
  });

  it('continues with the next URL when a body trickles beyond timeoutMs', async () => {
    const trickling = await httpServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const writing = setInterval(() => response.write(' '), 10);
      response.once('close', () => clearInterval(writing));
    });
    servers.push(trickling);
    const { server } = await serving();
    const urls = [`${trickling.url}/`, `${server.origin}/`];
    const { location$ } = discover({ domain: 'contoso.com', auth: sara, urls, timeoutSeconds: 0.06 });

    expect(await firstValueFrom(location$)).to.include({ origin: server.origin });
    expect(trickling.connections()).to.equal(1);
  });

  it('errors if no host responds', async () => {
    const { server } = await serving();
    await server.close();

    const error = await errorOf(
      discover({ domain: 'contoso.com', auth: sara, urls: [`${server.origin}/`] }).location$,
    );

    expect(error).to.be.instanceOf(DiscoveryError).and.include({ isTransient: true });
    expect((error as Error).cause)
      .to.be.instanceOf(NetworkError)
      .and.include({ code: 'ECONNREFUSED' });
  });

  it('follows a redirect to another server and gets its pool token', async () => {
    const pool = await serving();
    const home = await serving({ applications: `${pool.server.origin}/ucwa/oauth/v1/applications` });
    const entrance = await serving({ redirectTo: `${home.server.origin}/` });
    const { location$, signed } = discover({
      domain: 'contoso.com',
      auth: sara,
      urls: [`${entrance.server.origin}/`],
    });

    const { applications } = await firstValueFrom(location$);
    await firstValueFrom(signed(fetchTransport())({ method: 'GET', url: applications }));

    const issued = [entrance, home, pool].map(({ hosts }) => hosts.tokens.map(({ origin }) => origin));
    expect(issued).to.deep.equal([[], [home.server.origin], [pool.server.origin]]);
  });

  it('errors if the password is wrong', async () => {
    const { server } = await serving({ users: { 'sara@contoso.com': 'other' } });

    const error = await errorOf(
      discover({ domain: 'contoso.com', auth: sara, urls: [`${server.origin}/`] }).location$,
    );

    expect(error).to.be.instanceOf(SignInError).and.include({ code: 'invalid_grant' });
  });

  it('reads a challenge from several headers', async () => {
    const server = await httpServer((incoming, outgoing) => {
      const origin = `http://${incoming.headers.host ?? ''}`;
      outgoing.setHeader('content-type', 'application/json');
      if (incoming.url === '/') outgoing.end(JSON.stringify({ _links: { user: { href: '/user' } } }));
      else if (incoming.url === '/token') outgoing.end('{"access_token":"a","expires_in":28289}');
      else if (incoming.headers.authorization === 'Bearer a') {
        outgoing.end(JSON.stringify({ _links: { applications: { href: '/applications' } } }));
      } else {
        outgoing.setHeader('www-authenticate', [
          'Bearer trusted_issuers="0@contoso.com", client_id="0"',
          'Negotiate',
          `MsRtcOAuth href=${origin}/token,grant_type="urn:microsoft.rtc:windows,password"`,
        ]);
        outgoing.statusCode = 401;
        outgoing.end('<html>');
      }
    });
    servers.push(server);

    const { location$ } = discover({ domain: 'contoso.com', auth: sara, urls: [`${server.url}/`] });

    expect(await firstValueFrom(location$)).to.include({ applications: `${server.url}/applications` });
  });
});
