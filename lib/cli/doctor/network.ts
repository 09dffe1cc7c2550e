import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type PeerCertificate, type SecureContext } from 'node:tls';
import { adviceFor, codeOf } from '../../core/systemErrors.ts';
import { excerpt } from '../../core/text.ts';
import type { Proxy } from '../../node/proxy.ts';
import { failureOf, type Step, type StepResult } from './steps.ts';

/** The facts that the steps of the network need and find. */
export interface NetworkFacts {
  /** The URL of the server; undefined until it is discovered. */
  readonly url?: string;
}

/** The way to the server. */
export interface Way {
  readonly proxyOf: (origin: string) => Proxy | undefined;
  readonly secureContext: SecureContext | undefined;
}

/** How long a connection may take. */
const PATIENCE_MS = 10_000;
/** The days before the expiry of a certificate from which the doctor warns. */
const SOON_DAYS = 21;
const DAY_MS = 86_400_000;

/** Returns the steps for the way to the server: proxy, DNS, TCP, TLS. */
export function networkSteps<Facts extends NetworkFacts>(
  { proxyOf, secureContext }: Way,
  needs: readonly string[],
): readonly Step<Facts>[] {
  const urlOf = ({ url = '' }: Facts): URL => new URL(url);
  const proxyFor = (facts: Facts): Proxy | undefined => proxyOf(urlOf(facts).origin);
  return [
    {
      name: 'proxy',
      needs,
      run: (facts) => {
        const proxy = proxyFor(facts);
        const text =
          proxy === undefined
            ? 'none: the connection is direct'
            : `${proxy.url.origin}, by the environment; NO_PROXY lists hosts without it`;
        return Promise.resolve({ state: 'ok', text });
      },
    },
    {
      name: 'DNS',
      needs: [...needs, 'proxy'],
      run: async (facts) => {
        const host = hostOf(proxyFor(facts)?.url ?? urlOf(facts));
        if (isIP(host) !== 0) return { state: 'ok', text: `${host} is an address` };
        return lookup(host, { all: true }).then(
          (found) => ({ state: 'ok', text: `${host} is ${found.map(({ address }) => address).join(', ')}` }),
          (error: unknown) =>
            failed<Facts>(
              `the name ${host} has no address (${codeOf(error) ?? 'no code'})`,
              'correct the host name; a name of an internal network needs its DNS server or a VPN',
            ),
        );
      },
    },
    {
      name: 'TCP',
      needs: ['DNS'],
      run: async (facts) => {
        const url = proxyFor(facts)?.url ?? urlOf(facts);
        const [host, port] = [hostOf(url), portOf(url)];
        return openTcp(host, port).then(
          () => ({ state: 'ok', text: `${host}:${port} accepts connections` }),
          (error: unknown) =>
            failed<Facts>(
              `${host}:${port} accepts no connection (${codeOf(error) ?? 'no response in time'})`,
              'check the port, that the service runs, and that no firewall is in between',
            ),
        );
      },
    },
    {
      name: 'TLS',
      needs: ['TCP'],
      run: async (facts) => {
        const url = urlOf(facts);
        if (url.protocol !== 'https:')
          return {
            state: 'warning',
            text: 'the URL is http: everything crosses the network in clear text',
            advice: 'use https',
          };
        if (proxyFor(facts) !== undefined)
          return { state: 'ok', text: 'checked in the tunnel of the proxy, below' };
        return openTls(url, secureContext).then(
          (session) => certificateResult<Facts>(session, Date.now()),
          (error: unknown) => {
            const code = codeOf(error);
            return failed<Facts>(
              `the handshake has failed (${code ?? 'no code'})`,
              adviceFor(code) ?? 'check that the port is that of https',
            );
          },
        );
      },
    },
  ];
}

/** A TLS session whose certificate may be invalid. */
export interface Session {
  readonly protocol: string;
  /** The code of what is wrong with the certificate. */
  readonly problem: string | undefined;
  readonly certificate: Pick<PeerCertificate, 'valid_to' | 'subject' | 'issuer' | 'subjectaltname'>;
}

/** Returns the result for a certificate: a pure function. */
export function certificateResult<Facts>(
  { protocol, problem, certificate }: Session,
  now: number,
): StepResult<Facts> {
  const { valid_to: validTo, subject, issuer, subjectaltname: names } = certificate;
  const days = Math.floor((Date.parse(validTo) - now) / DAY_MS);
  const text = excerpt(
    `${protocol}, certificate of ${names ?? nameIn(subject)} by ${nameIn(issuer)}, valid until ${validTo}`,
    400,
  );
  if (problem !== undefined)
    return failed(`${text}: ${problem}`, adviceFor(problem) ?? 'replace the certificate on the server');
  return days < SOON_DAYS
    ? { state: 'warning', text, advice: `it expires in ${days} days: renew it on the server` }
    : { state: 'ok', text };
}

function nameIn(subject: object): string {
  const { CN, O } = subject as { readonly CN?: unknown; readonly O?: unknown };
  const name = CN ?? O;
  return typeof name === 'string' ? name : 'no name';
}

function failed<Facts>(text: string, advice: string): StepResult<Facts> {
  return failureOf(text, advice);
}

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

const portOf = ({ port, protocol }: URL): number => Number(port || (protocol === 'https:' ? 443 : 80));

function openTcp(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port, timeout: PATIENCE_MS });
    socket
      .on('error', reject)
      .on('timeout', () => reject(new Error('no response')))
      .on('connect', () => resolve())
      .on('connect', () => socket.destroy());
  });
}

function openTls(url: URL, secureContext: SecureContext | undefined): Promise<Session> {
  return new Promise((resolve, reject) => {
    const host = hostOf(url);
    const socket = connectTls({
      ...{ host, port: portOf(url), timeout: PATIENCE_MS, rejectUnauthorized: false },
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(secureContext === undefined ? {} : { secureContext }),
    });
    socket
      .on('error', reject)
      .on('timeout', () => reject(new Error('no response')))
      .on('secureConnect', () => {
        resolve({
          protocol: socket.getProtocol() ?? 'TLS',
          // Its code.
          problem: socket.authorized ? undefined : String(socket.authorizationError),
          certificate: socket.getPeerCertificate(),
        });
        socket.destroy();
      });
  });
}
