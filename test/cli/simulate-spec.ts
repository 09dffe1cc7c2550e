import { expect } from 'chai';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { firstValueFrom } from 'rxjs';
import { run } from '../../lib/cli/run.ts';
import { discover } from '../ucwa/discovery/discover.ts';
import { password } from '../../lib/ucwa/auth/signIn.ts';
import { specTerminal } from '../support/terminal.ts';

/** Sends a text in which PORT is replaced; resolves with the status after the connection is closed. */
async function statusFor(url: string, sent: string): Promise<number> {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(sent.replaceAll('PORT', port));
  const received = await text(socket);
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(received)?.[1]);
}

describe('rxchange simulate', () => {
  const watchCommands = {
    ews: 'watch ews --interval 0.05 --url',
    'ews, as a stream,': 'watch ews --mode stream --url',
    ucwa: 'watch ucwa --uri sip:sara@contoso.com --applications',
  };
  const events = { ews: /"newMail"/, 'ews, as a stream,': /"newMail"/, ucwa: /contactPresence/ };

  for (const mode of ['ews', 'ews, as a stream,', 'ucwa'] as const) {
    it(`serves ${mode} with events to watch, until it is interrupted`, async () => {
      const server = specTerminal();
      const served = run(server, ['simulate', mode.split(',')[0]!, '--every', '0.1']);
      const url = await server.line(/^http/);
      const client = specTerminal({ RXCHANGE_TOKEN: 'any' });
      const watched = run(client, [...watchCommands[mode].split(' '), url]);
      await client.line(events[mode]);
      client.interrupt();
      expect(await watched).to.equal(0);
      server.interrupt();
      expect(await served).to.equal(0);
      expect(server.lines.err).to.deep.equal(['subscriptions left on the server: 0']);
      expect(server.lines.out.some((line) => /→ (POST|DELETE) .* 20\d/.test(line))).to.equal(true);
    });
  }

  it('prints the URL of the ucwa discovery, which accepts every user', async () => {
    const server = specTerminal();
    const served = run(server, ['simulate', 'ucwa']);
    const recorded = await server.line(/^discovery: http/);
    const discovery = discover({
      ...{ domain: 'contoso.com', urls: [recorded.replace('discovery: ', '')] },
      auth: password({ username: 'anybody', password: 'anything' }),
    });
    const { applications } = await firstValueFrom(discovery.location$);
    expect(await server.line(/^http/)).to.equal(applications);
    server.interrupt();
    expect(await served).to.equal(0);
  });

  it('prints the URLs as one line of JSON with --ready-json', async () => {
    const server = specTerminal();
    const served = run(server, ['simulate', 'ucwa', '--port', '0', '--ready-json']);
    const urls = JSON.parse(await server.line(/^\{/)) as Record<string, string>;
    expect(Object.keys(urls)).to.deep.equal(['url', 'discovery', 'xframe']);
    expect(server.lines.out).to.have.length(1);
    expect(
      await Promise.all(Object.values(urls).map(async (url) => (await fetch(url)).status)),
    ).to.deep.equal([401, 200, 200]);
    server.interrupt();
    expect(await served).to.equal(0);
  });

  it('says that the port is in use', async () => {
    const server = specTerminal();
    const served = run(server, ['simulate', 'ews']);
    const { port } = new URL(await server.line(/^http/));
    const other = specTerminal();
    expect(await run(other, ['simulate', 'ews', '--port', port])).to.equal(2);
    expect(other.lines.err).to.deep.equal([
      `rxchange simulate ews: --port ${port} is in use; choose another, or 0 for a free one; see rxchange simulate ews --help`,
    ]);
    server.interrupt();
    await served;
  });

  it('permits the requests of pages of --allow-origin', async () => {
    const server = specTerminal();
    const served = run(server, ['simulate', 'ews', '--allow-origin', 'https://app.contoso.com']);
    const url = await server.line(/^http/);
    const permitted = async (origin: string): Promise<string | null> =>
      (await fetch(url, { headers: { origin } })).headers.get('access-control-allow-origin');
    expect(await permitted('https://app.contoso.com')).to.equal('https://app.contoso.com');
    expect(await permitted('https://evil.example')).to.equal(null);
    server.interrupt();
    await served;
  });

  const hostile: readonly (readonly [what: string, request: string, status: number])[] = [
    ['the target //', 'GET // HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close', 404],
    ['the target http://[', 'GET http://[ HTTP/1.1\r\nHost: 127.0.0.1:PORT', 400],
    ['the host of a rebound name', 'POST / HTTP/1.1\r\nHost: evil.example:PORT\r\nContent-Length: 0', 421],
    ['576 MB', 'POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 603979776', 413],
    ['2 MB', 'POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 2097152', 413],
  ];
  for (const [what, request, status] of hostile) {
    it(`responds with ${status} to a request with ${what}`, async () => {
      const server = specTerminal();
      const served = run(server, ['simulate', 'ews']);
      const url = await server.line(/^http/);
      expect(await statusFor(url, `${request}\r\n\r\n`)).to.equal(status);
      expect((await fetch(url)).status).to.be.above(399);
      server.interrupt();
      expect(await served).to.equal(0);
    });
  }

  it('accepts the hosts of --allow-host', async () => {
    const server = specTerminal();
    const served = run(server, ['simulate', 'ews', '--allow-host', 'a.example', '--allow-host', 'b.example']);
    const url = await server.line(/^http/);
    const statusOf = (host: string): Promise<number> =>
      statusFor(url, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(await Promise.all(['a.example', 'b.example', 'c.example'].map(statusOf))).to.deep.equal([
      404, 404, 421,
    ]);
    server.interrupt();
    await served;
  });

  it('limits the length of the line about a request', async () => {
    const server = specTerminal();
    const served = run(server, ['simulate', 'ews']);
    const url = await server.line(/^http/);
    await fetch(new URL(`/${'a'.repeat(10_000)}`, url));
    await fetch(url, { method: 'POST', body: `<soap:Body><m:${'a'.repeat(10_000)}` });
    server.interrupt();
    await served;
    const lines = server.lines.out.filter((line) => line.startsWith('  → '));
    expect(lines).to.have.length(2);
    for (const line of lines) expect(line.length).to.be.below(1000);
  });
});
