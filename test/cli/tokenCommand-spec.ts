import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncScheduler } from 'rxjs';
import { run } from '../../lib/cli/run.ts';
import { issued } from '../../lib/cli/tokenCommand.ts';
import { ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { serve } from '../../lib/testing/http/serve.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { eventually } from '../support/browser/eventually.ts';
import { specTerminal } from '../support/terminal.ts';

const jwt = (claims: object): string =>
  `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;

describe('--token-command', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'rxchange-token-'))));
  after(() => rmSync(folder, { recursive: true }));

  /** Returns a command that prints the lines of a file, one per run. */
  const printing = (...lines: readonly string[]): string => {
    const file = join(folder, 'lines');
    writeFileSync(file, `${lines.join('\n')}\n`);
    return `head -n 1 ${file}; sed -i 1d ${file}; echo noise`;
  };

  const watchEws = async (command: string, token: string) => {
    const simulator = ewsSimulator({ token });
    const server = await serve(simulator.transport);
    const terminal = specTerminal({ RXCHANGE_TOKEN: 'unused' });
    const url = `${server.origin}/EWS/Exchange.asmx`;
    const exit = run(terminal, [
      'watch',
      'ews',
      '--url',
      url,
      '--interval',
      '0.05',
      '--token-command',
      command,
    ]);
    return { simulator, terminal, exit, close: () => server.close() };
  };

  it('signs in with the first line that the command prints', async () => {
    const { terminal, exit, simulator, close } = await watchEws(printing('hush'), 'hush');
    await terminal.line(/"status"/);
    terminal.interrupt();
    expect(await exit).to.equal(0);
    expect(simulator.subscriptions).to.deep.equal([]);
    expect(JSON.stringify(terminal.lines)).to.not.contain('hush').and.not.contain('noise');
    await close();
  });

  it('runs the command again after a token was refused', async () => {
    const { terminal, exit, close } = await watchEws(printing('old', 'hush'), 'hush');
    await terminal.line(/"status"/);
    terminal.interrupt();
    expect(await exit).to.equal(0);
    await close();
  });

  it('runs the command again before a JWT expires', async () => {
    const soon = jwt({ exp: Math.floor(Date.now() / 1000) + 1 });
    const command = printing(soon, soon, soon, soon, ...Array.from({ length: 100 }, () => soon));
    const { terminal, exit, close } = await watchEws(command, soon);
    await terminal.line(/"status"/);
    await eventually(() => {
      expect(readFileSync(join(folder, 'lines'), 'utf8').split('\n').length).to.be.below(104);
    });
    terminal.interrupt();
    await exit;
    await close();
  });

  for (const [title, command, message] of [
    ['fails', 'echo hush; exit 3', 'the token command has failed (exit code 3)'],
    ['is killed', 'kill -9 $$', 'the token command has failed (SIGKILL)'],
    ['prints nothing', 'true', 'the token command has printed no token'],
  ] as const) {
    it(`exits with 1 and no output of the command if that ${title}`, async () => {
      const { terminal, exit, close } = await watchEws(command, 'hush');
      expect(await exit).to.equal(1);
      expect(terminal.lines.err.join('\n')).to.contain(message).and.not.contain('hush');
      await close();
    });
  }

  it('signs in to UCWA, too', async () => {
    const simulator = ucwaSimulator({ token: 'hush', mediumSeconds: 0.05 });
    const server = await serve(simulator.transport);
    const terminal = specTerminal();
    const url = new URL(new URL(simulator.url).pathname, server.origin).href;
    const exit = run(terminal, [
      ...['watch', 'ucwa', '--applications', url, '--uri', 'sip:sara@contoso.com'],
      ...['--token-command', 'echo hush'],
    ]);
    await terminal.line(/presenceSubscription/);
    terminal.interrupt();
    expect(await exit).to.equal(0);
    expect(simulator.applications).to.deep.equal([]);
    await server.close();
  });

  for (const args of [
    'watch ews --url https://a.test/ --token-command a --token-file b',
    'watch ews --url https://a.test/ --token-command a --user b',
    'watch ucwa --applications https://a.test/ --uri sip:a --token-command a --token-file b',
    'watch ucwa --domain a.test --user b --uri sip:a --token-command a',
  ]) {
    it(`exits with 2 for ${args}`, async () => {
      const terminal = specTerminal();
      expect(await run(terminal, args.split(' '))).to.equal(2);
      expect(terminal.lines.err[0]).to.contain('--token-command');
    });
  }
});

describe('issued', () => {
  it('reads the expiry of a JWT', () => {
    const exp = Math.floor(asyncScheduler.now() / 1000) + 600;
    expect(issued(jwt({ exp })).expiresInSeconds).to.be.within(595, 600);
    expect(issued(jwt({ exp: 1 })).expiresInSeconds).to.equal(0);
  });

  for (const token of ['opaque', 'a.b.c', jwt({ exp: 'soon' }), jwt([])]) {
    it(`reads no expiry in ${token}`, () => {
      expect(issued(token)).to.deep.equal({ token });
    });
  }
});
