import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { merge, type Observable, timer } from 'rxjs';
import { type Activity, ACTIVITY_CHANNEL } from '../../lib/core/transport/requestLog.ts';
import { ucwaDomain, type UcwaDomainOptions } from '../../lib/testing/ucwa/discovery/domain.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { password } from '../../lib/ucwa/auth/signIn.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { type Connected, connected } from './connected.ts';
import { discovered } from '../../lib/ucwa/discovery/discovered.ts';
import { batching } from '../../lib/ucwa/batch/batched.ts';

const uris = ['sip:john@contoso.com'];
const PASSWORD = 'correct horse battery staple';

/** Returns activities in short. */
const inShort = ({ method, origin, path, status, end }: Activity): string =>
  `${method} ${origin.replace('https://', '').replace('.contoso.com', '')}${path} ${status ?? '-'} ${end}`;

/** The activity of discovery in a slow domain, while one contact is observed for a second. */
function toldOfDomain(options: UcwaDomainOptions = {}): {
  readonly recorded: readonly Activity[];
  readonly secrets: readonly string[];
} {
  const recorded: Activity[] = [];
  const secrets = ['battery', 'grant_type'];
  const server = ucwaDomain({ users: { 'sara@contoso.com': PASSWORD }, latencyMs: 20, ...options });
  const ucwa = connectUcwa({
    server: discovered('contoso.com'),
    auth: password({ username: 'sara@contoso.com', password: PASSWORD }),
    transport: (request) => {
      const { authorization } = { authorization: '', ...request.headers };
      if (authorization !== '') secrets.push(authorization.slice('Bearer '.length));
      return server.transport(request);
    },
  });
  ucwa.activity$.subscribe((activity) => recorded.push(activity));
  inVirtualTime(() => {
    const watching = presence(ucwa, { uris }).subscribe();
    timer(1000).subscribe(() => watching.unsubscribe());
  });
  return { recorded, secrets };
}

/** The activity of a connection until a stream is unsubscribed from, in milliseconds. */
function recordedFrom(
  { ucwa }: Connected,
  stream$: Observable<unknown>,
  leaveAfterMs: number,
): readonly Activity[] {
  const recorded: Activity[] = [];
  ucwa.activity$.subscribe((activity) => recorded.push(activity));
  inVirtualTime(() => {
    const watching = stream$.subscribe();
    timer(leaveAfterMs).subscribe(() => watching.unsubscribe());
  });
  return recorded;
}

describe('activity$ of a connection to UCWA', () => {
  it('reports discovery, the challenge, the token request and later requests', () => {
    expect(toldOfDomain().recorded.map(inShort)).to.deep.equal([
      'GET lyncdiscoverinternal/ - failed',
      'GET lyncdiscover/ 200 answered',
      'GET lyncweb/Autodiscover/AutodiscoverService.svc/root/oauth/user 401 answered',
      'POST lyncweb/WebTicket/oauthtoken 200 answered',
      'GET lyncweb/Autodiscover/AutodiscoverService.svc/root/oauth/user 200 answered',
      'GET pool1/ucwa/oauth/v1/applications 401 answered',
      'POST pool1/WebTicket/oauthtoken 200 answered',
      'POST pool1/ucwa/oauth/v1/applications 201 answered',
      'POST pool1/ucwa/oauth/v1/applications/101/people/presenceSubscriptions 201 answered',
      'GET pool1/ucwa/oauth/v1/applications/101/events?… - aborted',
      'DELETE pool1/ucwa/oauth/v1/applications/101/people/presenceSubscriptions/97b6bd66 204 answered',
      'DELETE pool1/ucwa/oauth/v1/applications/101 204 answered',
    ]);
  });

  it('contains no password, token or form', () => {
    const { recorded, secrets } = toldOfDomain();
    const shown = inspect(recorded, { depth: null });
    expect(secrets).to.have.length.above(4);
    for (const secret of secrets) expect(shown).to.not.contain(secret);
  });

  it('reports a batch as one request', () => {
    const connection = connected({}, { batch: batching() });
    const both$ = merge(
      ...['sip:a@b.c', 'sip:b@b.c'].map((uri) => presence(connection.ucwa, { uris: [uri] })),
    );
    const removals = recordedFrom(connection, both$, 1000).map(inShort).slice(-2);
    expect(removals).to.deep.equal([
      'POST ucwa.example/ucwa/oauth/v1/applications/101/batch 200 answered',
      'DELETE ucwa.example/ucwa/oauth/v1/applications/101 204 answered',
    ]);
  });

  it('reports the duration and the abort of a request for events', () => {
    const connection = connected();
    const recorded = recordedFrom(connection, connection.ucwa.events$, 200_000);
    expect(recorded.filter(({ method }) => method === 'GET').map(({ end, ms }) => [end, ms])).to.deep.equal([
      ['answered', 180_000],
      ['aborted', 20_000],
    ]);
  });

  it('reports why a request was sent again', () => {
    const connection = connected();
    connection.server.failNext(1, { status: 503 });
    const recorded = recordedFrom(connection, connection.ucwa.application$, 10_000);
    expect(recorded.slice(0, 2).map(({ status, repeats }) => [status, repeats])).to.deep.equal([
      [503, undefined],
      [201, { count: 1, reason: 'status 503' }],
    ]);
  });

  it('reports only the name of an error', () => {
    const connection = connected();
    connection.server.failNext(1, 'reset');
    const [first] = recordedFrom(connection, connection.ucwa.application$, 10_000);
    expect(first).to.deep.include({ end: 'failed', bytes: 0 });
    expect(first?.error).to.match(/^NetworkError( [A-Z_]+)?$/);
  });

  it('reports own requests per connection, and channel requests to all', () => {
    const all: unknown[] = [];
    const listen = (message: unknown): void => void all.push(message);
    subscribe(ACTIVITY_CHANNEL, listen);
    const each = [connected(), connected()].map((connection) =>
      recordedFrom(connection, connection.ucwa.application$, 0),
    );
    unsubscribe(ACTIVITY_CHANNEL, listen);
    expect(each.map((recorded) => recorded.map(({ method }) => method))).to.deep.equal([
      ['POST', 'DELETE'],
      ['POST', 'DELETE'],
    ]);
    expect(all).to.deep.equal(each.flat());
  });

  it('does not change the requests if it is subscribed to', () => {
    const [heard, unheard] = [true, false].map((isHeard) => {
      const { ucwa, sent } = connected();
      if (isHeard) ucwa.activity$.subscribe();
      inVirtualTime(() => {
        const watching = presence(ucwa, { uris }).subscribe();
        timer(1_000_000).subscribe(() => watching.unsubscribe());
      });
      return sent();
    });
    expect(heard).to.deep.equal(unheard);
    expect(heard).to.have.length.above(4);
  });

  it('reports the releases after close, and does not complete', async () => {
    const { ucwa } = connected();
    const recorded: Activity[] = [];
    let isComplete = false;
    ucwa.activity$.subscribe({
      next: (activity) => recorded.push(activity),
      complete: () => (isComplete = true),
    });
    ucwa.application$.subscribe();
    await ucwa.close();
    expect(recorded.map(({ method }) => method)).to.deep.equal(['POST', 'DELETE']);
    expect(isComplete).to.equal(false);
  });
});
