import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { demoOn, type DemoServers } from '../../lib/cli/demo.ts';
import { ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { specTerminal } from '../support/terminal.ts';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function demo(...args: string[]): Promise<Ended> {
  const command = ['--import', 'ts-blank-space/register', 'lib/cli/main.ts', 'demo', ...args];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, command, { timeout: 20_000 }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

describe('rxchange demo, on servers that are not left clean', () => {
  const broken = (): DemoServers => ({
    ucwa: ucwaSimulator({ mediumSeconds: 0.02 }),
    ews: ewsSimulator(),
  });

  it('should exit with 1 when a notification subscription stays, and say how many', async () => {
    const servers = broken();
    servers.ews.failNext(1, { status: 403 }, 'Unsubscribe');
    const terminal = specTerminal();
    expect(await demoOn(terminal, servers)).to.equal(1);
    expect(terminal.lines.out.join('\n')).to.match(/ledger: Failed PullSubscription/);
  });

  it('should close everything and tell the error when a server refuses presence', async () => {
    const servers = broken();
    servers.ucwa.failNext(1, { status: 403 }, ({ url }) => url.endsWith('/presenceSubscriptions'));
    const error: unknown = await demoOn(specTerminal(), servers).catch((reason: unknown) => reason);
    expect(error).to.include({ status: 403 });
    expect(servers.ucwa.applications).to.deep.equal([]);
  });

  it('should close everything and tell the error when a server refuses', async () => {
    const servers = broken();
    servers.ews.failNext(1, { status: 403 }, 'Subscribe');
    const error: unknown = await demoOn(specTerminal(), servers).catch((reason: unknown) => reason);
    expect(error).to.include({ status: 403 });
    expect(servers.ews.subscriptions).to.deep.equal([]);
  });
});

describe('rxchange demo, as a process', function () {
  this.timeout(25_000);

  it('should make both subscriptions, show events, remove both, and exit with 0', async () => {
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
    expect(lines.at(-1)).to.equal(
      'left on the servers: 0 presence subscriptions, 0 notification subscriptions',
    );
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
  });

  it('should exit with 2 for an option that it does not have', async () => {
    expect(await demo('--fast')).to.include({ code: 2, stdout: '' });
  });
});
