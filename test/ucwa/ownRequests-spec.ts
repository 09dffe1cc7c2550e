import { expect } from 'chai';
import { BehaviorSubject, timer } from 'rxjs';
import type { HttpRequest } from '../../lib/core/transport/transport.ts';
import type { Fault } from '../../lib/testing/faults.ts';
import type { OnLost } from '../../lib/ucwa/subscription/recreation.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { myContactsAndGroups } from '../../lib/ucwa/presence/contactList.ts';
import { at, inVirtualTime } from '../support/virtualTime.ts';
import { connected, record, type Recording } from './connected.ts';

const SARA = { uris: ['sip:sara@contoso.com'] };
const ONE = SARA.uris;
const BOTH = [...ONE, 'sip:bob@contoso.com'];
const isRemoval = ({ method, url }: HttpRequest): boolean =>
  method === 'DELETE' && /scriptions\/\w+$/.test(url);
const isChange = ({ method, url }: HttpRequest): boolean => method !== 'GET' && url.includes('Memberships');
const isStop = ({ url }: HttpRequest): boolean => url.includes('stopSubscription');
const isDeletion = ({ method, url }: HttpRequest): boolean =>
  method === 'DELETE' && /applications\/\d+$/.test(url);

describe('UCWA requests of our own that arrive late', () => {
  for (const [name, matches] of [
    ['DELETE of a presenceSubscription', isRemoval],
    ['DELETE of an application', isDeletion],
  ] as const) {
    it(`do not end a stream when the ${name} was lost`, () => {
      const { ucwa, server, outcomes } = connected();
      inVirtualTime(() => {
        server.failNext(1, { arrivesAfterMs: 5000 }, matches);
        const first = record(presence(ucwa, SARA));
        timer(1000).subscribe(() => first.subscription.unsubscribe());
        timer(2000).subscribe(() => {
          const second = record(presence(ucwa, SARA));
          timer(20_000).subscribe(() => {
            expect(second.error).to.equal(undefined);
            expect(second.values).to.not.include('gap application');
            expect(second.values).to.not.include('deleted presenceSubscription');
            expect(server.presenceSubscriptions).to.have.length(1);
            void ucwa.close();
          });
        });
      });
      expect(outcomes.map(({ outcome }) => outcome)).to.not.include('EndedByServer');
    });
  }

  for (const [name, first, second] of [
    ['POST that adds a contact', ONE, BOTH],
    ['DELETE of a membership', BOTH, ONE],
  ] as const) {
    /** Makes a change during a fault, reverts it, and checks the result. */
    const takeBack = (
      fault: Fault | undefined,
      afterSeconds: number,
      check: (seen: Recording & { readonly uris: readonly string[]; readonly created: number }) => void,
      onLost?: OnLost,
    ): void => {
      const { ucwa, server, sent, outcomes } = connected({ maxPresenceSubscriptions: 1 });
      inVirtualTime(() => {
        if (fault !== undefined) server.failNext(1, fault, isChange);
        const uris = new BehaviorSubject(first);
        const one = record(presence(ucwa, { uris, ...(onLost === undefined ? {} : { onLost }) }));
        at(1, () => uris.next(second));
        at(1 + afterSeconds, () => uris.next(first));
        at(150, () => {
          expect(server.presenceSubscriptions).to.have.length(1);
          check({
            ...one,
            uris: server.presenceSubscriptions.flatMap((each) => each.uris),
            created: sent().filter((line) => line === 'POST 101/subscriptions 201').length,
          });
          one.subscription.unsubscribe();
        });
      });
      expect(server.applications).to.have.length(0);
      expect(outcomes.map(({ outcome }) => outcome)).to.not.include('EndedByServer');
    };
    const gaps = ({ values }: Recording): number => values.filter((value) => value.startsWith('gap')).length;

    for (const onLost of ['recreate', 'complete', 'error'] as const) {
      it(`do not undo a later change when the ${name} was lost (${onLost})`, () => {
        takeBack(
          { arrivesAfterMs: 5000 },
          1,
          (seen) => {
            expect(seen.uris).to.have.members(first);
            expect(seen).to.include({ created: 2, error: undefined, isComplete: false });
            expect(gaps(seen)).to.equal(1);
          },
          onLost,
        );
      });
    }

    for (const [when, fault, afterSeconds] of [
      ['was answered', undefined, 1],
      ['was refused', { status: 503 }, 1],
      ['can no longer arrive', { arrivesAfterMs: 5000 }, 70],
    ] as const) {
      it(`do not re-create a subscription after the ${name} ${when}`, () => {
        takeBack(fault, afterSeconds, (seen) => {
          expect(seen.uris).to.have.members(first);
          expect(seen.created).to.equal(1);
          expect(gaps(seen)).to.equal(0);
        });
      });
    }
  }

  it('create a subscription only after the removal of the previous one', () => {
    const { ucwa, server, sent } = connected({ maxPresenceSubscriptions: 1 });
    inVirtualTime(() => {
      server.failNext(1, { arrivesAfterMs: 5000 }, isChange);
      server.failNext(2, { status: 503 }, isRemoval);
      const uris = new BehaviorSubject(BOTH);
      const one = record(presence(ucwa, { uris }));
      at(1, () => uris.next(ONE));
      at(2, () => uris.next(BOTH));
      at(60, () => {
        expect(one.error).to.equal(undefined);
        expect(server.presenceSubscriptions.map(({ uris: held }) => held)).to.deep.equal([BOTH]);
        one.subscription.unsubscribe();
      });
    });
    expect(sent().filter((line) => line === 'POST 101/subscriptions 403')).to.deep.equal([]);
    expect(server.applications).to.have.length(0);
  });

  for (const [what, fault, restarts] of [
    ['starts contacts and groups again after a lost stop arrives late', { arrivesAfterMs: 5000 }, 1],
    ['starts contacts and groups once after a stop that was answered', undefined, 0],
  ] as const) {
    it(what, () => {
      const { ucwa, server, sent } = connected();
      const starts = (): number => sent().filter((line) => line.includes('startOrRefresh')).length;
      inVirtualTime(() => {
        if (fault !== undefined) server.failNext(1, fault, isStop);
        const first = record(myContactsAndGroups(ucwa));
        at(1, () => first.subscription.unsubscribe());
        at(2, () => {
          const second = record(myContactsAndGroups(ucwa));
          at(98, () => {
            expect(second.error).to.equal(undefined);
            expect(server.contactsAndGroupsSubscriptions).to.have.length(1);
            expect(starts()).to.equal(2 + restarts);
            expect(second.values.filter((value) => value.startsWith('gap'))).to.have.length(restarts);
            second.subscription.unsubscribe();
          });
        });
      });
      expect(server.contactsAndGroupsSubscriptions).to.have.length(0);
      expect(server.applications).to.have.length(0);
    });
  }

  it('cause a gap before the events of restarted contacts and groups', () => {
    const { ucwa, server } = connected();
    const tell = (type: 'added' | 'deleted'): void =>
      server.emit({
        type,
        link: { rel: 'group', href: '/groups/7' },
        in: { rel: 'myGroups', href: '/groups' },
      });
    inVirtualTime(() => {
      server.failNext(1, { arrivesAfterMs: 5000 }, isStop);
      const first = record(myContactsAndGroups(ucwa));
      at(1, () => first.subscription.unsubscribe());
      at(2, () => {
        const second = record(myContactsAndGroups(ucwa));
        at(1, () => tell('added'));
        at(96, () => tell('deleted'));
        at(98, () => {
          expect(second.values).to.deep.equal([
            'added group',
            'gap myContactsAndGroupsSubscription',
            'deleted group',
          ]);
          second.subscription.unsubscribe();
        });
      });
    });
  });
});
