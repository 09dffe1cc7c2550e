import { expect } from 'chai';
import { timer } from 'rxjs';
import type { HttpRequest } from '../../lib/core/transport.ts';
import { presence } from '../../lib/ucwa/presence.ts';
import { myContactsAndGroups } from '../../lib/ucwa/contacts.ts';
import { at, marbles } from '../support/marbles.ts';
import { connected, keep } from './connected.ts';

const SARA = { uris: ['sip:sara@contoso.com'] };
const isRemoval = ({ method, url }: HttpRequest): boolean =>
  method === 'DELETE' && /scriptions\/\w+$/.test(url);
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
      marbles(() => {
        server.failNext(1, { arrivesAfterMs: 5000 }, matches);
        const first = keep(presence(ucwa, SARA));
        timer(1000).subscribe(() => first.subscription.unsubscribe());
        timer(2000).subscribe(() => {
          const second = keep(presence(ucwa, SARA));
          timer(20_000).subscribe(() => {
            expect(second.error).to.equal(undefined);
            expect(second.values).to.not.include('reset application');
            expect(second.values).to.not.include('deleted presenceSubscription');
            expect(server.presenceSubscriptions).to.have.length(1);
            void ucwa.close();
          });
        });
      });
      expect(outcomes.map(({ outcome }) => outcome)).to.not.include('EndedByServer');
    });
  }

  for (const [what, fault, restarts] of [
    ['starts contacts and groups again after a lost stop arrives late', { arrivesAfterMs: 5000 }, 1],
    ['starts contacts and groups once after a stop that was answered', undefined, 0],
  ] as const) {
    it(what, () => {
      const { ucwa, server, sent } = connected();
      const starts = (): number => sent().filter((line) => line.includes('startOrRefresh')).length;
      marbles(() => {
        if (fault !== undefined) server.failNext(1, fault, isStop);
        const first = keep(myContactsAndGroups(ucwa));
        at(1, () => first.subscription.unsubscribe());
        at(2, () => {
          const second = keep(myContactsAndGroups(ucwa));
          at(98, () => {
            expect(second.error).to.equal(undefined);
            expect(server.contactsAndGroupsSubscriptions).to.have.length(1);
            expect(starts()).to.equal(2 + restarts);
            second.subscription.unsubscribe();
          });
        });
      });
      expect(server.contactsAndGroupsSubscriptions).to.have.length(0);
      expect(server.applications).to.have.length(0);
    });
  }
});
