import { expect } from 'chai';
import {
  afterGivingUp,
  afterReplacement,
  noPendingGets,
  type PendingGets,
  toSend,
} from '../../../lib/ucwa/application/pendingGets.ts';

const LINK = { url: 'https://pool.contoso.com/events?ack=2&x=%2b' };
const NEXT = { url: 'https://pool.contoso.com/events?ack=3&x=%2b' };
const NONE = {};
const fresh = noPendingGets(true, 0);

/** The state after so many requests were sent and given up. */
const givenUp = (times: number, now = 0): PendingGets => {
  let gets = fresh;
  for (let left = times; left > 0; left -= 1) gets = afterGivingUp(toSend(gets, LINK, NONE)[1], now);
  return gets;
};

describe('pendingGets', () => {
  describe('toSend', () => {
    it('follows a link verbatim', () => {
      expect(toSend(fresh, LINK, NONE)[0]).to.equal(LINK);
    });

    it('adds parameters once', () => {
      const parameters = { mediumSeconds: 60, priority: 4 };
      const [first, gets] = toSend(fresh, LINK, parameters);
      expect(first.url).to.equal(`${LINK.url}&medium=60&priority=4`);
      expect(toSend(gets, NEXT, parameters)[0]).to.equal(NEXT);
    });

    it('adds parameters again when the server has lost them', () => {
      const parameters = { mediumSeconds: 60 };
      const gets = { ...toSend(givenUp(2), LINK, parameters)[1], parameters: undefined };
      expect(toSend(gets, NEXT, parameters)[0].url).to.equal(`${NEXT.url}&medium=60&priority=2`);
    });

    it('raises the priority after each request that was given up', () => {
      const [first, gets] = toSend(givenUp(1), LINK, NONE);
      expect(first.url).to.equal(`${LINK.url}&priority=1`);
      expect(toSend(afterGivingUp(gets, 0), first, NONE)[0].url).to.equal(`${LINK.url}&priority=2`);
    });

    it('follows the next link verbatim after a raised priority was answered', () => {
      const [, gets] = toSend(givenUp(1), LINK, NONE);
      expect(toSend(gets, NEXT, NONE)[0]).to.equal(NEXT);
    });

    it('raises the priority above the one that the caller has set', () => {
      const gets = afterGivingUp(toSend(fresh, LINK, { priority: 7 })[1], 0);
      expect(toSend(gets, LINK, { priority: 3 })[0].url).to.equal(`${LINK.url}&priority=8`);
    });
  });

  describe('afterReplacement', () => {
    it('reports another client when nothing was given up', () => {
      expect(afterReplacement(toSend(fresh, LINK, NONE)[1], 0)).to.equal(undefined);
    });

    it('ascribes one replacement to each request that was given up', () => {
      const first = afterReplacement(givenUp(2), 0);
      expect(first?.strays).to.have.length(1);
      const second = afterReplacement(first!, 0);
      expect(second?.strays).to.have.length(0);
      expect(afterReplacement(second!, 0)).to.equal(undefined);
    });

    it('ascribes at most three', () => {
      expect(givenUp(500).strays).to.have.length(3);
    });

    it('ascribes none a minute after the last was given up', () => {
      expect(afterReplacement(givenUp(3, 1000), 61_000)).to.not.equal(undefined);
      expect(afterReplacement(givenUp(3, 1000), 61_001)).to.equal(undefined);
    });

    it('ascribes one to an earlier life of an application that was found', () => {
      const first = afterReplacement(noPendingGets(false, 1000), 1000);
      expect(afterReplacement(first!, 1000)).to.equal(undefined);
    });

    it('raises the priority above that of any earlier life', () => {
      const now = Date.UTC(2026, 0, 1);
      const gets = afterReplacement(noPendingGets(false, now), now);
      expect(toSend(gets!, LINK, NONE)[0].url).to.equal(`${LINK.url}&priority=${now / 1000}`);
    });
  });
});
