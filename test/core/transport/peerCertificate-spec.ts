import { expect } from 'chai';
import { X509Certificate } from 'node:crypto';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { firstValueFrom, map, mergeMap, type Observable } from 'rxjs';
import { fetchTransport } from '../../../lib/core/transport/fetch.ts';
import { readText, type Transport } from '../../../lib/core/transport/transport.ts';
import { httpServer } from '../../support/net/httpServer.ts';
import { certificateFor } from '../../support/net/tls.ts';
import { trust } from '../../support/net/trust.ts';

/** Emits the certificate as it is when the head of the response has arrived. */
function certificateOf(transport: Transport, url: string): Observable<Uint8Array | undefined> {
  return transport({ method: 'GET', url }).pipe(
    mergeMap((response) => {
      const certificate = response.peerCertificate?.();
      return readText(response, 'x').pipe(map(() => certificate));
    }),
  );
}

describe('peerCertificate', () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`is that of the connection, and of a second one, with ${maxVersion}`, async () => {
      const { key, cert } = certificateFor(['127.0.0.1']);
      const { raw } = new X509Certificate(cert);
      const server = https.createServer({ key, cert, maxVersion }, (_, response) => {
        response.setHeader('connection', 'close').end('small');
      });
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const distrust = trust(cert);
      try {
        const transport = fetchTransport();
        for (const attempt of [1, 2, 3]) {
          const certificate = await firstValueFrom(certificateOf(transport, url));
          expect(Buffer.from(certificate ?? []).equals(raw), `request ${attempt}`).to.equal(true);
        }
      } finally {
        distrust();
        server.closeAllConnections();
        await new Promise((closed) => server.close(closed));
      }
    });
  }

  it('is undefined without TLS', async () => {
    const server = await httpServer((_, response) => response.end('small'));
    expect(await firstValueFrom(certificateOf(fetchTransport(), server.url))).to.equal(undefined);
    await server.close();
  });

  it('is missing if another fetch manages the connections', async () => {
    const transport = fetchTransport(() => Promise.resolve(new Response('small')));
    const response = await firstValueFrom(transport({ method: 'GET', url: 'https://mail.example/' }));
    expect(response).to.not.have.property('peerCertificate');
  });
});
