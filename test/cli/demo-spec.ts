import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { demoOn, type DemoServers } from '../../lib/cli/demo.ts';
import { ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { specTerminal } from '../support/terminal.ts';

interface ProcessResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function demo(...args: string[]): Promise<ProcessResult> {
  const command = ['--import', 'ts-blank-space/register', 'lib/cli/main.ts', 'demo', ...args];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, command, { timeout: 20_000 }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

describe('rxchange demo, with a failing server', () => {
  const servers = (): DemoServers => ({
    ucwa: ucwaSimulator({ mediumSeconds: 0.02 }),
    ews: ewsSimulator(),
  });

  it('exits with 1 and prints the outcome if a subscription is left', async () => {
    const demoServers = servers();
    demoServers.ews.failNext(1, { status: 403 }, 'Unsubscribe');
    const terminal = specTerminal();
    expect(await demoOn(terminal, demoServers)).to.equal(1);
    expect(terminal.lines.out.join('\n')).to.match(/ledger: Failed PullSubscription/);
  });

  it('closes everything and throws if the presence subscription fails', async () => {
    const demoServers = servers();
    demoServers.ucwa.failNext(1, { status: 403 }, ({ url }) => url.endsWith('/presenceSubscriptions'));
    const error: unknown = await demoOn(specTerminal(), demoServers).catch((reason: unknown) => reason);
    expect(error).to.include({ status: 403 });
    expect(demoServers.ucwa.applications).to.deep.equal([]);
  });

  it('closes everything and throws if the EWS subscription fails', async () => {
    const demoServers = servers();
    demoServers.ews.failNext(1, { status: 403 }, 'Subscribe');
    const error: unknown = await demoOn(specTerminal(), demoServers).catch((reason: unknown) => reason);
    expect(error).to.include({ status: 403 });
    expect(demoServers.ews.subscriptions).to.deep.equal([]);
  });
});

describe('rxchange demo, as a process', function () {
  this.timeout(25_000);

  it('creates and removes both subscriptions, prints events, and exits with 0', async () => {
    const { code, stdout, stderr } = await demo();
    const lines = stdout.trimEnd().split('\n');
    const inOrder = [
      /→ POST \/ucwa\/.*\/applications {2}201/,
      /→ POST .*\/presenceSubscriptions {2}201/,
      /event: added presenceSubscription/,
      /event: updated contactPresence/,
      /^unsubscribe$/,
      /→ DELETE .*\/presenceSubscriptions\/\w+ {2}204/,
      /ledger: Released presenceSubscription .*deletedEvent: seen/,
      /event: deleted presenceSubscription .*\(next: ack=\d+\)/,
      /→ DELETE .*\/applications\/\w+ {2}204/,
      /→ POST \/EWS\/Exchange.asmx Subscribe {2}200 NoError/,
      /event: newMail/,
      /→ POST \/EWS\/Exchange.asmx Unsubscribe {2}200 NoError/,
      /ledger: Released PullSubscription/,
      /→ POST \/EWS\/Exchange.asmx Unsubscribe {2}200 ErrorSubscriptionNotFound/,
    ];
    let from = 0;
    for (const pattern of inOrder) {
      const index = lines.findIndex((line, at) => at >= from && pattern.test(line));
      expect(index, `${String(pattern)} after line ${from} of\n${stdout}`).to.be.at.least(from);
      from = index;
    }
    expect(lines.slice(-2)).to.deep.equal([
      'left on the servers: 0 presence subscriptions, 0 notification subscriptions',
      'See it in a page: npx rxchange demo --page, or in a checkout npm run demo -- --page',
    ]);
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
  });

  it('exits with 2 for an unknown option', async () => {
    expect(await demo('--fast')).to.include({ code: 2, stdout: '' });
  });
});
