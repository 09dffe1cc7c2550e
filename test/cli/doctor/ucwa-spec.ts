import { expect } from 'chai';
import type { Finding } from '../../../lib/cli/doctor/steps.ts';
import { userLinkIn } from '../../../lib/cli/doctor/ucwaSteps.ts';
import { serve } from '../../../lib/testing/http/serve.ts';
import { ucwaDiscovery } from '../../../lib/testing/ucwa/discovery/discovery.ts';
import { ucwaSimulator, type UcwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { doctor, findsFailures, rejectsArguments, type Report } from '../../support/doctor.ts';
import { httpServer } from '../../support/net/httpServer.ts';

const SARA = 'sip:sara@contoso.com';

describe('rxchange doctor ucwa', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  const examine = doctor('ucwa', 3);

  const start = async (): Promise<readonly [UcwaSimulator, string]> => {
    const simulator = ucwaSimulator({ token: 'hush', mediumSeconds: 0.02 });
    const served = await serve(simulator.transport);
    closing.push(() => served.close());
    return [simulator, new URL(new URL(simulator.url).pathname, served.origin).href];
  };

  const startDomain = async (grantTypes?: readonly string[]): Promise<readonly [UcwaSimulator, string]> => {
    const pool = ucwaSimulator({ mediumSeconds: 0.02 });
    const hosts = ucwaDiscovery({
      ...{ users: { 'sara@contoso.com': 'hush' }, pool: pool.transport, anyToken: true },
      ...(grantTypes === undefined ? {} : { grantTypes }),
    });
    const served = await serve(hosts.transport);
    closing.push(() => served.close());
    return [pool, `${served.origin}/`];
  };

  const failedIn = ({ steps }: Report): Finding | undefined => steps.find(({ state }) => state === 'failed');

  it('finds no fault in a server, and recommends the code', async () => {
    const [simulator, url] = await start();
    const { exit, report, text } = await examine(['--url', url, '--uri', SARA], { RXCHANGE_TOKEN: 'hush' });
    expect(report.steps.map(({ step, state }) => `${step} ${state}`)).to.deep.equal([
      ...['proxy ok', 'DNS ok', 'TCP ok', 'TLS warning', 'HTTP ok'],
      ...['application ok', 'presence ok', 'leftovers ok'],
    ]);
    expect(report.code).to.equal(
      `presence(connectUcwa({ server: '${url}', auth: bearer(token) }), { uris: ['${SARA}'] })`,
    );
    expect(exit).to.equal(0);
    expect(text).to.not.contain('hush');
    expect(simulator.applications).to.deep.equal([]);
  });

  it('discovers the server of a domain, and signs in with a password', async () => {
    const [pool, root] = await startDomain();
    const args = ['--domain', 'contoso.com', '--discovery-url', root, '--user', 'sara@contoso.com'];
    const { exit, report, text } = await examine(args, { RXCHANGE_PASSWORD: 'hush' });
    expect(failedIn(report)).to.equal(undefined);
    expect(report.steps[0]?.text).to.match(/leads to http/);
    expect(report.steps.find(({ step }) => step === 'HTTP')?.text).to.match(
      /tokens are issued at .*password/,
    );
    expect(report.code).to.contain("discovered('contoso.com'), auth: password({ username, password })");
    expect(exit).to.equal(0);
    expect(text).to.not.contain('hush');
    expect(pool.applications).to.deep.equal([]);
  });

  findsFailures(examine, [
    [
      'a domain without hosts of discovery',
      () => Promise.resolve([['--domain', 'contoso.invalid']]),
      'discovery',
      /lyncdiscoverinternal\.contoso\.invalid.*lyncdiscover\.contoso\.invalid/,
      /lyncdiscover, inside lyncdiscoverinternal/,
    ],
    [
      'a host of discovery that redirects',
      async () => {
        const server = await httpServer((_, response) =>
          response.writeHead(302, { location: 'https://lync.fabrikam.com/' }).end(),
        );
        closing.push(server.close);
        return [['--domain', 'contoso.com', '--discovery-url', `${server.url}/`]];
      },
      'discovery',
      /status 302, a redirect to https:\/\/lync\.fabrikam\.com\/: start with --discovery-url there/,
      /--discovery-url/,
    ],
    [
      'a host name without an address',
      () => Promise.resolve([['--url', 'https://pool.invalid/applications']]),
      'DNS',
      /pool\.invalid has no address/,
      /correct the host name/,
    ],
    [
      'a wrong path',
      async () => {
        const server = await httpServer((_, response) => response.writeHead(404).end());
        closing.push(server.close);
        return [['--url', server.url]];
      },
      'HTTP',
      /status 404/,
      /check that the URL is that of UCWA/,
    ],
    [
      'missing credentials',
      async () => {
        const [, root] = await startDomain();
        return [['--domain', 'contoso.com', '--discovery-url', root]];
      },
      'HTTP',
      /tokens are issued at/,
      /--user/,
    ],
    [
      'a server without passwords',
      async () => {
        const [, root] = await startDomain(['urn:microsoft.rtc:windows']);
        const args = ['--domain', 'contoso.com', '--discovery-url', root, '--user', 'sara@contoso.com'];
        return [args, { RXCHANGE_PASSWORD: 'hush' }];
      },
      'HTTP',
      /for urn:microsoft\.rtc:windows$/,
      /no sign-in with a password/,
    ],
    [
      'a wrong password',
      async () => {
        const [, root] = await startDomain();
        const args = ['--domain', 'contoso.com', '--discovery-url', root, '--user', 'sara@contoso.com'];
        return [args, { RXCHANGE_PASSWORD: 'wrong' }];
      },
      'application',
      /./,
      /see the error/,
    ],
    [
      'a wrong token',
      async () => [['--url', (await start())[1]], { RXCHANGE_TOKEN: 'wrong' }],
      'application',
      /401/,
      /see the error/,
    ],
    [
      'a presence that is refused',
      async () => {
        const [simulator, url] = await start();
        simulator.failNext(1, { status: 403 }, ({ url: at }) => at.endsWith('/presenceSubscriptions'));
        return [['--url', url], { RXCHANGE_TOKEN: 'hush' }];
      },
      'presence',
      /403/,
      /see the error/,
    ],
  ]);

  rejectsArguments('ucwa', ['', '--url https://a.test/ --domain a.test', '--domain a/b', '--url a']);
});

describe('userLinkIn', () => {
  for (const [text, url] of [
    ['{"_links":{"user":{"href":"/Autodiscover/user"}}}', 'https://pool.contoso.com/Autodiscover/user'],
    ['{"_links":{"user":{"href":7}}}', undefined],
    ['{"_links":{}}', undefined],
    ['null', undefined],
    ['<html>', undefined],
  ] as const) {
    it(`reads ${text}`, () => {
      expect(userLinkIn(text, 'https://pool.contoso.com/')).to.equal(url);
    });
  }
});
