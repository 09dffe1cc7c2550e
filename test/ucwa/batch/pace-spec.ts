import { expect } from 'chai';
import fc from 'fast-check';
import { timer } from 'rxjs';
import { type BatchPace, batchPace } from '../../../lib/ucwa/batch/pace.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const paced = (): BatchPace =>
  batchPace({ maxParts: 20, maxOutstanding: 100, backoff: { initialMs: 100, random: () => 1 } });

describe('batchPace', () => {
  it('should begin with whole batches and no wait', () => {
    inVirtualTime(() => {
      const pace = paced();
      expect(pace.size).to.equal(20);
      expect(pace.waitMs).to.equal(0);
    });
  });

  it('should have room for whole batches only, up to what may be outstanding', () => {
    const pace = paced();
    expect(pace.hasRoomFor(20, 0)).to.equal(true);
    expect(pace.hasRoomFor(20, 80)).to.equal(true);
    expect(pace.hasRoomFor(20, 81)).to.equal(false);
    expect(pace.hasRoomFor(1, 99)).to.equal(true);
    expect(pace.hasRoomFor(1, 100)).to.equal(false);
  });

  it('should halve what was refused, wait, and let one go at a time', () => {
    inVirtualTime(() => {
      const pace = paced();
      pace.refused(15, undefined);
      expect(pace.size).to.equal(7);
      expect(pace.waitMs).to.equal(100);
      expect(pace.hasRoomFor(7, 0)).to.equal(true);
      expect(pace.hasRoomFor(7, 1)).to.equal(false);
    });
  });

  it('should never go below one', () => {
    inVirtualTime(() => {
      const pace = paced();
      pace.refused(1, undefined);
      expect(pace.size).to.equal(1);
    });
  });

  it('should wait at least as long as the server asks', () => {
    inVirtualTime(() => {
      const pace = paced();
      pace.refused(20, 5000);
      expect(pace.waitMs).to.equal(5100);
    });
  });

  it('should count what was refused together once, and keep the longest wait', () => {
    inVirtualTime(() => {
      const pace = paced();
      pace.refused(20, undefined);
      pace.refused(20, 1000);
      pace.refused(20, undefined);
      expect(pace.size).to.equal(10);
      expect(pace.waitMs).to.equal(1100);
    });
  });

  it('should stay careful when a success and a refusal come together', () => {
    inVirtualTime(() => {
      const pace = paced();
      pace.refused(20, undefined);
      pace.succeeded();
      pace.refused(20, undefined);
      expect(pace.hasRoomFor(1, 1)).to.equal(false);
    });
  });

  it('should wait longer after each refusal in a row', () => {
    inVirtualTime(() => {
      const pace = paced();
      pace.refused(20, undefined);
      timer(100).subscribe(() => {
        pace.refused(10, undefined);
        expect(pace.waitMs).to.equal(200);
      });
    });
  });

  it('should grow with each success, and send side by side again', () => {
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

  it('should always have room for the next batch when nothing is outstanding', () => {
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
