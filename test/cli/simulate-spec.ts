import { expect } from 'chai';
import { firstValueFrom } from 'rxjs';
import { run } from '../../lib/cli/run.ts';
import { discover } from '../../lib/ucwa/discovery.ts';
import { password } from '../../lib/ucwa/signIn.ts';
import { specTerminal } from '../support/terminal.ts';

describe('rxchange simulate', () => {
  const watches = {
    ews: 'watch ews --interval 0.05 --url',
    'ews, as a stream,': 'watch ews --mode stream --url',
    ucwa: 'watch ucwa --uri sip:sara@contoso.com --applications',
  };
  const happens = { ews: /"newMail"/, 'ews, as a stream,': /"newMail"/, ucwa: /contactPresence/ };

  for (const kind of ['ews', 'ews, as a stream,', 'ucwa'] as const) {
    it(`should serve ${kind} until it is interrupted: something happens, and can be watched`, async () => {
      const server = specTerminal();
      const served = run(server, ['simulate', kind.split(',')[0]!, '--every', '0.1']);
      const url = await server.line(/^http/);
      const client = specTerminal({ RXCHANGE_TOKEN: 'any' });
      const watched = run(client, [...watches[kind].split(' '), url]);
      await client.line(happens[kind]);
      client.interrupt();
      expect(await watched).to.equal(0);
      server.interrupt();
      expect(await served).to.equal(0);
      expect(server.lines.err).to.deep.equal(['left on the server: 0 subscriptions']);
      expect(server.lines.out.some((line) => /→ (POST|DELETE) .* 20\d/.test(line))).to.equal(true);
    });
  }

  it('should serve the discovery of ucwa and sign in whoever comes, and tell where', async () => {
    const server = specTerminal();
    const served = run(server, ['simulate', 'ucwa']);
    const told = await server.line(/^discovery: http/);
    const discovery = discover({
      ...{ domain: 'contoso.com', urls: [told.replace('discovery: ', '')] },
      signIn: password({ username: 'anybody', password: 'anything' }),
    });
    const { applications } = await firstValueFrom(discovery.location$);
    expect(await server.line(/^http/)).to.equal(applications);
    server.interrupt();
    expect(await served).to.equal(0);
  });
});
