import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { type AcceptorFolder, ended, freePort, listening } from './acceptor.ts';

const REALM = 'SPECS.TEST';

/** A KDC of MIT Kerberos with one account, sara, and one service, HTTP/localhost. */
export interface Kdc {
  /** The environment of a process that uses the realm, without credentials. */
  readonly env: NodeJS.ProcessEnv;
  /** The keytab of the service, which other users may read. */
  readonly serviceKeytab: string;
  /** The keytab of sara. */
  readonly clientKeytab: string;
  /** Gets a ticket with sara's password, and returns the name of its cache. */
  readonly kinit: () => string;
  readonly close: () => Promise<void>;
}

/** Starts a KDC on a free port. */
export async function kdc(folder: AcceptorFolder): Promise<Kdc> {
  const port = await freePort();
  const data = `${folder.path}/kdc`;
  mkdirSync(data);
  const config = folder.write('krb5.conf', krb5Conf(port));
  const profile = folder.write(
    'kdc.conf',
    `[kdcdefaults]
  kdc_listen = 127.0.0.1:${port}
  kdc_tcp_listen = 127.0.0.1:${port}
[realms]
  ${REALM} = {
    database_name = ${data}/principal
    key_stash_file = ${data}/stash
    acl_file = ${data}/kadm5.acl
  }
[logging]
  kdc = FILE:${data}/kdc.log
`,
  );
  const env = { KRB5_CONFIG: config, KRB5CCNAME: `FILE:${folder.path}/no-cache`, KRB5RCACHENAME: 'none:' };
  const all = { ...process.env, ...env, KRB5_KDC_PROFILE: profile };
  const run = (command: string, args: readonly string[], input?: string): void => {
    execFileSync(command, [...args], { env: all, input, stdio: ['pipe', 'pipe', 'pipe'] });
  };
  run('/usr/sbin/kdb5_util', ['-r', REALM, '-P', 'master', 'create', '-s', '-W']);
  const serviceKeytab = `${folder.path}/service.keytab`;
  const clientKeytab = `${folder.path}/client.keytab`;
  for (const query of [
    'addprinc -pw hush sara',
    'addprinc -randkey HTTP/localhost',
    `ktadd -k ${serviceKeytab} HTTP/localhost`,
    `ktadd -norandkey -k ${clientKeytab} sara`,
  ])
    run('/usr/sbin/kadmin.local', ['-r', REALM, '-q', query]);
  chmodSync(serviceKeytab, 0o644);
  const child = spawn('/usr/sbin/krb5kdc', ['-n', '-r', REALM, '-P', `${data}/pid`], {
    env: all,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  await listening(child, port, () => errors);
  return {
    ...{ env, serviceKeytab, clientKeytab },
    kinit: () => {
      const cache = `FILE:${folder.path}/cache`;
      run('/usr/bin/kinit', ['-c', cache, 'sara'], 'hush\n');
      return cache;
    },
    close: () => ended(child),
  };
}

/** Returns the configuration of a realm whose KDC listens on a port of this machine. */
export function krb5Conf(port: number): string {
  return `[libdefaults]
  default_realm = ${REALM}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  ${REALM} = {
    kdc = 127.0.0.1:${port}
  }
`;
}
