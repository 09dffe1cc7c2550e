import { expect } from 'chai';
import { BehaviorSubject, concat, finalize, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { decode } from '../../lib/tabs/encoded.ts';
import type { WorkerMessage } from '../../lib/tabs/messages.ts';
import type { Lock } from '../../lib/tabs/platform.ts';
import { type CallTab, type ServedStreams, tabServer, type TabServer } from '../../lib/tabs/tabServer.ts';
import { fakeLocks } from '../support/tabs/fakeLocks.ts';
import { joinTab, type JoinedTab, subscribeTo } from '../support/tabs/tabPorts.ts';

/** A server whose streams and connection log what happens to them. */
function logging(lock?: Lock): {
  readonly log: string[];
  readonly source$: Subject<unknown>;
  readonly server: TabServer;
  readonly closed: () => void;
} {
  const log: string[] = [];
  const source$ = new Subject<unknown>();
  const stream = (...args: readonly unknown[]): Observable<unknown> =>
    new Observable((subscriber) => {
      log.push(`subscribe ${JSON.stringify(args)}`);
      subscriber.add(() => log.push('unsubscribe'));
      source$.subscribe(subscriber);
    });
  let closed = (): void => undefined;
  const connection = {
    suspend: () => log.push('suspend'),
    close: () => {
      log.push('close');
      return new Promise<void>((resolve) => (closed = resolve));
    },
  };
  const define = (): ServedStreams => {
    log.push('define');
    return { connections: [connection], states: { stream }, events: { stream } };
  };
  return { log, source$, server: tabServer(define, lock), closed: () => closed() };
}

function valuesOf({ received }: JoinedTab): readonly unknown[] {
  return received.flatMap((message) => (message.type === 'next' ? [message.value.value] : []));
}

function errorOf(message: WorkerMessage | undefined): Error {
  return decode((message as Extract<WorkerMessage, { type: 'error' }>).error, {}) as Error;
}

/** A server with one stream. */
function serving(stream: (call: CallTab) => Observable<unknown>): TabServer {
  return tabServer((call) => ({ connections: [], states: { stream: () => stream(call) } }), undefined);
}

describe('tabServer', () => {
  it('shares a stream between tabs by its arguments', () => {
    const { log, server } = logging();
    const [one, other] = [joinTab(server, 'one'), joinTab(server, 'other')];
    one.post(subscribeTo(0, 'states', 'stream', { a: 1 }));
    other.post(subscribeTo(5, 'states', 'stream', { a: 1 }));
    other.post(subscribeTo(6, 'states', 'stream', { a: 2 }));
    expect(log).to.deep.equal(['define', 'subscribe [{"a":1}]', 'subscribe [{"a":2}]']);
    one.post({ type: 'unsubscribe', id: 0 });
    other.post({ type: 'unsubscribe', id: 6 });
    expect(log.slice(3)).to.deep.equal(['unsubscribe']);
    other.post({ type: 'unsubscribe', id: 5 });
    expect(log.slice(3)).to.deep.equal(['unsubscribe', 'unsubscribe']);
  });

  it('sends a late tab the latest state, and only later events', () => {
    const { server, source$ } = logging();
    const [one, late] = [joinTab(server, 'one'), joinTab(server, 'late')];
    one.post(subscribeTo(0, 'states', 'stream'));
    one.post(subscribeTo(1, 'events', 'stream'));
    source$.next('a');
    late.post(subscribeTo(0, 'states', 'stream'));
    expect(valuesOf(late)).to.deep.equal(['a']);
    late.post(subscribeTo(1, 'events', 'stream'));
    expect(valuesOf(late)).to.deep.equal(['a']);
    source$.next('b');
    expect(valuesOf(late)).to.deep.equal(['a', 'b', 'b']);
  });

  it('sends the changed entries of a Map', () => {
    const { server, source$ } = logging();
    const tab = joinTab(server, 'tab');
    tab.post(subscribeTo(0, 'states', 'stream'));
    const state = {};
    source$.next(new Map([['a', state]]));
    source$.next(
      new Map([
        ['a', state],
        ['b', {}],
      ]),
    );
    expect(tab.received.at(-1)).to.deep.equal({
      ...{ type: 'patch', id: 0 },
      patch: {
        isWhole: false,
        set: { value: [['b', {}]], hasErrors: false },
        deleted: [],
        fields: { value: {}, hasErrors: false },
      },
    });
  });

  it('sends the end of a stream', () => {
    const tab = joinTab(
      serving(() => of(1)),
      'tab',
    );
    tab.post(subscribeTo(3, 'states', 'stream'));
    expect(tab.received.at(-1)).to.deep.equal({ type: 'complete', id: 3 });
    const failing = joinTab(
      serving(() => throwError(() => new TypeError('a'))),
      'tab',
    );
    failing.post(subscribeTo(3, 'states', 'stream'));
    expect(errorOf(failing.received.at(-1)))
      .to.be.instanceOf(TypeError)
      .with.property('message', 'a');
  });

  for (const name of ['unknown', 'constructor']) {
    it(`errors for a stream that it does not have: ${name}`, () => {
      const { server } = logging();
      const tab = joinTab(server, 'tab');
      tab.post(subscribeTo(0, 'events', name));
      expect(errorOf(tab.received[0])).to.be.instanceOf(TypeError);
      expect(errorOf(tab.received[0]).message).to.contain(`no stream events.${name}`);
    });
  }

  it('errors for a value that cannot be sent, and unsubscribes', () => {
    const { log, server, source$ } = logging();
    const tab = joinTab(server, 'tab');
    tab.post(subscribeTo(0, 'states', 'stream'));
    source$.next(() => 'a function');
    expect(errorOf(tab.received[0]).name).to.equal('DataCloneError');
    expect(log.at(-1)).to.equal('unsubscribe');
  });

  it('suspends the connections before the streams of the last tab end', () => {
    const { log, server } = logging();
    const [one, last] = [joinTab(server, 'one'), joinTab(server, 'last')];
    for (const tab of [one, last]) tab.post(subscribeTo(0, 'states', 'stream'));
    one.post({ type: 'leave' });
    expect(log).to.deep.equal(['define', 'subscribe []']);
    last.post({ type: 'leave' });
    expect(log.slice(2)).to.deep.equal(['suspend', 'unsubscribe', 'close']);
  });

  it('suspends the connections before it stops', () => {
    const { log, server } = logging();
    for (const name of ['one', 'other']) joinTab(server, name).post(subscribeTo(0, 'events', 'stream', name));
    server.stop();
    expect(log.slice(3, 4).concat(log.slice(-1))).to.deep.equal(['suspend', 'close']);
  });

  it('defines the streams again for a tab that comes while it closes', async () => {
    const { log, server, closed } = logging();
    const first = joinTab(server, 'first');
    first.post(subscribeTo(0, 'states', 'stream'));
    first.post({ type: 'leave' });
    const next = joinTab(server, 'next');
    next.post(subscribeTo(0, 'states', 'stream'));
    expect(log.at(-1)).to.equal('close');
    closed();
    await new Promise(setImmediate);
    expect(log.slice(-2)).to.deep.equal(['define', 'subscribe []']);
  });

  it('has no checkpoints for the next leader after it has stopped', () => {
    const server = tabServer((_, store) => {
      store.save('a', 1).subscribe();
      return { connections: [], states: { stream: () => NEVER } };
    }, undefined);
    const tab = joinTab(server, 'tab');
    tab.post(subscribeTo(0, 'states', 'stream'));
    expect(tab.received.at(-1)).to.deep.equal({ type: 'saved', saved: new Map([['a', 1]]) });
    server.stop();
    expect(tab.received.at(-1)).to.deep.equal({ type: 'saved', saved: new Map() });
  });

  it('ends a tab whose lock is released', () => {
    const { lock } = fakeLocks();
    const { log, server } = logging(lock);
    const life = lock('tab').subscribe();
    joinTab(server, 'tab').post(subscribeTo(0, 'states', 'stream'));
    expect(log.at(-1)).to.equal('subscribe []');
    life.unsubscribe();
    expect(log.at(-1)).to.equal('close');
  });

  it('calls the tab that was shown last, else another one', () => {
    const server = serving((call) => concat(call('token' as never), NEVER));
    const [one, other] = [joinTab(server, 'one'), joinTab(server, 'other')];
    one.post({ type: 'join', tab: 'one' });
    other.post(subscribeTo(7, 'states', 'stream'));
    expect(one.received).to.deep.equal([{ type: 'call', id: 0, name: 'token', args: '[]' }]);
    one.post({ type: 'leave' });
    expect(other.received).to.deep.equal([{ type: 'call', id: 1, name: 'token', args: '[]' }]);
    other.post({ type: 'result', id: 1, value: { value: 'secret', hasErrors: false } });
    expect(valuesOf(other)).to.deep.equal(['secret']);
  });

  it('errors as the called function does', () => {
    const tab = joinTab(
      serving((call) => call('token' as never)),
      'tab',
    );
    tab.post(subscribeTo(7, 'states', 'stream'));
    tab.post({ type: 'failure', id: 0, error: { value: 'refused', hasErrors: false } });
    expect(tab.received.at(-1)).to.deep.equal({
      ...{ type: 'error', id: 7 },
      error: { value: 'refused', hasErrors: false },
    });
  });

  it('errors for a call without a tab', () => {
    const errors: unknown[] = [];
    const calls = new BehaviorSubject<CallTab | undefined>(undefined);
    const server = serving((call) => {
      calls.next(call);
      return NEVER.pipe(finalize(() => undefined));
    });
    const tab = joinTab(server, 'tab');
    tab.post(subscribeTo(0, 'states', 'stream'));
    tab.post({ type: 'leave' });
    calls.value?.('token' as never).subscribe({ error: (error: unknown) => errors.push(String(error)) });
    expect(errors).to.deep.equal(['Error: token cannot be called, because no tab is open']);
  });
});
