import { expect } from 'chai';
import { EMPTY, of } from 'rxjs';
import { headersFrom, type Transport } from '../../lib/core/transport/transport.ts';
import { requestLog } from '../../lib/testing/requestLog.ts';

const server: Transport = ({ url }) => of({ status: 204, url, headers: headersFrom({}), body$: EMPTY });

describe('requestLog', () => {
  it('drops the oldest of many small requests', () => {
    const log = requestLog();
    const transport = log.middleware(server);
    for (let count = 0; count < 150_000; count += 1)
      transport({ method: 'GET', url: 'https://pool.contoso.com/' }).subscribe();
    expect(log.requests.length).to.be.below(140_000);
  });
});
