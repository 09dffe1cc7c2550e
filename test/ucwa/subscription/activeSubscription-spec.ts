import { expect } from 'chai';
import { timer } from 'rxjs';
import { HttpError } from '../../../lib/core/errors.ts';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import type { Fault } from '../../../lib/testing/faults.ts';
import type { LoggedRequest } from '../../../lib/testing/requestLog.ts';
import type { UcwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { renewAfterMs } from '../../../lib/ucwa/subscription/activeSubscription.ts';
import { presence, type PresenceOptions } from '../../../lib/ucwa/presence/presence.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { connected, record } from '../connected.ts';

const sara: PresenceOptions = { uris: ['sip:sara@contoso.com'] };
const CREATED = ['added contact', 'added presenceSubscription', 'updated contactPresence'];
const MINUTE = 60_000;

const isExtension = ({ method, url }: Pick<HttpRequest, 'method' | 'url'>): boolean =>
  method === 'POST' && url.includes('?duration=');
const isProbe = ({ method, url }: HttpRequest): boolean => method === 'GET' && url.endsWith('/101');

const extensions = ({ requests }: UcwaSimulator): LoggedRequest[] =>
  requests.filter(({ method, path }) => isExtension({ method, url: path }));
const minutesOf = (server: UcwaSimulator): number[] => extensions(server).map(({ time }) => time / MINUTE);

const NOT_FOUND: Fault = {
  status: 404,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ code: 'NotFound', subcode: 'ApplicationNotFound' }),
};

describe('renewAfterMs', () => {
  const cases: readonly (readonly [minutes: number, after: number])[] = [
    [10, 400],
    [12, 480],
    [15, 600],
    [20, 900],
    [30, 1500],
  ];
  for (const [minutes, after] of cases) {
    it(`leaves a third of the time, or five minutes: ${minutes} minutes`, () => {
      expect(renewAfterMs(minutes)).to.equal(after * 1000);
    });
  }
});

describe('renewal', () => {
  it('keeps a subscription as long as it is subscribed to', () => {
    const { ucwa, server, outcomeLines } = connected();
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      timer(24 * 60 * MINUTE).subscribe(() => {
        expect(one.values).to.deep.equal(CREATED);
        expect(server.presenceSubscriptions.map(({ id }) => id)).to.deep.equal(['97b6bd66']);
        one.subscription.unsubscribe();
      });
    });
    expect(minutesOf(server).slice(0, 3)).to.deep.equal([25, 50, 75]);
    expect(extensions(server)).to.have.length(57);
    expect(outcomeLines()).to.deep.equal([
      'presenceSubscription Released notWatched',
      'application Released',
    ]);
  });

  it('sends a POST with the duration in its query and no body', () => {
    const { ucwa, server } = connected();
    inVirtualTime(() => {
      const one = record(presence(ucwa, { ...sara, durationMinutes: 10 }));
      timer(7 * MINUTE).subscribe(() => one.subscription.unsubscribe());
    });
    const [request] = extensions(server);
    expect(request?.path).to.equal(
      '/ucwa/oauth/v1/applications/101/people/presenceSubscriptions/97b6bd66?duration=10',
    );
    expect(request?.body).to.equal(undefined);
    expect(request?.headers).not.to.have.property('content-type');
  });

  for (const extensionStatus of [200, 201] as const) {
    it(`accepts ${extensionStatus} as success`, () => {
      const { ucwa, server } = connected({ extensionStatus });
      inVirtualTime(() => {
        const one = record(presence(ucwa, sara));
        timer(31 * MINUTE).subscribe(() => {
          expect(one.values).to.deep.equal(CREATED);
          expect(extensions(server).map(({ status }) => status)).to.deep.equal([extensionStatus]);
          one.subscription.unsubscribe();
        });
      });
    });
  }

  it('happens at once when the server announces the expiry', () => {
    const { ucwa, server } = connected({ expiryWarningSeconds: 1200 });
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      timer(45 * MINUTE).subscribe(() => {
        expect(one.values.slice(3)).to.deep.equal(Array(4).fill('updated presenceSubscription'));
        one.subscription.unsubscribe();
      });
    });
    expect(minutesOf(server)).to.deep.equal([10, 20, 30, 40]);
  });

  it('does not follow from an update that the renewal caused', () => {
    const { ucwa, server } = connected();
    const link = {
      rel: 'presenceSubscription',
      href: '/ucwa/oauth/v1/applications/101/people/presenceSubscriptions/97b6bd66',
    };
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      timer(25 * MINUTE + 5000).subscribe(() => server.emit({ type: 'updated', link }));
      timer(26 * MINUTE).subscribe(() => {
        expect(one.values.at(-1)).to.equal('updated presenceSubscription');
        one.subscription.unsubscribe();
      });
    });
    expect(minutesOf(server)).to.deep.equal([25]);
  });

  it('ends with the subscription', () => {
    const { ucwa, server } = connected();
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      const all = record(ucwa.events$);
      timer(20 * MINUTE).subscribe(() => one.subscription.unsubscribe());
      timer(60 * MINUTE).subscribe(() => all.subscription.unsubscribe());
    });
    expect(extensions(server)).to.deep.equal([]);
  });

  const passing: readonly (readonly [string, Fault])[] = [
    ['a broken connection', 'reset'],
    ['a lost answer', 'resetAfterActing'],
    ['503', { status: 503 }],
    ['500', { status: 500 }],
    ['the page of a proxy', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }],
  ];
  for (const [name, fault] of passing) {
    it(`is retried after ${name} until it succeeds`, () => {
      const { ucwa, server } = connected();
      inVirtualTime(() => {
        const one = record(presence(ucwa, sara));
        server.failNext(12, fault, isExtension);
        timer(60 * MINUTE).subscribe(() => {
          expect(one.values).to.deep.equal(CREATED);
          expect(server.presenceSubscriptions).to.have.length(1);
          one.subscription.unsubscribe();
        });
      });
    });
  }

  it('leads to a new subscription if only the subscription is gone', () => {
    const { ucwa, server, sent, outcomeLines } = connected();
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      server.failNext(1, NOT_FOUND, isExtension);
      timer(26 * MINUTE).subscribe(() => {
        expect(one.values).to.deep.equal([...CREATED, 'gap presenceSubscription', ...CREATED.slice(1)]);
        one.subscription.unsubscribe();
      });
    });
    expect(sent().filter((line) => /duration|GET 101 |POST/.test(line))).to.deep.equal([
      'POST applications 201',
      'POST 101/subscriptions 201',
      'POST 101/subscriptions/97b6bd66?duration=30 404',
      'GET 101 200',
      'POST 101/subscriptions 201',
    ]);
    expect(outcomeLines()[0]).to.equal('presenceSubscription EndedByServer');
  });

  it('detects that the application is gone before the channel does', () => {
    const { ucwa, server, sent } = connected();
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      server.failNext(1, NOT_FOUND, isExtension);
      server.failNext(1, NOT_FOUND, isProbe);
      timer(26 * MINUTE).subscribe(() => {
        expect(one.values.slice(0, 4)).to.deep.equal([...CREATED, 'gap application']);
        expect(sent().filter((line) => line === 'POST applications 200')).to.have.length(1);
        one.subscription.unsubscribe();
      });
    });
  });

  it('probes the application until it responds', () => {
    const { ucwa, server } = connected();
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      server.failNext(1, NOT_FOUND, isExtension);
      server.failNext(6, 'reset', isProbe);
      timer(29 * MINUTE).subscribe(() => {
        expect(one.values.slice(3)).to.deep.equal(['gap presenceSubscription', ...CREATED.slice(1)]);
        one.subscription.unsubscribe();
      });
    });
    expect(server.applications).to.deep.equal([]);
  });

  for (const [what, faults] of [
    ['the extension', [[{ status: 403 }, isExtension]]],
    [
      'to say whether the application is there',
      [
        [NOT_FOUND, isExtension],
        [{ status: 403 }, isProbe],
      ],
    ],
  ] as const) {
    it(`ends the stream if the server refuses ${what}`, () => {
      const { ucwa, server, outcomeLines } = connected();
      inVirtualTime(() => {
        const one = record(presence(ucwa, sara));
        for (const [fault, matches] of faults) server.failNext(1, fault, matches);
        timer(26 * MINUTE).subscribe(() =>
          expect(one.error).to.be.instanceOf(HttpError).with.property('status', 403),
        );
      });
      expect(server.presenceSubscriptions).to.deep.equal([]);
      expect(outcomeLines()).to.deep.equal([
        'presenceSubscription Released notWatched',
        'application Released',
      ]);
    });
  }

  it('survives an outage longer than the subscription and the application', () => {
    const { ucwa, server } = connected();
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      timer(20 * MINUTE).subscribe(() => {
        const end = 60 * MINUTE;
        server.failNext(10_000, 'reset', () => timerIsBefore(end, server));
        server.emit({ type: 'updated', link: { rel: 'me', href: '/me' } });
      });
      timer(90 * MINUTE).subscribe(() => {
        expect(one.error).to.equal(undefined);
        expect(one.values.slice(3)).to.deep.equal(['gap application', ...CREATED]);
        expect(server.presenceSubscriptions).to.have.length(1);
        one.subscription.unsubscribe();
      });
    });
    expect(server.applications).to.deep.equal([]);
  });

  it('extends the deadline of the removal', () => {
    const { ucwa, server, outcomeLines } = connected();
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      server.failNext(
        10_000,
        { status: 503 },
        ({ method, url }) => method === 'DELETE' && url.includes('Sub'),
      );
      timer(26 * MINUTE).subscribe(() => one.subscription.unsubscribe());
      timer(54 * MINUTE).subscribe(() => expect(outcomeLines()).to.deep.equal([]));
      timer(56 * MINUTE).subscribe(() => expect(outcomeLines()[0]).to.equal('presenceSubscription Expired'));
    });
    expect(extensions(server)).to.have.length(1);
  });
});

function timerIsBefore(end: number, { requests }: UcwaSimulator): boolean {
  return (requests.at(-1)?.time ?? 0) < end;
}
