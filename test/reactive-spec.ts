import { expect } from 'chai';
import { take } from 'rxjs';
import {
  connectExchange,
  pullNotifications,
  pushNotifications,
  streamingNotifications,
} from '../lib/ews/index.ts';
import { ewsSimulator, pushCallback, ucwaSimulator } from '../lib/testing/index.ts';
import {
  connectUcwa,
  contactPresence,
  groupPresence,
  myContactsAndGroups,
  presence,
  presenceBoard,
} from '../lib/ucwa/index.ts';
import { inVirtualTime } from './support/virtualTime.ts';
import { reactive } from './support/browser/reactive.ts';
import { bearer } from '../lib/core/auth/auth.ts';

const SARA = 'sip:sara@contoso.com';

describe("A connection in a Proxy, as by Vue's reactive", () => {
  describe('to UCWA', () => {
    const connected = () => {
      const server = ucwaSimulator({ mediumSeconds: 0, groups: { Family: [SARA] } });
      const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport: server.transport });
      return { server, ucwa, wrapped: reactive({ ucwa }).ucwa };
    };

    it('observes contacts and groups, and removes all from the server', async () => {
      const { server, ucwa, wrapped } = connected();
      expect(wrapped).to.not.equal(ucwa);
      const seen: string[] = [];
      const watching = [
        wrapped.events$.subscribe(),
        wrapped.application$.subscribe(),
        presence(wrapped, { uris: [SARA] }).subscribe(({ type }) => seen.push(type)),
        contactPresence(wrapped, [SARA]).subscribe(({ uri }) => seen.push(uri)),
        presenceBoard(wrapped, [SARA]).subscribe(),
        groupPresence(wrapped, { name: 'Family' }).subscribe(),
      ];
      expect(server.presenceSubscriptions).to.have.length(4);
      expect(seen).to.include.members(['added', SARA]);
      for (const one of watching) one.unsubscribe();
      expect(await wrapped.drain()).to.include({ clean: true });
      expect(server.presenceSubscriptions).to.deep.equal([]);
      expect(server.applications).to.deep.equal([]);
    });

    it('gets resources and changes its parameters', () => {
      const { server, wrapped } = connected();
      const watching = wrapped.application$.subscribe(({ self }) => {
        wrapped.get({ href: self }).subscribe();
      });
      wrapped.setChannelParameters({ mediumSeconds: 60 });
      expect(server.requests.map(({ method, status }) => `${method} ${status}`)).to.include('GET 200');
      watching.unsubscribe();
    });

    it('shares myContactsAndGroups with the connection itself', async () => {
      const { server, ucwa, wrapped } = connected();
      const both = [ucwa, wrapped].map((one) => myContactsAndGroups(one).subscribe());
      expect(server.contactsAndGroupsSubscriptions).to.have.length(1);
      for (const one of both) one.unsubscribe();
      await wrapped.drain();
      expect(server.contactsAndGroupsSubscriptions).to.have.length(0);
    });

    it('completes its streams when it is closed', async () => {
      const { wrapped } = connected();
      let isComplete = false;
      presence(wrapped, { uris: [SARA] }).subscribe({ complete: () => (isComplete = true) });
      expect(await wrapped.close()).to.include({ clean: true });
      expect(isComplete).to.equal(true);
    });
  });

  describe('to Exchange', () => {
    const options = { folders: ['inbox'], events: ['newMail'] } as const;

    it('observes by pull, push and streaming, and removes all from the server', () => {
      const { transport, incoming$ } = pushCallback();
      const server = ewsSimulator({ push: transport });
      const exchange = connectExchange({ server: server.url, transport: server.transport });
      const wrapped = reactive({ exchange }).exchange;
      expect(wrapped).to.not.equal(exchange);
      const seen: string[] = [];
      inVirtualTime(() => {
        pullNotifications(wrapped, { ...options, pollIntervalSeconds: 1 })
          .pipe(take(2))
          .subscribe(({ type }) => seen.push(`pull ${type}`));
        pushNotifications(wrapped, { ...options, callbackUrl: 'https://any.example/' }, incoming$)
          .pipe(take(2))
          .subscribe(({ type }) => seen.push(`push ${type}`));
        streamingNotifications(wrapped, options)
          .pipe(take(2))
          .subscribe(({ type }) => seen.push(`streaming ${type}`));
        expect(server.subscriptions).to.have.length(3);
        server.deliverMail();
      });
      for (const way of ['pull', 'push', 'streaming']) expect(seen).to.include(`${way} newMail`);
      expect(server.subscriptions).to.deep.equal([]);
    });

    it('acts as another user, and completes when it is closed', async () => {
      const server = ewsSimulator();
      const exchange = connectExchange({ server: server.url, transport: server.transport });
      const sara = reactive(exchange).actingAs({ primarySmtpAddress: 'sara@contoso.com' });
      let isComplete = false;
      pullNotifications(reactive(sara), options).subscribe({ complete: () => (isComplete = true) });
      expect(server.subscriptions.map(({ impersonated }) => impersonated?.name)).to.deep.equal([
        'sara@contoso.com',
      ]);
      expect(await reactive(exchange).close()).to.include({ clean: true });
      expect(isComplete).to.equal(true);
    });
  });
});
