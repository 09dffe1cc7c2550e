import { expect } from 'chai';
import {
  BehaviorSubject,
  NEVER,
  type Observable,
  of,
  Subject,
  Subscription,
  switchMap,
  throwError,
} from 'rxjs';
import { electedLinks, leadTabs } from '../../lib/tabs/election.ts';
import type { ChannelMessage, Port } from '../../lib/tabs/messages.ts';
import type { Lock } from '../../lib/tabs/platform.ts';
import { type ServedStreams, tabServer } from '../../lib/tabs/tabServer.ts';
import { fakeChannel } from '../support/tabs/fakeChannel.ts';
import { fakeLocks } from '../support/tabs/fakeLocks.ts';
import { subscribeTo } from '../support/tabs/tabPorts.ts';
import { at, inVirtualTime } from '../support/virtualTime.ts';

/** Tabs of one browser without SharedWorker, each with a stream that emits the name of its leader. */
function browser(): {
  readonly log: string[];
  readonly lock: Lock;
  readonly openChannel: () => Port<ChannelMessage, ChannelMessage>;
  /** Opens a tab. Unsubscribe to close it. */
  readonly open: (name: string, isLoaded$?: Observable<unknown>) => Subscription;
} {
  const log: string[] = [];
  const { lock } = fakeLocks();
  const openChannel = fakeChannel();

  const open = (name: string, isLoaded$: Observable<unknown> = of(true)): Subscription => {
    const define = (): ServedStreams => ({
      connections: [{ suspend: () => undefined, close: () => Promise.resolve(log.push(`${name} releases`)) }],
      states: { leader: () => new BehaviorSubject(name) },
    });
    const life = new Subscription();
    const links$ = electedLinks({
      ...{ tab: name, leaderLock: 'leader', lock, channel: openChannel() },
      lead: (leader) => {
        log.push(`${name} leads`);
        return isLoaded$.pipe(switchMap(() => leadTabs(openChannel(), leader, tabServer(define, lock))));
      },
    });
    life.add(lock(name).subscribe());
    life.add(
      links$.subscribe((link) => {
        if (link === undefined) log.push(`${name} has no leader`);
        life.add(
          link?.messages$.subscribe((message) => {
            if (message.type === 'next') log.push(`${name} follows ${String(message.value.value)}`);
          }),
        );
        link?.post(subscribeTo(0, 'states', 'leader'));
      }),
    );
    return life;
  };

  return { log, lock, openChannel, open };
}

describe('electedLinks and leadTabs', () => {
  it('connect all tabs to the first one', () => {
    const { log, open } = browser();
    inVirtualTime(() => {
      const tabs = [open('a'), open('b')];
      at(1, () => tabs.push(open('c')));
      at(60, () => tabs.forEach((tab) => tab.unsubscribe()));
      at(59, () => log.push('end'));
    });
    expect(log.slice(0, log.indexOf('end'))).to.deep.equal([
      ...['a leads', 'a follows a', 'b follows a', 'c follows a'],
    ]);
  });

  it('continue in the next tab when the leader closes', () => {
    const { log, open } = browser();
    inVirtualTime(() => {
      const [a, b] = [open('a'), open('b')];
      at(1, () => a.unsubscribe());
      at(60, () => b.unsubscribe());
    });
    expect(log.slice(0, 3)).to.deep.equal(['a leads', 'a follows a', 'b follows a']);
    expect(log.slice(3, 5)).to.have.members(['a releases', 'b leads']);
    expect(log.slice(5)).to.deep.equal(['b follows b', 'b releases']);
  });

  it('steal the lock of a leader that is silent', () => {
    const { log, lock, openChannel, open } = browser();
    inVirtualTime(() => {
      lock('leader').subscribe({ error: ({ name }: Error) => log.push(name) });
      const { messages$, post } = openChannel();
      const responding = messages$.subscribe(({ type }) => {
        if (type === 'ping') post({ type: 'alive', leader: 1 });
      });
      const tabs = [open('b'), open('c')];
      at(60, () => {
        log.push('silent');
        responding.unsubscribe();
      });
      at(70, () => log.push('end'));
      at(80, () => tabs.forEach((tab) => tab.unsubscribe()));
    });
    const [first] = log.splice(0, 1);
    expect(first).to.equal('silent');
    const after = log.slice(0, log.indexOf('end'));
    expect(after).to.include('AbortError');
    const leads = after.filter((line) => line.endsWith(' leads'));
    expect(leads).to.have.length(1);
    const next = leads[0]!.slice(0, 1);
    expect(after.slice(-2)).to.have.members([`b follows ${next}`, `c follows ${next}`]);
  });

  it('release everything when the lock is stolen, and lead again later', () => {
    const { log, lock, open } = browser();
    inVirtualTime(() => {
      const tab = open('a');
      let thief = new Subscription();
      at(1, () => (thief = lock('leader', { steal: true }).subscribe()));
      at(2, () => log.push('stolen'));
      at(3, () => thief.unsubscribe());
      at(4, () => tab.unsubscribe());
    });
    expect(log).to.deep.equal([
      ...['a leads', 'a follows a', 'a releases', 'stolen'],
      ...['a leads', 'a follows a', 'a releases'],
    ]);
  });

  it('stop leading when they hear a later leader', () => {
    const log: unknown[] = [];
    const { log: released, openChannel } = browser();
    const server = { join: () => Subscription.EMPTY, stop: () => released.push('stop') };
    leadTabs(openChannel(), 5, server).subscribe({ complete: () => log.push('complete') });
    const other = openChannel();
    other.post({ type: 'alive', leader: 4 });
    expect(log).to.deep.equal([]);
    other.post({ type: 'elected', leader: 6 });
    expect([log, released]).to.deep.equal([['complete'], ['stop']]);
  });

  it('do not hear an earlier leader', () => {
    const { log, lock, openChannel, open } = browser();
    inVirtualTime(() => {
      lock('leader').subscribe();
      const { post } = openChannel();
      const tab = open('a');
      const joined: unknown[] = [];
      openChannel().messages$.subscribe((message) => {
        if (message.type === 'toLeader' && message.message.type === 'join') joined.push(message.leader);
      });
      post({ type: 'alive', leader: 5 });
      post({ type: 'alive', leader: 4 });
      post({ type: 'alive', leader: 6 });
      expect(joined).to.deep.equal([5, 6]);
      tab.unsubscribe();
    });
    expect(log).to.deep.equal([]);
  });

  it('let a leader load its streams for a minute', () => {
    const { log, open } = browser();
    inVirtualTime(() => {
      const loaded = new Subject<number>();
      const [a, b] = [open('a', loaded), open('b')];
      at(60, () => loaded.next(1));
      at(70, () => log.push('end'));
      at(80, () => [a, b].forEach((tab) => tab.unsubscribe()));
    });
    const before = log.slice(0, log.indexOf('end'));
    expect(before.filter((line) => line.endsWith('leads'))).to.deep.equal(['a leads']);
    expect(before.slice(-2)).to.have.members(['a follows a', 'b follows a']);
  });

  it('emit the error of a leader that cannot load its streams', () => {
    const { lock } = fakeLocks();
    const errors: unknown[] = [];
    electedLinks({
      ...{ tab: 'a', leaderLock: 'leader', lock, channel: { messages$: NEVER, post: () => undefined } },
      lead: () => throwError(() => 'not loaded'),
    }).subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).to.deep.equal(['not loaded']);
  });
});
