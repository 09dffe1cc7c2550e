import { expect } from 'chai';
import { timer } from 'rxjs';
import { subscribeEnvelope, unsubscribeEnvelope } from '../../../lib/ews/protocol/envelope.ts';
import { ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { head, inbox, send, message, subscribe, ask, typesOf } from './client.ts';

describe('The simulated Exchange server', () => {
  describe('controlled by a test', () => {
    it('lets the next requests fail, of one operation or of all', () => {
      const server = ewsSimulator();
      server.failNext(1, { status: 503 }, 'Unsubscribe');
      server.failNext(2, { error: 'ErrorServerBusy', values: { BackOffMilliseconds: '5' } }, 'Subscribe');
      server.failNext(1, { fault: 'ErrorServerBusy', values: { Policy: 'P' } });
      const body = subscribeEnvelope(head, inbox);
      const first = message(send(server, body));
      expect(first).to.deep.include({
        responseCode: 'ErrorServerBusy',
        values: new Map([['BackOffMilliseconds', '5']]),
      });
      expect(message(send(server, body))).to.include({ responseCode: 'ErrorServerBusy' });
      const fault = send(server, body);
      expect([fault.status, fault.messages[0]!.type]).to.deep.equal([500, 'fault']);
      expect(server.subscriptions, 'it did not act').to.have.length(0);
      const { id } = subscribe(server);
      expect(send(server, unsubscribeEnvelope(head, id)).status).to.equal(503);
      expect(send(server, unsubscribeEnvelope(head, id)).status).to.equal(200);
    });

    it('acts or not before its connection breaks', () => {
      const server = ewsSimulator();
      server.failNext(1, 'reset');
      expect(send(server, subscribeEnvelope(head, inbox)).error).to.have.property('code', 'ECONNRESET');
      expect(server.subscriptions).to.have.length(0);
      server.failNext(1, 'resetAfterActing');
      expect(send(server, subscribeEnvelope(head, inbox)).error).to.have.property('code', 'ECONNRESET');
      expect(server.subscriptions).to.have.length(1);
    });

    it('removes failures that have not happened', () => {
      const server = ewsSimulator();
      server.failNext(5, 'reset');
      server.failNext(5, { error: 'ErrorServerBusy' });
      server.clearFailures();
      subscribe(server);
    });

    it('throws for a count of zero', () => {
      expect(() => ewsSimulator().failNext(0, { error: 'ErrorServerBusy' })).to.throw(
        TypeError,
        'count must be',
      );
      expect(() => ewsSimulator().failNext(0, 'reset')).to.throw(TypeError, 'count must be');
    });

    it('expires one subscription, or all', () => {
      const server = ewsSimulator();
      const [first, second] = [subscribe(server), subscribe(server), subscribe(server)];
      server.expire(first.id);
      expect(server.subscriptions.map(({ id }) => id))
        .to.have.length(2)
        .and.to.contain(second.id);
      server.expire();
      expect(server.subscriptions).to.have.length(0);
    });

    it('drops its subscriptions at a restart, keeps its mailbox, repeats no id', () => {
      const server = ewsSimulator();
      const before = subscribe(server);
      server.deliverMail();
      server.restart();
      expect(server.subscriptions).to.have.length(0);
      const after = subscribe(server, { ...inbox, watermark: before.watermark });
      expect(after.id).to.not.equal(before.id);
      expect(typesOf(ask(server, after.id, before.watermark))).to.have.length(3);
    });

    it('rejects watermarks from a forgotten history', () => {
      const server = ewsSimulator();
      const before = subscribe(server);
      server.forgetHistory();
      expect(ask(server, before.id, before.watermark)).to.include({ responseCode: 'ErrorInvalidWatermark' });
      const after = subscribe(server);
      expect(typesOf(ask(server, after.id, after.watermark))).to.deep.equal(['status']);
    });

    it('limits the number of subscriptions', () => {
      const server = ewsSimulator({ maxSubscriptions: 1 });
      subscribe(server);
      const refused = message(send(server, subscribeEnvelope(head, inbox)));
      expect(refused).to.include({ responseCode: 'ErrorExceededSubscriptionCount' });
    });
  });

  describe('on the clock of RxJS', () => {
    it('expires a subscription without requests after its timeout', () => {
      const server = ewsSimulator();
      const codes: string[] = [];
      inVirtualTime(() => {
        const { id, watermark } = subscribe(server, { ...inbox, timeoutMinutes: 1 });
        for (const seconds of [59, 118, 179]) {
          timer(seconds * 1000).subscribe(() => codes.push(ask(server, id, watermark).responseCode));
        }
      });
      expect(codes).to.deep.equal(['NoError', 'NoError', 'ErrorSubscriptionNotFound']);
    });

    it('acts after half the latency, even if the client has unsubscribed', () => {
      const server = ewsSimulator({ latencyMs: 100 });
      const subscriptionCounts: number[] = [];
      inVirtualTime(() => {
        const sent = server
          .transport({
            method: 'POST',
            url: server.url,
            headers: { 'content-type': 'text/xml' },
            body: subscribeEnvelope(head, inbox),
          })
          .subscribe();
        timer(10).subscribe(() => sent.unsubscribe());
        for (const ms of [49, 51])
          timer(ms).subscribe(() => subscriptionCounts.push(server.subscriptions.length));
      });
      expect(subscriptionCounts).to.deep.equal([0, 1]);
    });

    it('breaks pending requests when it restarts', () => {
      const server = ewsSimulator({ latencyMs: 100 });
      const result = inVirtualTime(() => {
        timer(60).subscribe(() => server.restart());
        return send(server, subscribeEnvelope(head, inbox));
      });
      expect(result.error).to.have.property('code', 'ECONNRESET');
      expect(server.requests[0]!.status).to.equal(undefined);
    });
  });
});
