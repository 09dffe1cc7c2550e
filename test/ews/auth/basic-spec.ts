import { expect } from 'chai';
import { of, timer } from 'rxjs';
import { HttpError } from '../../../lib/core/errors.ts';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import { basic, type BasicCredentials } from '../../../lib/ews/auth/basic.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { respondWith, response } from '../../support/responses.ts';

const url = 'https://mail.contoso.com/EWS/Exchange.asmx';
const CONTEXT = { allowInsecureHttp: false };

/** A server whose answers are given by their status, the last one again and again. */
function server(...statuses: number[]) {
  const sent: (string | undefined)[] = [];
  const received: unknown[] = [];
  const transport: Transport = ({ headers }) => {
    sent.push(headers?.['authorization']);
    return of(response(statuses[sent.length - 1] ?? statuses.at(-1) ?? 200));
  };
  const signed = basic({ username: 'sara', password: 'hush' }).sign(CONTEXT)(transport);
  const send = (to = url): void => {
    signed({ method: 'POST', url: to }).subscribe({
      next: ({ status }) => received.push(status),
      error: (error: unknown) => received.push(error),
    });
  };
  return { sent, received, send };
}

describe('basic', () => {
  it('signs each request', () => {
    const { sent, received, send } = server(200);
    send();
    send();
    expect(sent).to.deep.equal(['Basic c2FyYTpodXNo', 'Basic c2FyYTpodXNo']);
    expect(received).to.deep.equal([200, 200]);
  });

  it('encodes user name and password in UTF-8', () => {
    const { transport, requests } = respondWith(response(200));
    basic({ username: 'CONTOSO\\sära', password: 'a:b' })
      .sign(CONTEXT)(transport)({ method: 'GET', url })
      .subscribe();
    const encoded = requests[0]?.headers?.['authorization']?.slice('Basic '.length) ?? '';
    expect(Buffer.from(encoded, 'base64').toString('utf8')).to.equal('CONTOSO\\sära:a:b');
  });

  it('passes on the 401, and then sends nothing for a minute', () => {
    const { sent, received, send } = server(401, 200);
    inVirtualTime(() => {
      send();
      send();
      timer(59_000).subscribe(() => send());
      timer(60_000).subscribe(() => send());
    });
    expect(sent).to.have.length(2);
    expect(received[0]).to.equal(401);
    expect(received[1]).to.be.instanceOf(HttpError).and.include({ status: 401 });
    expect(String(received[1])).to.contain('not sent again for 60 seconds').and.not.contain('c2Fy');
    expect(String(received[2])).to.contain('not sent again for 1 seconds');
    expect(received[3]).to.equal(200);
  });

  it('stops after a 401 that follows accepted requests', () => {
    const { sent, send } = server(200, 200, 401);
    for (let count = 0; count < 5; count += 1) send();
    expect(sent).to.have.length(3);
  });

  it('keeps origins apart', () => {
    const { sent, send } = server(401);
    send();
    send('https://other.contoso.com/');
    send('https://other.contoso.com/again');
    expect(sent).to.have.length(2);
  });

  const invalid: readonly (readonly [string, unknown, RegExp])[] = [
    ['an empty user name', { username: '', password: 'hush' }, /^username must be a text without colon/],
    ['a colon in the user name', { username: 'sa:ra', password: 'hush' }, /^username must be/],
    ['no user name', { password: 'hush' }, /^username must be/],
    ['a line break in the password', { username: 'sara', password: 'hush\n' }, /^password must be/],
    ['no password', { username: 'sara' }, /^password must be/],
    ['a token', 'hush', /^credentials must be an object, but it is a string/],
  ];
  for (const [name, credentials, message] of invalid) {
    it(`throws for ${name}, without showing the secret`, () => {
      expect(() => basic(credentials as BasicCredentials))
        .to.throw(TypeError, message)
        .with.property('message')
        .that.does.not.contain('hush');
    });
  }
});
