import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { run } from '../../lib/cli/run.ts';
import { specTerminal } from '../support/terminal.ts';

describe('rxchange', () => {
  it('prints its usage and exits with 2 without a command', async () => {
    const terminal = specTerminal();
    expect(await run(terminal, [])).to.equal(2);
    expect(terminal.lines.err.join()).to.contain('Usage:');
    expect(terminal.lines.out).to.deep.equal([]);
  });

  for (const args of [['--help'], ['-h'], ['demo', '--help'], ['watch', '--help'], ['nonsense', '--help']]) {
    it(`prints its usage for ${args.join(' ')}`, async () => {
      const terminal = specTerminal();
      expect(await run(terminal, args)).to.equal(0);
      expect(terminal.lines.out.join()).to.contain('rxchange watch ews');
    });
  }

  for (const command of ['watch ews', 'watch ucwa', 'simulate ews', 'simulate ucwa']) {
    it(`prints the options of ${command}`, async () => {
      const terminal = specTerminal();
      expect(await run(terminal, [...command.split(' '), '--help'])).to.equal(0);
      expect(terminal.lines.out.join())
        .to.match(/^rxchange (watch|simulate)/)
        .and.match(/ {2}--\w+/);
    });
  }

  it('prints its help line by line', async () => {
    const terminal = specTerminal();
    await run(terminal, ['--help']);
    await run(terminal, []);
    expect(terminal.lines.out).to.have.length.above(5);
    expect(terminal.lines.err).to.deep.equal(terminal.lines.out);
    expect(terminal.lines.out.join('')).not.to.contain('\n');
  });

  it('prints its version', async () => {
    const terminal = specTerminal();
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await run(terminal, ['--version'])).to.equal(0);
    expect(terminal.lines.out).to.deep.equal([version]);
  });

  const unknown: readonly [args: string, problem: string][] = [
    ['look', 'unknown command "look"'],
    ['watch', 'watch needs a protocol: watch ews or watch ucwa'],
    ['watch --url https://mail.contoso.com/', 'watch needs a protocol: watch ews or watch ucwa'],
    ['watch mail', 'watch does not know the protocol "mail": watch ews or watch ucwa'],
    ['simulate', 'simulate needs a protocol: simulate ews or simulate ucwa'],
  ];
  for (const [args, problem] of unknown) {
    it(`reports the error in: ${args.split(' ').slice(0, 2).join(' ')}`, async () => {
      const terminal = specTerminal();
      expect(await run(terminal, args.split(' '))).to.equal(2);
      expect(terminal.lines.err).to.deep.equal([`rxchange: ${problem}; see rxchange --help`]);
    });
  }

  const misuses: readonly [args: string, message: RegExp][] = [
    ['demo --fast', /Unknown option '--fast'/],
    ['watch ews', /--url is missing/],
    ['watch ews --url', /--url/],
    ['watch ews --url mail.contoso.com', /--url must be an absolute http or https URL/],
    ['watch ews --url https://a/ --event mail', /events\[0\] must be one of "created"/],
    ['watch ews --url https://a/ --interval soon', /--interval must be a number, but it is "soon"/],
    ['watch ews --url https://a/ --timeout 0', /timeoutMinutes must be .* from 1 to 1440/],
    ['watch ews --url https://a/ --folder Inbox', /folders\[0\] must be a distinguished folder name/],
    [
      'watch ews --url https://a/ --autodiscover a@b.example',
      /--url and --autodiscover are mutually exclusive/,
    ],
    ['watch ews --autodiscover sara', /address must be an SMTP address/],
    ['watch ews --url https://a/ --mode push', /--mode must be pull or stream, but it is "push"/],
    ['watch ews --url https://a/ --mode stream --interval 3', /--interval and --timeout require --mode pull/],
    ['watch ews --url https://a/ --delegate', /--delegate requires --mailbox/],
    [
      'watch ews --url https://a/ --mailbox a@b.example --delegate --all-folders',
      /--delegate and --all-folders are mutually exclusive/,
    ],
    ['watch ews --url https://a/ --password hush', /Unknown option '--password'/],
    ['watch ucwa', /--domain .*is missing/],
    ['watch ucwa --domain contoso.com --uri sip:a@b', /--user is missing/],
    ['watch ucwa --domain contoso.com --user sara', /--uri is missing/],
    ['watch ucwa --domain a/b --user sara --uri sip:a@b', /domain must be/],
    ['watch ucwa --domain contoso.com --application https://a/1 --uri sip:a@b', /mutually exclusive/],
    ['watch ucwa --domain contoso.com --user a --uri sip:a@b --discovery-url /', /urls/],
    ['watch ucwa --application https://a/1 --uri sip:a@b --batch 0', /maxParts must be/],
    ['watch ucwa --application https://a/1', /--uri is missing/],
    ['watch ucwa --application https://a/1 --applications https://a/ --uri sip:a@b', /mutually exclusive/],
    ['watch ucwa --application https://a/1 --uri sara', /uris\[0\]/],
    [
      'watch ucwa --application https://a/1 --uri sip:a@b --duration 31',
      /durationMinutes must be .* from 10 to 30/,
    ],
    ['simulate ews --port 70000', /port must be .* from 0 to 65535/],
    ['simulate ews --every 0', /--every must be more than 0/],
    ['simulate ews --allow-host a/b', /allowedHosts\[0\] must be a host/],
  ];
  for (const [args, message] of misuses) {
    it(`reports the error in: ${args}`, async () => {
      const terminal = specTerminal();
      expect(await run(terminal, args.split(' '))).to.equal(2);
      expect(terminal.lines.err).to.have.length(1);
      expect(terminal.lines.err[0])
        .to.match(message)
        .and.match(/; see rxchange .*--help$/);
      expect(terminal.lines.err[0]).not.to.contain('hush');
      expect(terminal.questions).to.deep.equal([]);
    });
  }
});
