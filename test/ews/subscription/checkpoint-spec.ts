import { expect } from 'chai';
import { NEVER, of, ReplaySubject, take, takeUntil, tap, throwError } from 'rxjs';
import type { CheckpointStore, Json } from '../../../lib/core/checkpoint/checkpoint.ts';
import { CheckpointError } from '../../../lib/node/durableFile.ts';
import { checkpointed } from '../../../lib/ews/subscription/checkpointed.ts';
import { memoryCheckpoints } from '../../../lib/core/checkpoint/memoryStore.ts';
import { DecodeError } from '../../../lib/core/errors.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import type { PullOptions } from '../../../lib/ews/pull/options.ts';
import { pullNotifications } from '../../../lib/ews/pull/pull.ts';
import { pushNotifications } from '../../../lib/ews/push/push.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import { type EwsSimulator, ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { outcomesOf, pulling, RETRY } from '../pull/pulling.ts';
import { CALLBACK_URL, callbackUrlsOf, pushing } from '../push/pushing.ts';

const folders = { folders: ['inbox'], events: ['newMail'] } as const;

/** A store as another process sees it: it shares no open journals. */
function another(store: CheckpointStore): CheckpointStore {
  return { ...store };
}

function savedIn(store: CheckpointStore): Json | undefined {
  let saved: Json | undefined;
  store.load('mail').subscribe((value) => (saved = value));
  return saved;
}

/** The store of a process that was killed after it had subscribed. */
function storeWith(saved: Json): CheckpointStore {
  const store = memoryCheckpoints();
  store.save('mail', saved).subscribe();
  return store;
}

describe('A pull with a checkpoint', () => {
  it('saves its watermark after the events, and its id until removal', () => {
    const store = memoryCheckpoints();
    const during: (Json | undefined)[] = [];
    const after: (Json | undefined)[] = [];
    const { events, left } = pulling(({ server, pull, watch, at }) => {
      watch(pull({ checkpoint: checkpointed(store, 'mail') }), 70);
      at(5, () => server.deliverMail());
      at(40, () => during.push(savedIn(store)));
      at(75, () => after.push(savedIn(store)));
    });
    const last = events.findLast(({ type }) => type === 'modified');
    expect(last).to.have.property('watermark');
    expect(during[0]).to.have.property(
      'watermark',
      last !== undefined && 'watermark' in last && last.watermark,
    );
    expect(during[0]).to.have.nested.property('held.length', 1);
    expect(during[0]).to.have.nested.property('held[0].resource', 'PullSubscription');
    expect(after[0]).to.have.deep.property('held', []);
    expect(after[0]).to.have.property('watermark');
    expect(left()).to.deep.equal([]);
  });

  it('saves no batch that was left in the middle', () => {
    const store = memoryCheckpoints();
    const saved: (Json | undefined)[] = [];
    const { seen } = pulling(({ server, pull, watch, at }) => {
      watch(pull({ checkpoint: checkpointed(store, 'mail') }).pipe(take(2)), 60);
      at(1, () => saved.push(savedIn(store)));
      at(5, () => server.deliverMail());
      at(50, () => saved.push(savedIn(store)));
    });
    expect(seen).to.deep.equal(['0 status', '30 created', '30 complete']);
    expect(saved[1]).to.have.property('watermark', (saved[0] as { watermark: string }).watermark);
    expect(saved[1]).to.have.deep.property('held', []);
  });

  /** Pulls in a process that is killed between two mails, and then in the next one. */
  function pullTwice(
    next: Partial<PullOptions>,
    between: (server: EwsSimulator) => void = () => undefined,
  ): ReturnType<typeof pulling> & { readonly seenBefore: number } {
    const store = memoryCheckpoints();
    let seenBefore = 0;
    const pulled = pulling(({ server: it, pull, watch, at }) => {
      // Never unsubscribed, and it sends nothing more, as if its process was killed.
      const killed = connectExchange({
        server: it.url,
        transport: (request) => (isKilled ? NEVER : it.transport(request)),
        retry: RETRY,
      });
      let isKilled = false;
      const dying = pullNotifications(killed, {
        ...folders,
        checkpoint: checkpointed(store, 'mail'),
      }).subscribe(() => (seenBefore += 1));
      at(5, () => it.deliverMail());
      at(40, () => {
        isKilled = true;
      });
      at(45, () => it.deliverMail());
      at(49, () => between(it));
      at(50, () =>
        watch(pull({ events: ['newMail'], ...next, checkpoint: checkpointed(another(store), 'mail') }), 60),
      );
      at(60, () => dying.unsubscribe());
    });
    return { ...pulled, seenBefore };
  }
  const operationsOf = ({ server }: ReturnType<typeof pulling>, name: string): number =>
    server.requests.filter(({ operation }) => operation === name).length;
  const withoutTimes = ({ seen }: ReturnType<typeof pulling>): readonly string[] =>
    seen.map((one) => one.replace(/^\d+ /, ''));

  it('reattaches after the last processed event, and sends no Subscribe', () => {
    const pulled = pullTwice({});
    expect(pulled.seenBefore).to.equal(2);
    expect(withoutTimes(pulled)).to.deep.equal(['newMail', 'status']);
    expect(operationsOf(pulled, 'Subscribe')).to.equal(1);
    expect(operationsOf(pulled, 'Unsubscribe')).to.equal(1);
    expect(outcomesOf(pulled)).to.deep.equal(['Released']);
    expect(pulled.left()).to.deep.equal([]);
  });

  it('removes the old subscription if the options have changed', () => {
    const pulled = pullTwice({ timeoutMinutes: 20 });
    expect(withoutTimes(pulled)).to.deep.equal(['newMail', 'status']);
    expect(pulled.outcomes.map(({ resource, outcome }) => `${outcome} ${resource}`)).to.deep.equal([
      'Released PullSubscription',
      'Released PullSubscription',
    ]);
    expect(new Set(pulled.outcomes.map(({ id }) => id)).size).to.equal(2);
    expect(operationsOf(pulled, 'Subscribe')).to.equal(2);
    expect(operationsOf(pulled, 'Unsubscribe')).to.equal(2);
    expect(pulled.left()).to.deep.equal([]);
  });

  for (const onLost of ['resume', 'error'] as const) {
    it(`re-creates a subscription that is gone without a gap: onLost ${onLost}`, () => {
      const pulled = pullTwice({ onLost }, (server) => server.expire());
      expect(pulled.errors).to.deep.equal([]);
      expect(withoutTimes(pulled).slice(0, 1)).to.deep.equal(['newMail']);
      expect(operationsOf(pulled, 'Subscribe')).to.equal(2);
      expect(outcomesOf(pulled)).to.deep.equal(['EndedByServer', 'Released']);
      expect(pulled.left()).to.deep.equal([]);
    });
  }

  it('removes a subscription that refuses its user, and re-creates it', () => {
    const pulled = pullTwice({}, (server) => server.failNext(1, { error: 'ErrorAccessDenied' }, 'GetEvents'));
    expect(pulled.errors).to.deep.equal([]);
    expect(withoutTimes(pulled).slice(0, 1)).to.deep.equal(['newMail']);
    expect(outcomesOf(pulled)).to.deep.equal(['Released', 'Released']);
    expect(pulled.left()).to.deep.equal([]);
  });

  it('records AlreadyGone if the old subscription does not exist', () => {
    const store = storeWith({ held: [{ resource: 'PullSubscription', id: 'long-gone' }] });
    const pulled = pulling(({ pull, watch }) => {
      watch(pull({ checkpoint: checkpointed(store, 'mail') }), 10);
    });
    expect(outcomesOf(pulled).sort()).to.deep.equal(['AlreadyGone', 'Released']);
    expect(pulled.seen[0]).to.equal('0 gap');
    expect(savedIn(store)).to.have.deep.property('held', []);
  });

  it('records Unknown for a Subscribe during which the process died', () => {
    const store = storeWith({ watermark: undefined, held: [{ resource: 'PullSubscription' }] });
    const pulled = pulling(({ pull, watch }) => {
      watch(pull({ checkpoint: checkpointed(store, 'mail') }), 10);
    });
    expect(pulled.outcomes[0]).to.include({
      outcome: 'Unknown',
      resource: 'PullSubscription',
      id: undefined,
    });
    expect(pulled.outcomes[0]).to.have.property('hint').that.includes('10 minutes');
    expect(outcomesOf(pulled)).to.deep.equal(['Unknown', 'Released']);
  });

  it('saves the intent before it sends Subscribe', () => {
    const store = memoryCheckpoints();
    const server = ewsSimulator();
    const whenAsked: (Json | undefined)[] = [];
    const exchange = connectExchange({
      server: server.url,
      transport: (request) => {
        whenAsked.push(savedIn(store));
        return server.transport(request);
      },
    });
    pullNotifications(exchange, { ...folders, checkpoint: checkpointed(store, 'mail') })
      .subscribe()
      .unsubscribe();
    expect(whenAsked[0]).to.deep.equal({ held: [{ resource: 'PullSubscription' }] });
    expect(savedIn(store)).to.have.deep.property('held', []);
  });

  it('deletes the intent if the server refuses', () => {
    const store = memoryCheckpoints();
    const pulled = pulling(({ server, pull, watch }) => {
      server.failNext(1, { error: 'ErrorFolderNotFound' }, 'Subscribe');
      watch(pull({ checkpoint: checkpointed(store, 'mail') }), 10);
    });
    expect(pulled.seen).to.deep.equal(['0 EwsError']);
    expect(savedIn(store)).to.deep.equal({ held: [] });
  });

  it('emits a gap if the server refuses the saved watermark', () => {
    const store = storeWith({ watermark: 'of another server', held: [] });
    const pulled = pulling(({ pull, watch }) => {
      watch(pull({ checkpoint: checkpointed(store, 'mail') }), 10);
    });
    expect(pulled.events[0]).to.include({ type: 'gap', reason: 'watermarkRefused' });
  });

  it('emits a gap with its time if the server has no watermarks', () => {
    const store = storeWith({ since: 7000, held: [] });
    const pulled = pulling(
      ({ pull, watch }) => {
        watch(pull({ checkpoint: checkpointed(store, 'mail') }), 10);
      },
      { dialect: 'grommunio' },
    );
    expect(pulled.events[0]).to.deep.include({
      type: 'gap',
      reason: 'subscriptionLost',
      since: new Date(7000),
    });
  });

  it('is shared by its subscribers, and refuses a second stream', () => {
    const store = memoryCheckpoints();
    const pulled = pulling(({ pull, watch, server, at }) => {
      const one$ = pull({ checkpoint: checkpointed(store, 'mail') });
      watch(one$, 10);
      watch(one$, 10);
      watch(pull({ checkpoint: checkpointed(store, 'mail') }), 10);
      at(5, () => expect(server.subscriptions).to.have.length(1));
    });
    expect(pulled.errors).to.have.length(1);
    expect(pulled.errors[0])
      .to.be.instanceOf(TypeError)
      .and.have.property('message')
      .that.includes('checkpoint.key');
    expect(outcomesOf(pulled)).to.deep.equal(['Released']);
  });

  it('resumes in the same process, without removing a subscription twice', () => {
    const store = memoryCheckpoints();
    const pulled = pulling(
      ({ pull, watch, at, server }) => {
        const checkpoint = checkpointed(store, 'mail');
        watch(pull({ checkpoint }), 10);
        at(10, () => {
          server.deliverMail();
          watch(pull({ events: ['newMail'], checkpoint }), 20);
        });
      },
      { latencyMs: 100 },
    );
    expect(outcomesOf(pulled)).to.deep.equal(['Released', 'Released']);
    expect(pulled.seen.filter((one) => one.endsWith('newMail'))).to.have.length(1);
    expect(pulled.seen.some((one) => one.endsWith('gap'))).to.equal(false);
  });

  describe('and a store that fails', () => {
    const full = new CheckpointError('unwritable', '/checkpoints');
    const failing: readonly (readonly [string, Partial<CheckpointStore>])[] = [
      ['when it is loaded', { load: () => throwError(() => full) }],
      ['when it saves', { save: () => throwError(() => full) }],
    ];
    for (const [when, broken] of failing) {
      it(`errors and sends nothing to the server: ${when}`, () => {
        const store = { ...memoryCheckpoints(), ...broken };
        const pulled = pulling(({ pull, watch }) => {
          watch(pull({ checkpoint: checkpointed(store, 'mail') }), 10);
        });
        expect(pulled.errors).to.deep.equal([full]);
        expect(pulled.server.requests).to.deep.equal([]);
      });
    }

    it('errors and removes the subscription when it cannot save', () => {
      const store = memoryCheckpoints();
      let isFull = false;
      const filling = {
        ...store,
        save: (key: string, value: Json) => (isFull ? throwError(() => full) : store.save(key, value)),
      };
      const pulled = pulling(({ pull, watch, at, server }) => {
        watch(pull({ checkpoint: checkpointed(filling, 'mail') }), 60);
        at(5, () => {
          isFull = true;
          server.deliverMail();
        });
      });
      expect(pulled.errors).to.deep.equal([full]);
      expect(pulled.events.some(({ type }) => type === 'newMail')).to.equal(true);
      expect(outcomesOf(pulled)).to.deep.equal(['Released']);
    });

    it('errors if the loaded value is not a checkpoint of a stream', () => {
      const store = { ...memoryCheckpoints(), load: () => of('something else') };
      const pulled = pulling(({ pull, watch }) => {
        watch(pull({ checkpoint: checkpointed(store, 'mail') }), 10);
      });
      expect(pulled.errors[0]).to.be.instanceOf(DecodeError);
    });
  });

  const invalid: readonly (readonly [unknown, string])[] = [
    ['mail', 'checkpoint must be checkpointed(store, key)'],
    [{ key: 'mail' }, 'checkpoint must be checkpointed(store, key)'],
    [{ store: memoryCheckpoints(), key: 'mail' }, 'checkpoint must be checkpointed(store, key)'],
  ];
  for (const [checkpoint, message] of invalid) {
    it(`refuses a value: ${message}`, () => {
      const exchange = connectExchange({ server: 'https://mail.contoso.com/EWS/Exchange.asmx' });
      const options = { ...folders, checkpoint } as PullOptions;
      expect(() => pullNotifications(exchange, options)).to.throw(TypeError, message);
    });
  }
});

describe('A stream with a checkpoint', () => {
  it('saves the time of an event only after its subscriber has returned', () => {
    const store = memoryCheckpoints();
    const during: (Json | undefined)[] = [];
    pulling(({ server, exchange, watch, at }) => {
      const checkpoint = checkpointed(store, 'mail');
      const events$ = streamingNotifications(exchange, { ...folders, checkpoint });
      watch(events$.pipe(tap(() => during.push(savedIn(store)))), 50);
      at(30, () => server.deliverMail());
      at(40, () => server.deliverMail());
    });
    // The saved time is 10 seconds before the event arrived.
    expect(during.map((saved) => (saved as { since?: number }).since)).to.deep.equal([0, 20_000]);
    expect(savedIn(store)).to.have.property('since', 30_000);
  });

  it('removes the old subscription, emits a gap, and saves its id', () => {
    const store = memoryCheckpoints();
    const pulled = pulling(({ server, exchange, watch, at }) => {
      let isKilled = false;
      const killed = connectExchange({
        server: server.url,
        transport: (request) => (isKilled ? NEVER : server.transport(request)),
        retry: RETRY,
      });
      const dying = streamingNotifications(killed, {
        ...folders,
        checkpoint: checkpointed(store, 'mail'),
      }).subscribe();
      at(20, () => (isKilled = true));
      at(21, () => server.closeStreams());
      at(30, () => {
        expect(savedIn(store)).to.have.nested.property('held[0].resource', 'StreamingSubscription');
        watch(
          streamingNotifications(exchange, { ...folders, checkpoint: checkpointed(another(store), 'mail') }),
          40,
        );
      });
      at(39, () => server.deliverMail());
      at(50, () => dying.unsubscribe());
    });
    expect(pulled.seen).to.deep.equal(['30 gap', '39 newMail']);
    expect(outcomesOf(pulled)).to.deep.equal(['Released', 'Released']);
    expect(pulled.left()).to.deep.equal([]);
    expect(savedIn(store)).to.have.deep.property('held', []);
  });
});

describe('A push with a checkpoint', () => {
  it('saves the watermark of an event only after its subscriber has returned', () => {
    const store = memoryCheckpoints();
    const during: (string | undefined)[] = [];
    const watermarks: (string | undefined)[] = [];
    const saved = (): string | undefined => (savedIn(store) as { watermark?: string }).watermark;
    pushing(({ server, push, watch, at }) => {
      const checkpoint = checkpointed(store, 'mail');
      const events$ = push({ events: ['created', 'modified'], checkpoint }).pipe(
        tap((event) => {
          during.push(saved());
          if ('watermark' in event) watermarks.push(event.watermark);
        }),
      );
      watch(events$, 40);
      at(5, () => server.deliverMail());
      at(10, () => server.deliverMail());
    });
    const [status, , first, , second] = watermarks;
    // Both events of a mail arrive in one post.
    expect(during).to.deep.equal([status, status, status, first, first]);
    expect(saved()).to.equal(second);
  });

  it('resumes after the last processed event, and ends the old subscription', () => {
    const store = memoryCheckpoints();
    const ids: string[] = [];
    const stored: string[] = [];
    const pushed = pushing(({ server, push, watch, at, incoming$ }) => {
      const killed$ = new ReplaySubject<void>(1);
      const options = { ...folders, callbackUrl: CALLBACK_URL, statusFrequencyMinutes: 1 };
      const killed = connectExchange({ server: server.url, transport: server.transport, retry: RETRY });
      pushNotifications(
        killed,
        { ...options, checkpoint: checkpointed(store, 'mail') },
        incoming$.pipe(takeUntil(killed$)),
      ).subscribe({ error: () => undefined });
      at(5, () => server.deliverMail());
      at(20, () => {
        ids.push(...server.subscriptions.map(({ id }) => id));
        killed$.next();
      });
      at(21, () => {
        stored.push(JSON.stringify(savedIn(store)));
        server.deliverMail();
      });
      at(30, () => watch(push({ checkpoint: checkpointed(another(store), 'mail') }), 300));
    });
    expect(pushed.events.map(({ type }) => type).filter((type) => type !== 'status')).to.deep.equal([
      'newMail',
    ]);
    expect(pushed.outcomes[0]).to.include({ outcome: 'Released', resource: 'PushSubscription', id: ids[0] });
    expect(outcomesOf(pushed)).to.deep.equal(['Released', 'Released']);
    // The secret in the posts for the earlier process is unknown.
    const [former, later] = callbackUrlsOf(pushed);
    expect(former)
      .to.match(/pushKey=[\da-f]{32}$/)
      .and.not.equal(later);
    expect(stored[0]).to.contain(ids[0]).and.not.contain(former!.slice(-32));
  });
});
