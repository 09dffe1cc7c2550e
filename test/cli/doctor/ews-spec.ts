import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import type { Finding } from '../../../lib/cli/doctor/steps.ts';
import { run } from '../../../lib/cli/run.ts';
import { ewsSimulator, type EwsSimulator } from '../../../lib/testing/ews/simulator.ts';
import type { EwsSimulatorOptions } from '../../../lib/testing/ews/options.ts';
import { serve } from '../../../lib/testing/http/serve.ts';
import { authority, type Authority } from '../../support/net/authority.ts';
import { bufferingProxy } from '../../support/net/bufferingProxy.ts';
import { doctor, findsFailures, rejectsArguments, type Report } from '../../support/doctor.ts';
import { httpServer } from '../../support/net/httpServer.ts';
import { certificateFor, type KeyAndCertificate } from '../../support/net/tls.ts';
import { tlsFront } from '../../support/net/tlsFront.ts';
import { specTerminal } from '../../support/terminal.ts';

describe('rxchange doctor ews', () => {
  const closing: (() => Promise<void>)[] = [];
  let own: Authority;
  let folder: string;

  before(() => {
    own = authority();
    folder = mkdtempSync(join(tmpdir(), 'rxchange-doctor-'));
    writeFileSync(join(folder, 'ca.pem'), own.ca);
  });
  after(() => {
    own.remove();
    rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  const examine = doctor('ews', 0.5);

  const start = async (options: EwsSimulatorOptions = {}): Promise<readonly [EwsSimulator, string]> => {
    const simulator = ewsSimulator({ heartbeatSeconds: 0.05, ...options });
    const served = await serve(simulator.transport, { allowedHosts: ['localhost'] });
    closing.push(() => served.close());
    return [simulator, `${served.origin}/EWS/Exchange.asmx`];
  };

  const startTls = async ({ key, cert }: KeyAndCertificate): Promise<string> => {
    const [, url] = await start();
    const front = await tlsFront(Number(new URL(url).port), { key, cert });
    closing.unshift(() => front.close());
    return `https://localhost:${front.port}/EWS/Exchange.asmx`;
  };

  const statesOf = ({ steps }: Report): Record<string, string> =>
    Object.fromEntries(steps.map(({ step, state }) => [step, state]));

  const findingOf = ({ steps }: Report, name: string): Finding | undefined =>
    steps.find(({ step }) => step === name);

  it('finds no fault in a server by TLS, and recommends streams', async () => {
    const url = await startTls(own.issue(['localhost'], 90));
    const { exit, report } = await examine(['--url', url, '--ca', join(folder, 'ca.pem')]);
    expect(statesOf(report)).to.deep.equal({
      ...{ proxy: 'ok', DNS: 'ok', TCP: 'ok', TLS: 'ok', HTTP: 'ok', 'sign-in': 'ok', server: 'ok' },
      ...{ pull: 'ok', streaming: 'ok', leftovers: 'ok' },
    });
    expect(findingOf(report, 'TLS')?.text).to.match(
      /^TLSv1\.3, certificate of DNS:localhost by rxchange CA, valid until/,
    );
    expect(findingOf(report, 'server')?.text).to.contain('Exchange 2016 (version 15.1.2507.6)');
    expect(report.code).to.equal(
      `streamingNotifications(connectExchange({ server: '${url}' }), { folders: ['inbox'], events: ['newMail'] })`,
    );
    expect(exit).to.equal(0);
  });

  it('prints a line for each step, and the advice below', async () => {
    const terminal = specTerminal();
    const url = await startTls(own.issue(['localhost']));
    expect(await run(terminal, ['doctor', 'ews', '--url', url])).to.equal(1);
    const lines = terminal.lines.out;
    expect(lines[0]).to.match(/^proxy {7}ok {7}none: the connection is direct$/);
    expect(lines[3]).to.match(/^TLS {9}failed {3}TLSv1\.3, .*UNABLE_TO_VERIFY_LEAF_SIGNATURE$/);
    expect(lines[4]).to.match(/^ {21}→ its certificate is from an unknown authority/);
    expect(lines.at(-1)).to.equal('No notifications work: see the first failed step.');
  });

  it('signs in with Basic, and shows no secret', async () => {
    const [simulator, url] = await start({ basic: { username: 'sara', password: 'hush' } });
    const { exit, report, text } = await examine(['--url', url, '--user', 'sara'], {
      RXCHANGE_PASSWORD: 'hush',
    });
    expect(findingOf(report, 'HTTP')?.text).to.equal('the server offers Basic');
    expect(findingOf(report, 'sign-in')?.text).to.equal('auth: basic({ username, password }) works');
    expect(exit).to.equal(0);
    expect(text).to.not.contain('hush').and.not.contain('sara');
    expect(simulator.subscriptions).to.deep.equal([]);
  });

  it('recognizes grommunio', async () => {
    const [, url] = await start({ dialect: 'grommunio' });
    const { report } = await examine(['--url', url]);
    expect(findingOf(report, 'server')?.text).to.contain('grommunio');
  });

  findsFailures(examine, [
    [
      'a host name without an address',
      () => Promise.resolve([['--url', 'https://mail.invalid/EWS/Exchange.asmx']]),
      'DNS',
      /the name mail\.invalid has no address/,
      /correct the host name/,
    ],
    [
      'a closed port',
      async () => {
        const closed = await httpServer(() => undefined);
        await closed.close();
        return [['--url', closed.url]];
      },
      'TCP',
      /accepts no connection \(ECONNREFUSED\)/,
      /check the port/,
    ],
    [
      'an expired certificate',
      async () => [['--url', await startTls(own.issue(['localhost'], -1)), '--ca', join(folder, 'ca.pem')]],
      'TLS',
      /CERT_HAS_EXPIRED$/,
      /renew it on the server/,
    ],
    [
      'a certificate of another host',
      async () => [
        ['--url', await startTls(own.issue(['mail.contoso.com'])), '--ca', join(folder, 'ca.pem')],
      ],
      'TLS',
      /ERR_TLS_CERT_ALTNAME_INVALID$/,
      /use one of them in the URL/,
    ],
    [
      'a self-signed certificate',
      async () => [['--url', await startTls(certificateFor(['localhost']))]],
      'TLS',
      /DEPTH_ZERO_SELF_SIGNED_CERT$/,
      /self-signed/,
    ],
    [
      'a port without TLS',
      async () => [['--url', (await start())[1].replace('http:', 'https:')]],
      'TLS',
      /the handshake has failed/,
      /does not speak https/,
    ],
    [
      'a wrong path',
      async () => {
        const server = await httpServer((_, response) => response.writeHead(404).end());
        closing.push(server.close);
        return [['--url', server.url]];
      },
      'HTTP',
      /responds with status 404/,
      /\/EWS\/Exchange\.asmx/,
    ],
    [
      'a sign-in without a method',
      async () => {
        const server = await httpServer((_, response) => response.writeHead(401).end());
        closing.push(server.close);
        return [['--url', server.url]];
      },
      'HTTP',
      /offers no method/,
      /WWW-Authenticate/,
    ],
    [
      'missing credentials',
      async () => [['--url', (await start({ basic: { username: 'sara', password: 'hush' } }))[1]]],
      'sign-in',
      /offers Basic, but there are no credentials for it/,
      /--user/,
    ],
    [
      'a wrong password',
      async () => {
        const [, url] = await start({ basic: { username: 'sara', password: 'hush' } });
        return [['--url', url, '--user', 'sara'], { RXCHANGE_PASSWORD: 'wrong' }];
      },
      'sign-in',
      /basic\(\{ username, password \}\): status 401/,
      /not locked/,
    ],
    [
      'a wrong token',
      async () => [['--url', (await start({ token: 'hush' }))[1]], { RXCHANGE_TOKEN: 'wrong' }],
      'sign-in',
      /bearer\(token\): status 401/,
      /check the secret/,
    ],
    [
      'an inbox without permission',
      async () => {
        const [simulator, url] = await start();
        simulator.failNext(3, { error: 'ErrorAccessDenied' }, 'GetFolder');
        return [['--url', url]];
      },
      'server',
      /cannot be opened \(ErrorAccessDenied\)/,
      /permission to use EWS/,
    ],
    [
      'too many subscriptions',
      async () => [['--url', (await start({ maxSubscriptions: 0 }))[1]]],
      'pull',
      /ErrorExceededSubscriptionCount/,
      /too many subscriptions/,
    ],
    [
      'a proxy that buffers responses',
      async () => {
        const [, url] = await start();
        const proxy = await bufferingProxy(Number(new URL(url).port));
        closing.unshift(proxy.close);
        return [['--url', `${proxy.url}/EWS/Exchange.asmx`]];
      },
      'streaming',
      /no envelope on the stream for 0\.5 seconds/,
      /a proxy may buffer responses/,
    ],
    [
      'an address without Autodiscover',
      () => Promise.resolve([['--autodiscover', 'sara@contoso.invalid']]),
      'discovery',
      /contoso\.invalid/,
      /^$/,
    ],
    [
      'the same with a token',
      () => Promise.resolve([['--autodiscover', 'sara@contoso.invalid'], { RXCHANGE_TOKEN: 'secret' }]),
      'discovery',
      /contoso\.invalid/,
      /^$/,
    ],
    [
      'the same with a password',
      () =>
        Promise.resolve([
          ['--autodiscover', 'sara@contoso.invalid', '--user', 'sara'],
          { RXCHANGE_PASSWORD: 'hush' },
        ]),
      'discovery',
      /contoso\.invalid/,
      /^$/,
    ],
  ]);

  it('skips what needs a failed step, and says so', async () => {
    const { report } = await examine(['--url', 'https://mail.invalid/']);
    expect(report.steps.slice(2, 4)).to.deep.equal([
      { step: 'TCP', state: 'skipped', text: 'it needs DNS' },
      { step: 'TLS', state: 'skipped', text: 'it needs TCP' },
    ]);
  });

  it('recommends polls behind a proxy that buffers streams', async () => {
    const [, url] = await start();
    const proxy = await bufferingProxy(Number(new URL(url).port));
    closing.unshift(proxy.close);
    const { report } = await examine(['--url', `${proxy.url}/EWS/Exchange.asmx`]);
    expect(report.code).to.match(/^pullNotifications\(/);
  });

  rejectsArguments('ews', [
    '',
    '--url https://a.test/ --autodiscover sara@a.test',
    '--url https://a.test/ --ca /nowhere',
  ]);
});
