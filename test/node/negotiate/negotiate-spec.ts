import { expect } from 'chai';
import { inspect } from 'node:util';
import { firstValueFrom, map, mergeMap, Observable, of, Subject } from 'rxjs';
import { defined } from '../../../lib/core/defined.ts';
import { HttpError } from '../../../lib/core/errors.ts';
import {
  type HttpRequest,
  type HttpResponse,
  readText,
  type Transport,
} from '../../../lib/core/transport/transport.ts';
import { type Kerberos, kerberosAdapter, type NegotiateTarget } from '../../../lib/node/negotiate/adapter.ts';
import { NegotiateError, negotiateError } from '../../../lib/node/negotiate/errors.ts';
import { negotiate, type NegotiateOptions } from '../../../lib/node/negotiate/negotiate.ts';
import { type PreparedResponse, respondWith, response } from '../../support/responses.ts';

const post: HttpRequest = { method: 'POST', url: 'https://mail.example/EWS', body: '<x/>' };
const says = (status: number, header: string, body: readonly string[] = []): PreparedResponse =>
  response(status, { headers: { 'www-authenticate': header }, body });
const offer = says(401, 'Negotiate, NTLM');
const granted = says(200, 'Negotiate cHJvb2Y=', ['done']);

/** An adapter that notes its targets and tokens. */
function library(steps: readonly (string | Error)[] = ['b25l', '']) {
  const targets: NegotiateTarget[] = [];
  const tokens: (string | undefined)[] = [];
  const adapter = (target: NegotiateTarget) => {
    targets.push(target);
    let count = 0;
    return {
      step: (token?: string): Promise<string> => {
        tokens.push(token);
        const step = steps[count] ?? '';
        count += 1;
        return step instanceof Error ? Promise.reject(step) : Promise.resolve(step);
      },
    };
  };
  return { targets, tokens, adapter };
}

/** Resolves to what the server has got, and what the caller of each request gets. */
async function send(
  answers: readonly PreparedResponse[],
  { adapter, fallback }: Pick<NegotiateOptions, 'adapter' | 'fallback'> = library(),
  requests: readonly HttpRequest[] = [post],
) {
  const server = respondWith(...answers);
  const transport = negotiate({ connect: () => server.transport, ...defined({ adapter, fallback }) });
  const outcomes: unknown[] = [];
  for (const request of requests) {
    const text$ = transport(request).pipe(
      mergeMap((one) => readText(one, 'response').pipe(map((text) => `${one.status} ${text}`))),
    );
    outcomes.push(await firstValueFrom(text$).catch((error: unknown) => error));
  }
  const sent = server.requests.map(
    ({ headers, body }) => `${headers?.['authorization'] ?? '-'} ${body ?? 'none'}`,
  );
  return { sent, outcomes };
}

describe('negotiate', () => {
  it('sends the body with the ticket, after the server has offered Negotiate', async () => {
    const kerberos = library();
    const { sent, outcomes } = await send([offer, granted], kerberos);
    expect(sent).to.deep.equal(['- ', 'Negotiate b25l <x/>']);
    expect(outcomes).to.deep.equal(['200 done']);
    expect(kerberos.tokens).to.deep.equal([undefined, 'cHJvb2Y=']);
  });

  it('sends later requests as they are, until the server requires a ticket', async () => {
    const later = response(200, { body: ['later'] });
    const { sent, outcomes } = await send([offer, granted, later, offer, granted], library(), [
      post,
      post,
      post,
    ]);
    expect(sent).to.deep.equal([
      ...['- ', 'Negotiate b25l <x/>'],
      '- <x/>',
      ...['- <x/>', 'Negotiate b25l <x/>'],
    ]);
    expect(outcomes).to.deep.equal(['200 done', '200 later', '200 done']);
  });

  it('continues while the server sends tokens', async () => {
    const kerberos = library(['b25l', 'dHdv', '']);
    const { sent } = await send([offer, says(401, 'Negotiate bW9yZQ=='), granted], kerberos);
    expect(sent.slice(1)).to.deep.equal(['Negotiate b25l <x/>', 'Negotiate dHdv <x/>']);
    expect(kerberos.tokens).to.deep.equal([undefined, 'bW9yZQ==', 'cHJvb2Y=']);
  });

  it('stops after five messages', async () => {
    const endless = Array.from({ length: 10 }, () => says(401, 'Negotiate bW9yZQ=='));
    const { sent, outcomes } = await send([offer, ...endless]);
    expect(sent).to.have.length(6);
    expect(outcomes[0]).to.be.instanceOf(HttpError);
  });

  it('errors if the server refuses the ticket', async () => {
    const { sent, outcomes } = await send([offer, offer]);
    expect(sent).to.have.length(2);
    expect(outcomes[0]).to.be.instanceOf(HttpError).and.include({ status: 401 });
    expect(String(outcomes[0])).to.contain('does not accept the ticket');
  });

  it('emits the 401 of a server that does not offer it', async () => {
    expect((await send([says(401, 'Basic realm="x"')])).outcomes).to.deep.equal(['401 ']);
  });

  it('passes service, account and channel binding to the adapter', async () => {
    const kerberos = library();
    const connect = (): Transport => {
      const { transport } = respondWith(offer, granted);
      return (request) =>
        transport(request).pipe(map((one) => ({ ...one, peerCertificate: () => new Uint8Array(3) })));
    };
    const transport = negotiate({ adapter: kerberos.adapter, connect, principal: 'sara@CONTOSO.COM' });
    await firstValueFrom(transport(post));
    expect(kerberos.targets[0]).to.include({ service: 'HTTP@mail.example', principal: 'sara@CONTOSO.COM' });
    expect(Buffer.from(kerberos.targets[0]?.channelBinding ?? []).toString()).to.match(
      /^tls-server-end-point:/,
    );
  });

  const unproved: readonly (readonly [string, PreparedResponse, readonly (string | Error)[]])[] = [
    ['sends no proof', response(200, { body: ['lies'] }), ['b25l', '']],
    ['sends a wrong proof', granted, ['b25l', new Error('Invalid token')]],
  ];
  for (const [name, answer, steps] of unproved) {
    it(`does not use the response of a server that ${name}`, async () => {
      const [outcome] = (await send([offer, answer], library(steps))).outcomes;
      expect(outcome).to.be.instanceOf(NegotiateError).and.include({ reason: 'serverNotVerified' });
    });
  }

  it('does not use the response if the proof is not complete', async () => {
    const adapter = () => ({ step: () => Promise.resolve(''), isComplete: false });
    const [outcome] = (await send([offer, granted], { adapter })).outcomes;
    expect(outcome).to.include({ reason: 'serverNotVerified' });
  });

  it('stores the body until the server has proved its identity', async () => {
    const body$ = new Subject<Uint8Array>();
    let proved: (token: string) => void = () => undefined;
    let count = 0;
    const step = (): Promise<string> => {
      count += 1;
      return count === 1 ? Promise.resolve('b25l') : new Promise((resolve) => (proved = resolve));
    };
    const answers = respondWith(offer, {
      ...response(200, { headers: { 'www-authenticate': 'Negotiate cHJvb2Y=' } }),
      body$,
    });
    const received: string[] = [];
    const transport = negotiate({ adapter: () => ({ step }), connect: () => answers.transport });
    const done = new Promise<void>((complete) => {
      transport(post)
        .pipe(mergeMap((one) => one.body$))
        .subscribe({ next: (chunk) => received.push(Buffer.from(chunk).toString()), complete });
    });
    await new Promise(setImmediate);
    body$.next(Buffer.from('early'));
    expect(received).to.deep.equal([]);
    proved('');
    await new Promise(setImmediate);
    expect(received).to.deep.equal(['early']);
    body$.next(Buffer.from('late'));
    body$.complete();
    await done;
    expect(received).to.deep.equal(['early', 'late']);
  });

  it('cancels the body of a response that is not read', async () => {
    let cancelled = 0;
    const body$ = new Observable<Uint8Array>(() => () => (cancelled += 1));
    const connect = (): Transport => {
      const { transport } = respondWith(offer, {
        ...response(200, { headers: { 'www-authenticate': 'Negotiate cHJvb2Y=' } }),
        body$,
      });
      return transport;
    };
    await firstValueFrom(negotiate({ adapter: library().adapter, connect })(post));
    expect(cancelled).to.equal(1);
    const { adapter } = library(['b25l', new Error('no')]);
    await firstValueFrom(negotiate({ adapter, connect })(post)).catch(() => undefined);
    expect(cancelled).to.equal(2);
  });

  describe('with a fallback', () => {
    const used: HttpRequest[] = [];
    const fallback = (request: HttpRequest): Observable<HttpResponse> => {
      used.push(request);
      return of(response(200, { body: ['by NTLM'] }));
    };
    beforeEach(() => (used.length = 0));

    it('uses it if the server offers NTLM only', async () => {
      const { adapter } = library();
      expect((await send([says(401, 'NTLM')], { adapter, fallback })).outcomes).to.deep.equal([
        '200 by NTLM',
      ]);
      expect(used).to.deep.equal([post]);
    });

    it('uses it if there is no ticket', async () => {
      const { adapter } = library([new Error('No Kerberos credentials available')]);
      expect((await send([offer], { adapter, fallback })).outcomes).to.deep.equal(['200 by NTLM']);
    });

    it('does not use it after a refused ticket or without proof', async () => {
      const { adapter } = library();
      for (const answer of [offer, response(200)]) {
        const { outcomes } = await send([offer, answer], { adapter, fallback });
        expect(outcomes[0]).to.be.instanceOf(Error);
      }
      expect(used).to.deep.equal([]);
    });
  });

  for (const options of [
    { service: '' },
    { principal: 'a\nb' },
    { adapter: 1 },
    { fallback: {} },
    { connect: 1 },
  ]) {
    const [name = ''] = Object.keys(options);
    it(`throws for a ${name} that cannot be used`, () => {
      expect(() => negotiate(options as unknown as NegotiateOptions)).to.throw(TypeError, `${name} must be`);
    });
  }
});

describe('NegotiateError', () => {
  const texts: readonly (readonly [string, NegotiateError['reason']])[] = [
    ['Unspecified GSS failure.  Minor code may provide more information: Ticket expired', 'expiredTicket'],
    ['The referenced credential has expired', 'expiredTicket'],
    ['Server HTTP/mail@CONTOSO.COM not found in Kerberos database', 'unknownPrincipal'],
    ["Client 'sara@CONTOSO.COM' not found in Kerberos database", 'unknownPrincipal'],
    ['Clock skew too great', 'clockSkew'],
    ['No Kerberos credentials available (default cache: FILE:/tmp/krb5cc_0)', 'noCredentials'],
    ["Can't find client principal sara in cache collection", 'noCredentials'],
    ["Credentials cache file '/tmp/krb5cc_0' not found", 'noCredentials'],
    ["Cannot contact any KDC for realm 'CONTOSO.COM'", 'kdcUnreachable'],
    ['Cannot find KDC for realm "CONTOSO.COM"', 'kdcUnreachable'],
    ['something else', 'other'],
  ];
  for (const [text, reason] of texts) {
    it(`names ${reason} for ${JSON.stringify(text)}`, () => {
      const error = negotiateError('HTTP@mail', new Error(`${text} hush`));
      expect(error.reason).to.equal(reason);
      expect(error.isUnreachable).to.equal(reason === 'kdcUnreachable');
      expect(inspect(error)).to.not.contain('hush');
    });
  }
});

describe('kerberosAdapter', () => {
  const target = { service: 'HTTP@mail', principal: undefined, channelBinding: undefined };

  it('loads the package once, and names it if it is missing', async () => {
    let loads = 0;
    const calls: unknown[] = [];
    const kerberos: Kerberos = {
      ...{ GSS_MECH_OID_SPNEGO: 6, GSS_C_MUTUAL_FLAG: 2, GSS_C_SEQUENCE_FLAG: 8 },
      initializeClient: (...args) => {
        calls.push(args);
        return Promise.resolve({ contextComplete: true, step: () => Promise.resolve(null) });
      },
    };
    const adapter = kerberosAdapter(() => {
      loads += 1;
      return loads === 1 ? Promise.reject(new Error('missing')) : Promise.resolve(kerberos);
    });
    const missing = await Promise.resolve(adapter(target)).catch((error: unknown) => error);
    expect(missing).to.include({ reason: 'kerberosMissing' });
    const context = await adapter({ ...target, principal: 'sara' });
    await adapter(target);
    expect(loads).to.equal(2);
    expect(await context.step()).to.equal('');
    expect(context.isComplete).to.equal(true);
    expect(calls[0]).to.deep.equal(['HTTP@mail', { mechOID: 6, gssFlag: 10, principal: 'sara' }]);
  });
});
