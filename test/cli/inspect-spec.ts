import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, filter } from 'rxjs';
import { inspectPlayground, inspectServer } from '../../lib/cli/inspect.ts';
import { run } from '../../lib/cli/run.ts';
import { remotePlayground } from '../../lib/inspector/playground/remote.ts';
import { serve } from '../../lib/testing/http/index.ts';
import { ewsSimulator, ucwaSimulator } from '../../lib/testing/index.ts';
import { eventually } from '../support/browser/eventually.ts';
import { specTerminal } from '../support/terminal.ts';

/** Resolves with the status of a GET with these headers, which fetch does not allow to set. */
function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      response.destroy();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('rxchange inspect', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'inspect-spec-'));
    await writeFile(join(folder, 'index.html'), '<!doctype html><html lang="en"></html>');
    await writeFile(join(folder, 'inspector.js'), '// page');
  });
  after(() => rm(folder, { recursive: true }));

  /** Starts the command for a simulated server; resolves with the address of the page. */
  const started = async () => {
    const simulator = ewsSimulator({ token: 'top-secret' });
    const server = await serve(simulator.transport);
    const terminal = specTerminal({ RXCHANGE_TOKEN: 'top-secret' });
    const path = new URL(simulator.url).pathname;
    const args = ['--url', `${server.origin}${path}`];
    const ended = inspectServer(terminal, 'ews', args, folder);
    const url = await terminal.line(/^http/);
    const end = async (): Promise<number> => {
      terminal.interrupt();
      const code = await ended;
      await server.close();
      return code;
    };
    return { simulator, terminal, url, end };
  };

  it('serves the page with its own playground, until it is interrupted', async () => {
    const terminal = specTerminal();
    const ended = inspectPlayground(terminal, ['--port', '0'], folder);
    const url = await terminal.line(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/$/);
    const response = await fetch(url);
    expect(await response.text()).to.equal('<!doctype html><html lang="en"></html>');
    expect(response.headers.get('content-security-policy')).to.include("default-src 'none'");
    expect((await fetch(`${url}inspector.js`)).status).to.equal(200);
    expect((await fetch(`${url}records`)).status).to.equal(404);
    terminal.interrupt();
    expect(await ended).to.equal(0);
  });

  it('serves the page of a checkout, which it builds', async () => {
    const terminal = specTerminal();
    const ended = run(terminal, ['inspect']);
    const url = await terminal.line(/^http/);
    expect(await (await fetch(url)).text()).to.include('<title>rxchange inspector</title>');
    expect(await (await fetch(`${url}inspector.js`)).text()).to.have.length.above(100_000);
    terminal.interrupt();
    expect(await ended).to.equal(0);
  });

  it('says so if it cannot open a browser', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      const terminal = specTerminal();
      const ended = inspectPlayground(terminal, ['--open'], folder);
      await eventually(() => expect(terminal.lines.err.join()).to.match(/cannot open a browser/));
      terminal.interrupt();
      expect(await ended).to.equal(0);
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('relays the records of a server, and removes all afterwards', async () => {
    const { simulator, terminal, url, end } = await started();
    expect(await (await fetch(url)).text()).to.include('<html data-relay');
    const response = await fetch(`${url}records`);
    let text = '';
    for await (const chunk of response.body!) {
      text += new TextDecoder().decode(chunk);
      if (text.includes('"created"')) break;
    }
    expect(text).to.include('"name":"pullNotifications"').and.not.include('top-secret');
    expect(simulator.subscriptions).to.have.length(1);
    expect(await end()).to.equal(0);
    expect(simulator.subscriptions).to.have.length(0);
    expect([...terminal.lines.out, ...terminal.lines.err].join('\n')).to.not.include('top-secret');
  });

  it('runs the commands of the page', async () => {
    const { simulator, url, end } = await started();
    const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${url}commands`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      });
    const described = (await (await fetch(`${url}playground.json`)).json()) as object;
    expect(described).to.deep.equal({
      commands: ['subscribe', 'unsubscribe'],
      streams: ['pullNotifications', 'streamingNotifications'],
    });
    expect((await post('{"do":"unsubscribe","stream":"EWS 1"}')).status).to.equal(204);
    expect((await post('{"do":"subscribe","to":"pullNotifications"}')).status).to.equal(204);
    const refused = await post('{"do":"unsubscribe","stream":"EWS 1"}');
    expect(refused.status).to.equal(409);
    expect(await refused.json()).to.deep.equal({ error: 'EWS 1 has ended already, or never began.' });
    for (const body of ['', '7', '{"do":"restartServer"}', '{"do":"constructor"}'])
      expect((await post(body)).status).to.equal(400);
    expect((await post('{}', { 'content-type': 'text/plain' })).status).to.equal(415);
    expect(await end()).to.equal(0);
    expect(simulator.subscriptions).to.have.length(0);
  });

  it('refuses other pages, other hosts, and addresses without the token', async () => {
    const { url, end } = await started();
    const { origin, host } = new URL(url);
    for (const path of ['/', '/records', '/0123456789abcdef0123456789abcdef/records'])
      expect((await fetch(origin + path)).status).to.equal(404);
    expect(await statusOf(`${url}records`, { origin: 'https://evil.example' })).to.equal(403);
    expect(await statusOf(`${url}records`, { origin: 'http://127.0.0.1:1' })).to.equal(403);
    expect(await statusOf(`${url}records`, { origin: 'null' })).to.equal(403);
    expect(await statusOf(`${url}records`, { host: 'evil.example' })).to.equal(421);
    expect(await statusOf(`${url}records`, { host, origin })).to.equal(200);
    await end();
  });

  it('relays a UCWA server, whose contacts can be changed', async () => {
    const simulator = ucwaSimulator({ token: 'top-secret', mediumSeconds: 0 });
    const server = await serve(simulator.transport);
    const terminal = specTerminal({ RXCHANGE_TOKEN: 'top-secret' });
    const applications = server.origin + new URL(simulator.url).pathname;
    const args = ['--applications', applications, '--uri', 'sip:sara@contoso.com'];
    const ended = inspectServer(terminal, 'ucwa', args, folder);
    const url = await terminal.line(/^http/);
    expect(await (await fetch(`${url}playground.json`)).json())
      .to.have.property('commands')
      .that.includes('setContacts');
    terminal.interrupt();
    expect(await ended).to.equal(0);
    expect(simulator.applications).to.deep.equal([]);
    await server.close();
  });

  it('shows a server that refuses, with its error', async () => {
    const simulator = ewsSimulator({ token: 'another' });
    const server = await serve(simulator.transport);
    const terminal = specTerminal({ RXCHANGE_TOKEN: 'top-secret' });
    const args = ['--url', server.origin + new URL(simulator.url).pathname];
    const ended = inspectServer(terminal, 'ews', args, folder);
    const response = await fetch(`${await terminal.line(/^http/)}records`);
    let text = '';
    for await (const chunk of response.body!) {
      text += new TextDecoder().decode(chunk);
      if (text.includes('"failed"')) break;
    }
    expect(text)
      .to.match(/"state":"failed".*"error":\{"name":"\w*Error"/)
      .and.not.include('top-secret');
    terminal.interrupt();
    await ended;
    await server.close();
  });

  it('says how to build a page that is missing', async () => {
    const empty = join(folder, 'none');
    const failure = await inspectPlayground(specTerminal(), [], empty).catch((error: unknown) => error);
    expect(failure).to.be.an('error').with.property('message').that.includes('run npm run build');
  });

  it('names a missing option of the server', async () => {
    const failure = await inspectServer(specTerminal(), 'ews', [], folder).catch((error: unknown) => error);
    expect(failure).to.have.property('message', '--url is missing');
  });

  it('refuses the options that only watch has', async () => {
    for (const option of ['--mailbox', '--mode=stream', '--delegate']) {
      const args = ['--url', 'https://mail.example/', option, 'x'];
      const failure = await inspectServer(specTerminal(), 'ews', args, folder).catch(
        (error: unknown) => error,
      );
      expect(failure).to.have.property('message', `${option} is an option of rxchange watch only`);
    }
  });

  it('names a port that is in use', async () => {
    const other = await serve(ewsSimulator().transport);
    const args = ['--port', String(other.port)];
    const failure = await inspectPlayground(specTerminal(), args, folder).catch((error: unknown) => error);
    expect(failure).to.have.property(
      'message',
      `--port ${other.port} is in use; choose another, or 0 for a free one`,
    );
    await other.close();
  });

  for (const args of [
    ['inspect', '--prot', '1'],
    ['inspect', '--port', 'x'],
  ])
    it(`rejects ${args.join(' ')} with exit code 2`, async () => {
      const terminal = specTerminal();
      expect(await run(terminal, args)).to.equal(2);
      expect(terminal.lines.err.join()).to.match(/--(prot|url|port)/);
    });
});

describe('remotePlayground', () => {
  it('says that the command has ended', async () => {
    const failure = await remotePlayground('http://127.0.0.1:1/token/', {
      fetch: () => Promise.reject(new TypeError('failed')),
      EventSource: Object as never,
    }).catch((error: unknown) => error);
    expect(failure).to.have.property('message').that.includes('start rxchange inspect again');
  });

  it('emits each record once, also after a reconnection', async () => {
    const sources: { onmessage?: (event: { data: string }) => void; close(): void }[] = [];
    class Source {
      onmessage?: (event: { data: string }) => void;
      constructor() {
        sources.push(this);
      }
      close(): void {
        sources.pop();
      }
    }
    const sent: unknown[] = [];
    const playground = await remotePlayground('http://127.0.0.1:1/token/', {
      fetch: (_url, init) => {
        if (init !== undefined) sent.push(init.body);
        return Promise.resolve(new Response('{"commands":["subscribe"],"streams":["presence"]}'));
      },
      EventSource: Source as never,
    });
    const seen: number[] = [];
    const watching = playground.records$
      .pipe(filter(({ type }) => type === 'status'))
      .subscribe(({ seq }) => seen.push(seq));
    for (const seq of [1, 2, 1, 2, 3])
      sources[0]?.onmessage?.({
        data: JSON.stringify({ connection: 'EWS', seq, at: 0, type: 'status', state: 'idle' }),
      });
    expect(seen).to.deep.equal([1, 2, 3]);
    expect(await firstValueFrom(playground.records$)).to.include({ seq: 1 });
    await playground.run({ do: 'subscribe', to: 'presence' });
    expect(sent).to.deep.equal(['{"do":"subscribe","to":"presence"}']);
    watching.unsubscribe();
    await playground.close();
    expect(sources).to.deep.equal([]);
  });
});
