import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { type Host, processTerminal, printExchanges } from '../../lib/cli/terminal.ts';
import { type Observable, of, throwError } from 'rxjs';
import { headersFrom, type HttpResponse, type Transport } from '../../lib/core/transport/transport.ts';
import { specTerminal } from '../support/terminal.ts';

function host(
  isTTY: boolean,
): Host & EventEmitter & { readonly written: () => [string, string]; readonly type: (keys: string) => void } {
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  return Object.assign(new EventEmitter(), {
    stdin,
    stdout,
    stderr,
    env: { NAME: 'value' },
    exit: (code?: number | string | null): never => {
      throw new Error(`exit ${code}`);
    },
    type: (keys: string) => stdin.write(keys),
    written: (): [string, string] => [String(stdout.read() ?? ''), String(stderr.read() ?? '')],
  });
}

describe('processTerminal', () => {
  it('writes lines to standard output and standard error', () => {
    const process = host(false);
    const terminal = processTerminal(process);
    terminal.out('result');
    terminal.err('news');
    expect(process.written()).to.deep.equal(['result\n', 'news\n']);
    expect(terminal.env['NAME']).to.equal('value');
  });

  it('escapes control characters as JSON does', () => {
    const process = host(false);
    const event = { id: '\u001b]0;a\u0007\r\n\u007f\u009b31m\u2028\u202e\u{e0041}', name: 'Zoë 👋' };
    processTerminal(process).out(JSON.stringify(event));
    const [line] = process.written();
    expect(line)
      .to.match(/^[^\p{Cc}\p{Cf}\p{Zl}]*\n$/u)
      .and.to.contain('Zoë 👋');
    expect(JSON.parse(line)).to.deep.equal(event);
  });

  it('limits a line about progress, and replaces its control characters', () => {
    const process = host(false);
    processTerminal(process).err(`a\u001b[2Jb\nc${'d'.repeat(1_000_000)}`);
    const [, line] = process.written();
    expect(line).to.match(/^a\uFFFD\[2Jb\uFFFDcd+…\n$/u);
    expect(line.length).to.be.at.most(2002);
  });

  it('emits signals while it is subscribed, and handles none otherwise', () => {
    const process = host(false);
    const seen: string[] = [];
    const subscription = processTerminal(process).interrupted$.subscribe((signal) => seen.push(signal));
    process.emit('SIGINT');
    process.emit('SIGTERM');
    subscription.unsubscribe();
    expect(seen).to.deep.equal(['SIGINT', 'SIGTERM']);
    expect(process.listenerCount('SIGINT') + process.listenerCount('SIGTERM')).to.equal(0);
  });

  it('ends the process with the given code', () => {
    expect(() => processTerminal(host(false)).exit(130)).to.throw('exit 130');
  });

  it('prompts for a secret without echoing it', async () => {
    const process = host(true);
    const answer = processTerminal(process).askSecret('password: ');
    process.type('hush\r');
    expect(await answer).to.equal('hush');
    expect(process.written()).to.deep.equal(['', 'password: \n']);
  });

  it('rejects a question without a terminal', async () => {
    const message = await processTerminal(host(false))
      .askSecret('password: ')
      .catch((error: unknown) => (error as Error).message);
    expect(message).to.equal('standard input is not a terminal');
  });
});

const request = { method: 'GET', url: 'https://pool.contoso.com/a' };

function printed(transport: Transport): string {
  const terminal = specTerminal();
  printExchanges(terminal)(transport)(request).subscribe({ error: () => undefined });
  expect(terminal.lines.out).to.have.length(1);
  return terminal.lines.out.join('');
}

const soap = (text: string): Observable<HttpResponse> =>
  of({
    ...{ status: 200, url: request.url, headers: headersFrom({ 'content-type': 'text/xml' }) },
    body$: of(new TextEncoder().encode(text)),
  });

describe('printExchanges', () => {
  it('prints the response code of SOAP', () => {
    expect(printed(() => soap('<m:ResponseCode>NoError</m:ResponseCode>'))).to.match(
      / GET \/a {2}200 NoError /,
    );
  });

  it('omits a response code of more than 64 characters', () => {
    const code = 'a'.repeat(65);
    expect(printed(() => soap(`<m:ResponseCode>${code}</m:ResponseCode>`))).to.match(
      / GET \/a {2}200 {2}\d+ ms$/,
    );
  });

  it('limits the text of an error, and replaces its control characters', () => {
    const message = `broken \u001b[2J\n${'a'.repeat(10_000)}`;
    const line = printed(() => throwError(() => new Error(message)));
    expect(line)
      .to.match(/^[^\p{Cc}]+$/u)
      .and.to.contain('broken');
    expect(line.length).to.be.below(1000);
  });

  it('prints a thrown value that is not an Error', () => {
    expect(printed(() => throwError(() => 'odd'))).to.match(/ GET \/a {2}odd /);
  });
});
