import { expect } from 'chai';
import { EMPTY, mergeMap, NEVER, of, timer } from 'rxjs';
import { headersFrom, type Transport } from '../../lib/core/transport.ts';
import { requestLog } from '../../lib/testing/requestLog.ts';
import { marbles } from '../support/marbles.ts';

const server: Transport = ({ url }) =>
  url.endsWith('held') ? NEVER : of({ status: 204, url, headers: headersFrom({}), body$: EMPTY });

describe('requestLog', () => {
  it('should note what was sent, when, and what it was answered', () => {
    const log = requestLog();
    const send = log.middleware(server);
    const post = { method: 'POST', url: 'https://pool.contoso.com/a?b=c', body: 'text' };
    marbles(() => {
      timer(7)
        .pipe(mergeMap(() => send(post)))
        .subscribe();
    });
    expect(log.requests).to.deep.equal([
      { method: 'POST', path: '/a?b=c', headers: {}, body: 'text', time: 7, status: 204 },
    ]);
  });

  it('should note nothing that is not subscribed to', () => {
    const log = requestLog();
    log.middleware(server)({ method: 'GET', url: 'https://pool.contoso.com/' });
    expect(log.requests).to.deep.equal([]);
  });

  it('should leave the status open while there is no answer', () => {
    const log = requestLog();
    log.middleware(server)({ method: 'GET', url: 'https://pool.contoso.com/held' }).subscribe();
    expect(log.requests[0]?.status).to.equal(undefined);
  });

  it('should not keep a token', () => {
    const log = requestLog();
    const headers = { authorization: 'Bearer s3cret', accept: 'application/json' };
    log.middleware(server)({ method: 'GET', url: 'https://pool.contoso.com/', headers }).subscribe();
    expect(log.requests[0]?.headers).to.deep.equal({ authorization: 'Bearer …', accept: 'application/json' });
  });
});
