import { expect } from 'chai';
import fc from 'fast-check';
import { timer } from 'rxjs';
import { type BatchPace, batchPace } from '../../../lib/ucwa/batch/pace.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const paced = (): BatchPace =>
  batchPace({ maxParts: 20, maxOutstanding: 100, backoff: { initialMs: 100, random: () => 1 } });

describe('batchPace', () => {
  it('starts with full batches and no wait', () => {
    inVirtualTime(() => {
      const pace = paced();
      expect(pace.size).to.equal(20);
      expect(pace.waitMs).to.equal(0);
    });
  });

  it('has room for full batches up to the outstanding limit', () => {
    const pace = paced();
    expect(pace.hasRoomFor(20, 0)).to.equal(true);
    expect(pace.hasRoomFor(20, 80)).to.equal(true);
    expect(pace.hasRoomFor(20, 81)).to.equal(false);
    expect(pace.hasRoomFor(1, 99)).to.equal(true);
    expect(pace.hasRoomFor(1, 100)).to.equal(false);
  });

  it('halves after a refusal, waits, and sends one at a time', () => {
    inVirtualTime(() => {
      const pace = paced();
      pace.refused(15, undefined);
      expect(pace.size).to.equal(7);
      expect(pace.waitMs).to.equal(100);
      expect(pace.hasRoomFor(7, 0)).to.equal(true);
      expect(pace.hasRoomFor(7, 1)).to.equal(false);
    });
  });

  it('never goes below one', () => {
    inVirtualTime(() => {
      const pace = paced();
      pace.refused(1, undefined);
      expect(pace.size).to.equal(1);
    });
  });

  it('waits at least as long as the server asks', () => {
    inVirtualTime(() => {
      const pace = paced();
      pace.refused(20, 5000);
      expect(pace.waitMs).to.equal(5100);
    });
  });

  it('counts simultaneous refusals once and keeps the longest wait', () => {
    inVirtualTime(() => {
      const pace = paced();
      pace.refused(20, undefined);
      pace.refused(20, 1000);
      pace.refused(20, undefined);
      expect(pace.size).to.equal(10);
      expect(pace.waitMs).to.equal(1100);
    });
  });

  it('does not grow when a success and a refusal coincide', () => {
    inVirtualTime(() => {
      const pace = paced();
      pace.refused(20, undefined);
      pace.succeeded();
      pace.refused(20, undefined);
      expect(pace.hasRoomFor(1, 1)).to.equal(false);
    });
  });

  it('waits longer after each consecutive refusal', () => {
    inVirtualTime(() => {
      const pace = paced();
      pace.refused(20, undefined);
      timer(100).subscribe(() => {
        pace.refused(10, undefined);
        expect(pace.waitMs).to.equal(200);
      });
    });
  });

  it('grows with each success and sends in parallel again', () => {
    inVirtualTime(() => {
      const pace = paced();
      pace.refused(20, undefined);
      const sizes = Array.from({ length: 12 }, () => {
        pace.succeeded();
        return pace.size;
      });
      expect(sizes).to.deep.equal([11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 20, 20]);
      expect(pace.hasRoomFor(20, 80)).to.equal(true);
    });
  });

  it('has room for a batch whenever nothing is outstanding', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined })), (events) => {
        inVirtualTime(() => {
          const pace = paced();
          for (const tried of events) {
            if (tried === undefined) pace.succeeded();
            else pace.refused(tried, undefined);
          }
          expect(pace.size).to.be.within(1, 20);
          expect(pace.hasRoomFor(pace.size, 0)).to.equal(true);
        });
      }),
    );
  });
});
