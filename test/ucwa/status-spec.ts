import { expect } from 'chai';
import { asyncScheduler, NEVER, Subject, takeUntil, throwError, throwIfEmpty } from 'rxjs';
import type { ConnectionStatus } from '../../lib/core/connectionStatus.ts';
import { HttpError, NetworkError } from '../../lib/core/errors.ts';
import type { HttpRequest, Transport } from '../../lib/core/transport/transport.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import type { UcwaSimulatorOptions } from '../../lib/testing/ucwa/options.ts';
import { contactPresence } from '../../lib/ucwa/presence/contactPresence.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { at, inVirtualTime } from '../support/virtualTime.ts';
import { connected, type Connected, type ConnectedOptions } from './connected.ts';

const uris = ['sip:sara@contoso.com'];
const isState = ({ url }: HttpRequest): boolean => url.endsWith('/presence');
const isPending = ({ url }: HttpRequest): boolean => url.includes('/events');
const isRenewal = ({ url, method }: HttpRequest): boolean => method === 'POST' && url.includes('duration=');

/** A status in short, with its time in seconds. */
function line(status: ConnectionStatus): string {
  const seconds = (time: Date | undefined): string =>
    time === undefined ? '-' : String(Number(time) / 1000);
  const more =
    status.state === 'waiting'
      ? ` ${status.reason} ${status.attempt} since ${seconds(status.since)} until ${seconds(status.retryAt)}`
      : '';
  return `${asyncScheduler.now() / 1000} ${status.state}${more}`;
}

/** A connection whose network can fail, and its statuses. */
interface World extends Connected {
  readonly statuses: string[];
  /** Breaks all connections; after that, the network is as it says. */
  readonly network: (how: 'up' | 'down' | 'silent') => void;
}

/** Runs a scenario in virtual time, and returns the statuses. */
function play(
  scenario: (world: World) => void,
  options: ConnectedOptions = {},
  simulated: UcwaSimulatorOptions = {},
): string[] {
  const broken = new Subject<void>();
  let how = 'up';
  const transport: Transport = (request) => {
    const lost = (): NetworkError => new NetworkError('the connection broke', request);
    if (how === 'silent') return NEVER;
    if (how === 'down') return throwError(lost);
    return world.server.transport(request).pipe(takeUntil(broken), throwIfEmpty(lost));
  };
  const world: World = {
    ...connected(simulated, { retry: { random: () => 1 }, ...options, transport }),
    statuses: [],
    network: (next) => {
      how = next;
      if (next === 'down') broken.next();
    },
  };
  return inVirtualTime(() => {
    world.ucwa.status$.subscribe({
      next: (status) => world.statuses.push(line(status)),
      complete: () => world.statuses.push('|'),
    });
    scenario(world);
    return world.statuses;
  });
}

describe('status$', () => {
  it('is live while the request for events waits, and idle without streams', () => {
    const statuses = play(({ ucwa }) => {
      const watching = presence(ucwa, { uris }).subscribe();
      at(600, () => watching.unsubscribe());
      at(610, () => void ucwa.close());
    });
    expect(statuses).to.deep.equal(['0 idle', '0 connecting', '0 live', '600 idle', '610 closed', '|']);
  });

  it('is live when all states were received', () => {
    const statuses = play(
      ({ ucwa, server }) => {
        server.failNext(1, { delayMs: 2000 }, isState);
        const watching = contactPresence(ucwa, uris, { details: [] }).subscribe();
        at(600, () => watching.unsubscribe());
      },
      {},
      { mediumSeconds: 5 },
    );
    expect(statuses).to.deep.equal(['0 idle', '0 connecting', '7 live', '600 idle']);
  });

  it('stays live when another stream begins or ends', () => {
    const statuses = play(({ ucwa, server }) => {
      const watching = presence(ucwa, { uris }).subscribe();
      at(10, () => {
        server.failNext(1, { delayMs: 2000 }, isState);
        const other = contactPresence(ucwa, uris, { details: [] }).subscribe();
        at(10, () => other.unsubscribe());
      });
      at(600, () => watching.unsubscribe());
    });
    expect(statuses).to.deep.equal(['0 idle', '0 connecting', '0 live', '600 idle']);
  });

  it('is idle when nothing was subscribed to, and closed after that', () => {
    expect(play(({ ucwa }) => at(1, () => void ucwa.close()))).to.deep.equal(['0 idle', '1 closed', '|']);
  });

  it('says when the next attempt is made without a network', () => {
    const statuses = play(({ ucwa, network }) => {
      const watching = presence(ucwa, { uris }).subscribe();
      at(10, () => network('down'));
      at(12, () => network('up'));
      at(20, () => watching.unsubscribe());
    });
    expect(statuses).to.deep.equal([
      '0 idle',
      '0 connecting',
      '0 live',
      '10 waiting network 1 since 10 until 10.5',
      '10.5 waiting network 2 since 10 until 11.5',
      '11.5 waiting network 3 since 10 until 13.5',
      // The next probe, two seconds after the pending request, proves that the server is reached.
      '15.5 live',
      '20 idle',
    ]);
  });

  it('is live two seconds after the platform comes online', () => {
    const online$ = new Subject<void>();
    const statuses = play(
      ({ ucwa, network }) => {
        const watching = presence(ucwa, { uris }).subscribe();
        at(10, () => network('down'));
        at(600, () => {
          network('up');
          online$.next();
        });
        at(602, () => watching.unsubscribe());
      },
      { online$ },
    );
    expect(statuses.slice(-2)).to.deep.equal(['601 live', '602 idle']);
  });

  it('waits as long as the server says', () => {
    const statuses = play(({ ucwa, server }) => {
      const watching = ucwa.events$.subscribe();
      server.failNext(1, { status: 503, headers: { 'retry-after': '60' } }, isPending);
      at(1, () => server.emit({ type: 'updated', link: { rel: 'x', href: '/x' } }));
      at(600, () => watching.unsubscribe());
    });
    expect(statuses.slice(3)).to.deep.equal([
      '1 waiting throttled 1 since 1 until 61.5',
      '62.5 live',
      '600 idle',
    ]);
  });

  it('reports a failing server with its error', () => {
    let error: unknown;
    play(({ ucwa, server }) => {
      server.failNext(2, { status: 500 }, isPending);
      const watching = ucwa.events$.subscribe();
      ucwa.status$.subscribe((status) => (error ??= status.state === 'waiting' ? status.error : undefined));
      at(600, () => watching.unsubscribe());
    });
    expect(error).to.include({ _tag: 'HttpError', status: 500 });
  });

  it('waits when the state of a contact cannot be requested', () => {
    const statuses = play(({ ucwa, server }) => {
      server.failNext(6, { status: 500 }, isState);
      const watching = contactPresence(ucwa, uris, { details: [] }).subscribe();
      at(600, () => watching.unsubscribe());
    });
    expect(statuses.map((one) => one.replace(/ since .*/, ''))).to.deep.equal([
      '0 idle',
      '0 connecting',
      '0 waiting server 1',
      '0.5 waiting server 2',
      '1.5 waiting server 3',
      '3.5 waiting server 4',
      '7.5 waiting server 5',
      '15.5 waiting server 6',
      '31.5 connecting',
      '31.5 live',
      '600 idle',
    ]);
  });

  it('stays live when the server refuses a renewal', () => {
    const statuses = play(({ ucwa, server }) => {
      server.failNext(3, { status: 500 }, isRenewal);
      const watching = presence(ucwa, { uris }).subscribe();
      at(3600, () => watching.unsubscribe());
    });
    expect(statuses).to.deep.equal(['0 idle', '0 connecting', '0 live', '3600 idle']);
  });

  it('waits when a renewal finds no network, then is live', () => {
    const statuses = play(({ ucwa, server }) => {
      server.failNext(1, 'reset', isRenewal);
      const watching = presence(ucwa, { uris }).subscribe();
      at(3600, () => watching.unsubscribe());
    });
    expect(statuses.slice(3)).to.deep.equal([
      '1500 waiting network 1 since 1500 until 1500.5',
      '1500.5 live',
      '3600 idle',
    ]);
  });

  it('names sign-in if no token can be had', () => {
    let isDown = true;
    const token = (): string => {
      if (isDown) throw new HttpError(503, { method: 'POST', url: 'https://login.contoso.com/' });
      return 'token';
    };
    const statuses = play(
      ({ ucwa }) => {
        const watching = ucwa.events$.subscribe();
        at(1, () => (isDown = false));
        at(600, () => watching.unsubscribe());
      },
      { auth: bearer(token), whenUnreachable: 'wait' },
    );
    expect(statuses).to.deep.equal([
      '0 idle',
      '0 connecting',
      '0 waiting signIn 1 since 0 until 0.5',
      '0.5 waiting signIn 2 since 0 until 1.5',
      '1.5 live',
      '600 idle',
    ]);
  });

  it('says that a request for events is starved of a connection', () => {
    const statuses = play(({ ucwa, network, server }) => {
      const watching = presence(ucwa, { uris }).subscribe();
      at(10, () => {
        network('silent');
        server.emit({ type: 'updated', link: { rel: 'x', href: '/x' } });
      });
      // The limit is 180 seconds of the request, and 120 for the head of a response.
      at(400, () => network('up'));
      at(2000, () => watching.unsubscribe());
    });
    expect(statuses.slice(3)).to.deep.equal([
      '310 waiting starved 1 since 310 until 310.5',
      // The pending request cannot prove anything, and the next probe is silent as well.
      '431.5 waiting starved 3 since 310 until 433.5',
      '433.5 live',
      '2000 idle',
    ]);
  });

  it('is not live while packets are lost after a quick failure', () => {
    const statuses = play(({ ucwa, network }) => {
      const watching = presence(ucwa, { uris }).subscribe();
      at(10, () => network('down'));
      at(12, () => network('silent'));
      at(60, () => network('up'));
      at(2000, () => watching.unsubscribe());
    });
    const [live] = statuses.slice(3).filter((one) => one.endsWith('live'));
    expect(Number.parseFloat(live ?? '')).to.be.within(60, 60 + 120 + 30);
  });

  it('sends a request for events again if it may be lost', () => {
    let sent: readonly string[] = [];
    play(({ ucwa, network, server }) => {
      const watching = presence(ucwa, { uris }).subscribe();
      at(10, () => network('down'));
      at(12, () => network('silent'));
      at(60, () => network('up'));
      at(170, () => {
        sent = server.requests.slice(-2).map(({ method, path }) => `${method} ${path.split('/').at(-1)}`);
        watching.unsubscribe();
      });
    });
    // The application proves that the server is reached.
    expect(sent).to.deep.equal(['GET 101', 'GET events?ack=2&priority=4']);
  });

  it('connects after a gap until the states were received again', () => {
    const statuses = play(({ ucwa, server }) => {
      const watching = contactPresence(ucwa, uris, { details: [] }).subscribe();
      at(10, () => {
        server.failNext(1, { delayMs: 3000 }, isState);
        server.reset('resync');
      });
      at(600, () => watching.unsubscribe());
    });
    expect(statuses.slice(3)).to.deep.equal(['10 connecting', '13 live', '600 idle']);
  });

  it('connects until a lost application and its subscriptions exist again', () => {
    const statuses = play(({ ucwa, server }) => {
      const watching = presence(ucwa, { uris }).subscribe();
      at(10, () => {
        server.failNext(1, { delayMs: 3000 }, ({ method }) => method === 'POST');
        server.restart();
      });
      at(600, () => watching.unsubscribe());
    });
    expect(statuses.slice(3)).to.deep.equal([
      '10 waiting network 1 since 10 until 10.5',
      '10.5 connecting',
      '13.5 live',
      '600 idle',
    ]);
  });

  it('connects while the connection is suspended', () => {
    const statuses = play(({ ucwa }) => {
      const watching = ucwa.events$.subscribe();
      at(10, () => ucwa.suspend());
      at(100, () => ucwa.resume());
      at(600, () => watching.unsubscribe());
    });
    expect(statuses.slice(3)).to.deep.equal(['10 connecting', '100.001 live', '600 idle']);
  });

  it('follows application$ alone', () => {
    const statuses = play(({ ucwa, server }) => {
      server.failNext(1, { delayMs: 3000 }, ({ method }) => method === 'POST');
      const using = ucwa.application$.subscribe();
      at(600, () => using.unsubscribe());
    });
    expect(statuses).to.deep.equal(['0 idle', '0 connecting', '3 live', '600 idle']);
  });

  it('is idle after a stream that errors', () => {
    const statuses = play(({ ucwa, server }) => {
      server.failNext(1, { status: 403 }, isPending);
      presence(ucwa, { uris }).subscribe({ error: () => undefined });
    });
    expect(statuses).to.deep.equal(['0 idle', '0 connecting', '0 idle']);
  });
});
