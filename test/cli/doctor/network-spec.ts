import { expect } from 'chai';
import { certificateResult, networkSteps, type Session } from '../../../lib/cli/doctor/network.ts';
import type { Proxy } from '../../../lib/node/proxy.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');

function session(problem: string | undefined, certificate: Partial<Session['certificate']> = {}): Session {
  return {
    protocol: 'TLSv1.3',
    problem,
    certificate: {
      valid_to: 'Jan  1 00:00:00 2027 GMT',
      subject: { CN: 'mail.contoso.com' },
      issuer: { O: 'Contoso' },
      ...certificate,
    },
  };
}

describe('The certificate of a server', () => {
  const cases: readonly (readonly [what: string, session: Session, state: string, text: RegExp])[] = [
    ['is valid', session(undefined), 'ok', /mail\.contoso\.com by Contoso/],
    ['names hosts', session(undefined, { subjectaltname: 'DNS:mail' }), 'ok', /of DNS:mail by/],
    ['has no name', session(undefined, { subject: {} }), 'ok', /of no name by/],
    ['expires soon', session(undefined, { valid_to: 'Jan 11 00:00:00 2026 GMT' }), 'warning', /2026/],
    ['is expired', session('CERT_HAS_EXPIRED'), 'failed', /CERT_HAS_EXPIRED/],
    ['has an unknown problem', session('SOMETHING_ELSE'), 'failed', /SOMETHING_ELSE/],
  ];
  for (const [what, given, state, text] of cases) {
    it(what, () => {
      const result = certificateResult(given, NOW);
      expect(result.state).to.equal(state);
      expect(result.text).to.match(text);
    });
  }
});

describe('The way through a proxy', () => {
  const proxyOf = (): Proxy => ({ url: new URL('http://127.0.0.1:1') }) as Proxy;
  const steps = networkSteps({ proxyOf, secureContext: undefined }, []);
  const run = async (name: string): Promise<string> => {
    const step = steps.find((one) => one.name === name)!;
    const { state, text } = await step.run({ url: 'https://mail.contoso.com/' });
    return `${state}: ${text}`;
  };

  it('names the proxy', async () => {
    expect(await run('proxy')).to.match(/^ok: http:\/\/127\.0\.0\.1:1,/);
  });

  it('looks for the proxy, not for the server', async () => {
    expect(await run('DNS')).to.equal('ok: 127.0.0.1 is an address');
    expect(await run('TCP')).to.match(/^failed: 127\.0\.0\.1:1 accepts no connection/);
  });

  it('leaves the certificate to the tunnel', async () => {
    expect(await run('TLS')).to.match(/^ok: .*tunnel/);
  });
});
