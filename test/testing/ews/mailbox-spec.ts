import { expect } from 'chai';
import { type Observable, takeUntil, timer } from 'rxjs';
import {
  type EwsEvent,
  connectExchange,
  pullNotifications,
  streamingNotifications,
} from '../../../lib/ews/index.ts';
import { type EwsSimulator, ewsSimulator } from '../../../lib/testing/index.ts';
import { at, inVirtualTime } from '../../support/virtualTime.ts';

const ADDRESS = 'sara@contoso.example';

/** How a client names a mailbox. */
const ways: readonly [how: string, watch: (server: EwsSimulator, address: string) => Observable<EwsEvent>][] =
  [
    [
      'impersonates',
      ({ url, transport }, primarySmtpAddress) =>
        streamingNotifications(
          connectExchange({ server: url, transport, impersonate: { primarySmtpAddress } }),
          {
            folders: ['inbox'],
            events: ['newMail'],
          },
        ),
    ],
    [
      'watches a folder of',
      ({ url, transport }, mailbox) =>
        pullNotifications(connectExchange({ server: url, transport }), {
          folders: [{ distinguished: 'inbox', mailbox }],
          events: ['newMail'],
          pollIntervalSeconds: 1,
        }),
    ],
  ];

for (const [how, watch] of ways) {
  describe(`The mailbox of an address that a client ${how}`, () => {
    /** Runs a script with a client, and returns the ids of the messages that the client received. */
    const seenBy = (script: (server: EwsSimulator) => void): readonly string[] => {
      const seen: string[] = [];
      const server = ewsSimulator();
      inVirtualTime(() => {
        watch(server, ADDRESS)
          .pipe(takeUntil(timer(20_000)))
          .subscribe((event) => {
            if (event.type === 'newMail') seen.push(event.item?.id ?? '');
          });
        script(server);
      });
      return seen;
    };

    it('is the mailbox that a test names later', () => {
      const sent: string[] = [];
      const seen = seenBy((server) => {
        at(1, () => sent.push(server.mailbox(ADDRESS).deliverMail()));
        at(5, () => sent.push(server.mailbox(ADDRESS).deliverMail()));
      });
      expect(sent).to.have.length(2);
      expect(seen).to.deep.equal(sent);
    });

    it('is the same in upper and lower case', () => {
      const sent: string[] = [];
      const seen = seenBy((server) => {
        at(1, () => sent.push(server.mailbox('Sara@Contoso.example').deliverMail()));
      });
      expect(sent).to.have.length(1);
      expect(seen).to.deep.equal(sent);
    });

    it('gets no message of another mailbox that was named later', () => {
      const seen = seenBy((server) => {
        at(1, () => server.mailbox('boss@contoso.example').deliverMail());
      });
      expect(seen).to.deep.equal([]);
    });

    it('is that of the account until a test names it', () => {
      const sent: string[] = [];
      const seen = seenBy((server) => {
        at(1, () => sent.push(server.deliverMail()));
        at(3, () => server.mailbox(ADDRESS));
        at(4, () => server.deliverMail());
        at(5, () => sent.push(server.mailbox(ADDRESS).deliverMail()));
      });
      expect(sent).to.have.length(2);
      expect(seen).to.deep.equal(sent);
    });

    it('keeps its items after a test has named it', () => {
      const server = ewsSimulator();
      inVirtualTime(() => {
        const item = server.deliverMail();
        watch(server, ADDRESS)
          .pipe(takeUntil(timer(5000)))
          .subscribe();
        at(1, () => {
          const moved = server.mailbox(ADDRESS).moveItem(item, 'drafts');
          expect(() => server.modifyItem(moved)).to.throw(TypeError, 'itemId must be');
          server.modifyItem(item);
        });
      });
    });
  });
}

describe('A mailbox that a test names first', () => {
  it('is found by the id of one of its folders', () => {
    const server = ewsSimulator();
    const sara = server.mailbox(ADDRESS);
    const seen: string[] = [];
    inVirtualTime(() => {
      pullNotifications(connectExchange({ server: server.url, transport: server.transport }), {
        folders: [{ id: sara.folderId('inbox') }],
        events: ['newMail'],
        pollIntervalSeconds: 1,
      })
        .pipe(takeUntil(timer(5000)))
        .subscribe(({ type }) => seen.push(type));
      at(1.5, () => sara.deliverMail());
      at(3.5, () => server.deliverMail());
    });
    expect(seen.filter((type) => type !== 'status')).to.deep.equal(['newMail']);
  });
});
