import { expect } from 'chai';
import { type Observable, of, throwError } from 'rxjs';
import { printExchanges } from '../../lib/cli/printExchanges.ts';
import { headersFrom, type HttpResponse, type Transport } from '../../lib/core/transport/transport.ts';
import { specTerminal } from '../support/terminal.ts';

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
