import { expect } from 'chai';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPassword, readToken } from '../../lib/cli/arguments.ts';
import { specTerminal } from '../support/terminal.ts';

const failureOf = (secret: Promise<string>): Promise<string> =>
  secret.then(
    () => 'no error',
    (error: unknown) => (error as Error).message,
  );

describe('readPassword and readToken', () => {
  let folder = '';
  const file = (text: string): string => {
    const path = join(folder, 'secret');
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rxchange-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('prefers the first line of the file', async () => {
    const terminal = specTerminal({ RXCHANGE_PASSWORD: 'environment' }, 'typed');
    expect(await readPassword(terminal, file('file\r\nmore'))).to.equal('file');
    expect(terminal.questions).to.deep.equal([]);
  });

  it('prefers the environment to a prompt', async () => {
    const terminal = specTerminal({ RXCHANGE_PASSWORD: 'p', RXCHANGE_TOKEN: 't' }, 'typed');
    expect(await readPassword(terminal, undefined)).to.equal('p');
    expect(await readToken(terminal, undefined)).to.equal('t');
    expect(terminal.questions).to.deep.equal([]);
  });

  it('prompts if nothing else is given', async () => {
    const terminal = specTerminal({}, 'typed');
    expect(await readToken(terminal, undefined)).to.equal('typed');
    expect(terminal.questions).to.deep.equal(['token: ']);
  });

  it('names the alternatives without a terminal', async () => {
    expect(await failureOf(readPassword(specTerminal(), undefined))).to.equal(
      'no password: set RXCHANGE_PASSWORD, use --password-file, or run the command in a terminal',
    );
  });

  for (const mode of [0o644, 0o640, 0o604, 0o620, 0o666]) {
    it(`rejects a file of mode ${mode.toString(8)} without quoting it`, async function () {
      // Windows has no POSIX modes.
      if (process.platform === 'win32') this.skip();
      const path = file('hush');
      chmodSync(path, mode);
      expect(await failureOf(readPassword(specTerminal(), path))).to.equal(
        `the password file ${path} is accessible to other users: run chmod 600 on it, and change the password`,
      );
    });
  }

  it('rejects a folder by name', async () => {
    expect(await failureOf(readPassword(specTerminal(), folder))).to.match(
      /^the password file .* cannot be read$/,
    );
  });

  it('names an unreadable file, and an empty secret', async () => {
    expect(await failureOf(readToken(specTerminal(), join(folder, 'missing')))).to.match(
      /^the token file .*missing cannot/,
    );
    expect(await failureOf(readToken(specTerminal(), file('\nhush')))).to.match(
      /^the first line .* is empty$/,
    );
    expect(await failureOf(readToken(specTerminal({ RXCHANGE_TOKEN: '' }), undefined))).to.equal(
      'the environment variable RXCHANGE_TOKEN is empty',
    );
  });
});
