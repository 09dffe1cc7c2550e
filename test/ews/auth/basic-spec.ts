import { expect } from 'chai';
import { of, timer } from 'rxjs';
import { HttpError } from '../../../lib/core/errors.ts';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import { basicSignIn } from '../../../lib/ews/auth/basic.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { response } from '../../support/responses.ts';

const url = 'https://mail.contoso.com/EWS/Exchange.asmx';

/** A server whose answers are given by their status, the last one again and again. */
function server(...statuses: number[]) {
  const sent: (string | undefined)[] = [];
  const recorded: unknown[] = [];
  const transport: Transport = ({ headers }) => {
    sent.push(headers?.['authorization']);
    return of(response(statuses[sent.length - 1] ?? statuses.at(-1) ?? 200));
  };
  const signed = basicSignIn('c2FyYTpodXNo')(transport);
  const ask = (to = url): void => {
    signed({ method: 'POST', url: to }).subscribe({
      next: ({ status }) => recorded.push(status),
      error: (error: unknown) => recorded.push(error),
    });
  };
  return { sent, recorded, ask };
}

describe('basicSignIn', () => {
  it('signs each request', () => {
    const { sent, recorded, ask } = server(200);
    ask();
    ask();
    expect(sent).to.deep.equal(['Basic c2FyYTpodXNo', 'Basic c2FyYTpodXNo']);
    expect(recorded).to.deep.equal([200, 200]);
  });

  it('passes on the 401, and then sends nothing for a minute', () => {
    const { sent, recorded, ask } = server(401, 200);
    inVirtualTime(() => {
      ask();
      ask();
      timer(59_000).subscribe(() => ask());
      timer(60_000).subscribe(() => ask());
    });
    expect(sent).to.have.length(2);
    expect(recorded[0]).to.equal(401);
    expect(recorded[1]).to.be.instanceOf(HttpError).and.include({ status: 401 });
    expect(String(recorded[1])).to.contain('not sent again for 60 seconds').and.not.contain('c2Fy');
    expect(String(recorded[2])).to.contain('not sent again for 1 seconds');
    expect(recorded[3]).to.equal(200);
  });

  it('stops after a 401 that follows accepted requests', () => {
    const { sent, ask } = server(200, 200, 401);
    for (let count = 0; count < 5; count += 1) ask();
    expect(sent).to.have.length(3);
  });

  it('keeps origins apart', () => {
    const { sent, ask } = server(401);
    ask();
    ask('https://other.contoso.com/');
    ask('https://other.contoso.com/again');
    expect(sent).to.have.length(2);
  });
});
