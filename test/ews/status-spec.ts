import { expect } from 'chai';
import { asyncScheduler } from 'rxjs';
import type { ConnectionStatus } from '../../lib/core/connectionStatus.ts';
import type { ExchangeOptions } from '../../lib/ews/options.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { pushNotifications } from '../../lib/ews/push/push.ts';
import { streamingNotifications } from '../../lib/ews/streaming/streaming.ts';
import type { EwsSimulatorOptions } from '../../lib/testing/ews/options.ts';
import { pushCallback } from '../../lib/testing/ews/push.ts';
import { streaming, type Streaming } from './streaming/streaming.ts';

/** A line for each status, such as `3 waiting network 1 5`: second, state, reason, attempt, retry second. */
function lineOf(status: ConnectionStatus): string {
  const now = asyncScheduler.now() / 1000;
  if (status.state === 'live') return `${now} live since ${Number(status.since) / 1000}`;
  if (status.state !== 'waiting') return `${now} ${status.state}`;
  return `${now} waiting ${status.reason} ${status.attempt} ${Number(status.retryAt) / 1000}`;
}

/** Runs a script, and returns the status lines of its connection. */
function statuses(
  script: (run: Streaming) => void,
  options: EwsSimulatorOptions = {},
  serviceOptions: Partial<ExchangeOptions> = {},
): string[] {
  const lines: string[] = [];
  streaming(
    (run) => {
      run.exchange.status$.subscribe((status) => lines.push(lineOf(status)));
      script(run);
    },
    { latencyMs: 1000, ...options },
    serviceOptions,
  );
  return lines;
}

/** A web page in place of a response, as a captive portal sends. */
const PAGE = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Sign in</html>' };
const BLANK = { status: 200, headers: { 'content-type': 'text/xml' }, body: '\n' };

describe('The status of an Exchange connection', () => {
  it('is live from the first response to GetEvents until the unsubscribe', () => {
    const lines = statuses(({ pull, watch }) => void watch(pull(), 10));
    expect(lines).to.deep.equal(['0 idle', '0 connecting', '2 live since 2', '10 idle']);
  });

  it('is live from the first message on a stream until the unsubscribe', () => {
    const lines = statuses(({ stream, watch }) => void watch(stream(), 10));
    expect(lines).to.deep.equal(['0 idle', '0 connecting', '2.6 live since 2.6', '10 idle']);
  });

  it('is live from the first post until the unsubscribe', () => {
    const { transport, incoming$ } = pushCallback();
    const lines = statuses(
      ({ exchange, watch, at }) => {
        const options = {
          allFolders: true,
          events: ['newMail'],
          callbackUrl: 'https://me.example/',
        } as const;
        at(1, () => watch(pushNotifications(exchange, options, incoming$), 100));
      },
      { push: transport },
    );
    expect(lines).to.deep.equal(['0 idle', '1 connecting', '2 live since 2', '101 idle']);
  });

  it('stays live when another stream begins', () => {
    const lines = statuses(({ pull, stream, watch, at }) => {
      watch(pull(), 50);
      at(10, () => watch(stream(), 30));
    });
    expect(lines.slice(2)).to.deep.equal(['2 live since 2', '50 idle']);
  });

  it('includes the streams of other users', () => {
    const lines = statuses(({ exchange, watch }) => {
      const options = { allFolders: true, events: ['newMail'] } as const;
      const other = exchange.actingAs({ primarySmtpAddress: 'sara@contoso.com' });
      watch(pullNotifications(other, options), 20);
    });
    expect(lines.slice(1)).to.deep.equal(['0 connecting', '2 live since 2', '20 idle']);
  });

  it('waits while polls fail without a network', () => {
    const lines = statuses(({ server, pull, watch, at }) => {
      watch(pull(), 100);
      at(10, () => server.failNext(2, 'reset', 'GetEvents'));
    });
    expect(lines.slice(2)).to.deep.equal([
      '2 live since 2',
      '32 waiting network 1 33',
      '33 waiting network 2 35',
      '36 connecting',
      '36 live since 36',
      '100 idle',
    ]);
  });

  it('waits while the server fails', () => {
    const lines = statuses(({ server, pull, watch, at }) => {
      watch(pull(), 100);
      at(10, () => server.failNext(2, { status: 503 }, 'GetEvents'));
    });
    expect(lines.slice(3, 5)).to.deep.equal(['32 waiting server 1 33', '33 waiting server 2 35']);
  });

  it('waits as long as ErrorServerBusy says', () => {
    const lines = statuses(({ server, pull, watch, at }) => {
      watch(pull(), 100);
      at(10, () =>
        server.failNext(1, { fault: 'ErrorServerBusy', values: { BackOffMilliseconds: '20000' } }),
      );
    });
    expect(lines.slice(3)).to.deep.equal([
      '33 waiting throttled 1 54',
      '55 connecting',
      '55 live since 55',
      '100 idle',
    ]);
  });

  it('waits from the failure of many streams once', () => {
    const lines = statuses(({ server, pull, stream, watch, at }) => {
      for (let each = 0; each < 50; each += 1) watch(each % 2 === 0 ? pull() : stream(), 100);
      at(10, () => server.failNext(1000, { status: 503 }));
      at(50, () => server.clearFailures());
    });
    const waiting = lines.filter((line) => line.includes('waiting'));
    expect(waiting.length).to.be.within(1, 7);
    expect(lines.at(-2)).to.match(/ live since /);
  });

  it('waits when a stream breaks, until it is served again', () => {
    const lines = statuses(({ server, stream, watch, at }) => {
      watch(stream(), 100);
      at(20, () => server.closeStreams('reset'));
    });
    expect(lines.slice(3)).to.deep.equal(['20 waiting network 1 20', '21.5 live since 21.5', '100 idle']);
  });

  it('stays live when a stream ends as announced', () => {
    const lines = statuses(({ server, stream, watch, at }) => {
      watch(stream(), 100);
      at(20, () => server.closeStreams('closed'));
    });
    expect(lines.slice(2)).to.deep.equal(['2.6 live since 2.6', '100 idle']);
  });

  it('waits when a stream is silent', () => {
    const lines = statuses(({ server, stream, watch, at }) => {
      watch(stream(), 300);
      at(20, () => server.stallStreams());
    });
    expect(lines.slice(3, 4)).to.deep.equal(['92.6 waiting network 1 92.6']);
  });

  it('is starved while a stream has no response at all', () => {
    const lines = statuses(({ server, stream, watch }) => {
      server.failNext(1, { delayMs: 200_000 }, 'GetStreamingEvents');
      watch(stream(), 300);
    });
    expect(lines.slice(2, 4)).to.deep.equal(['91.1 waiting starved 1 92.1', '93.6 connecting']);
  });

  it('connects again when the server has lost a subscription', () => {
    const lines = statuses(({ server, pull, watch, at }) => {
      watch(pull(), 60);
      at(20, () => server.expire());
    });
    expect(lines.slice(2)).to.deep.equal(['2 live since 2', '33 connecting', '35 live since 35', '60 idle']);
  });

  it('waits while a mailbox moves', () => {
    const lines = statuses(({ server, pull, watch, at }) => {
      watch(pull(), 200);
      at(10, () => server.failNext(1, { error: 'ErrorMailboxMoveInProgress' }, 'GetEvents'));
    });
    expect(lines.slice(4)).to.deep.equal(['33 waiting server 1 94', '96 live since 96', '200 idle']);
  });

  it('is starved while the server refuses the streams of some mailboxes', () => {
    const lines = statuses(
      ({ exchange, watch }) => {
        for (let each = 0; each < 40; each += 1) {
          const mailbox = exchange.actingAs({ primarySmtpAddress: `user${each}@contoso.com` });
          watch(
            streamingNotifications(mailbox, { allFolders: true, events: ['newMail'] }),
            each < 35 ? 60 : 90,
          );
        }
      },
      { maxStreams: 10 },
    );
    expect(lines.filter((line) => line.includes('waiting'))).to.satisfy((waiting: readonly string[]) =>
      waiting.every((line) => line.includes('starved')),
    );
    const states = lines.filter((line) => !line.includes('waiting'));
    expect(states.slice(0, 2)).to.deep.equal(['0 idle', '0 connecting']);
    expect(states[2], 'when the others have left').to.match(/^[67]\d(\.\d+)? live since/);
  });

  it('waits while a first connection is retried', () => {
    const lines = statuses(
      ({ server, pull, watch }) => {
        server.failNext(1, 'reset');
        watch(pull(), 10);
      },
      {},
      { whenUnreachable: 'wait' },
    );
    expect(lines.slice(2)).to.deep.equal([
      '0 waiting network 1 1',
      '2 connecting',
      '3 live since 3',
      '10 idle',
    ]);
  });

  it('is idle when the only stream has errored', () => {
    const lines = statuses(({ server, pull, watch }) => {
      server.failNext(1, { error: 'ErrorAccessDenied' });
      watch(pull(), 10);
    });
    expect(lines).to.deep.equal(['0 idle', '0 connecting', '1 idle']);
  });

  it('is closed after close', () => {
    const lines = statuses(({ exchange, pull, watch, at }) => {
      watch(pull(), 60);
      at(5, () => void exchange.close());
    });
    expect(lines.slice(2)).to.deep.equal(['2 live since 2', '5 closed']);
  });

  it('completes after close', () => {
    let isComplete = false;
    statuses(({ exchange, at }) => {
      exchange.status$.subscribe({ complete: () => (isComplete = true) });
      at(5, () => void exchange.close());
    });
    expect(isComplete).to.equal(true);
  });
});

describe('Behind a captive portal', () => {
  for (const [name, page] of [
    ['a web page', PAGE],
    ['a blank body', BLANK],
  ] as const) {
    for (const way of ['pull', 'stream'] as const) {
      it(`a ${way} waits out ${name}, and says so`, () => {
        const errors: unknown[] = [];
        let run: Streaming | undefined;
        const lines = statuses((started) => {
          run = started;
          const { server, exchange, watch, at } = started;
          watch(started[way](), 200);
          exchange.status$.subscribe((status) => {
            if (status.state === 'waiting') errors.push(status.error);
          });
          at(20, () => {
            server.failNext(3, page);
            server.closeStreams('reset');
          });
          at(100, () => void server.deliverMail());
        });
        expect(run?.errors).to.deep.equal([]);
        expect(run?.seen.filter((line) => line.endsWith('newMail'))).to.have.length(1);
        expect(String(errors.at(-1))).to.match(/NetworkError.*a login page or a captive portal/);
        expect(lines.at(-2)).to.match(/ live since /);
      });
    }

    it(`${name} ends a stream only before it had a subscription`, () => {
      const run = (whenUnreachable: 'wait' | 'error'): readonly unknown[] => {
        let errors: readonly unknown[] = [];
        statuses(
          ({ server, pull, watch, ...more }) => {
            ({ errors } = more);
            server.failNext(100, page, 'Subscribe');
            watch(pull(), 300);
          },
          {},
          { whenUnreachable },
        );
        return errors;
      };
      expect(run('wait')).to.deep.equal([]);
      expect(run('error').map(String)).to.have.length(1);
      expect(String(run('error')[0])).to.match(/captive portal/);
    });
  }
});
