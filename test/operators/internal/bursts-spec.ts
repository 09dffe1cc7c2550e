import fc from 'fast-check';
import { expect } from 'chai';
import { type BurstBuffer, burstBuffer, coalesceEvents } from '../../../operators/internal/bursts.ts';

interface Event {
  readonly type: string;
  readonly item?: { readonly id: string };
  readonly folder?: { readonly id: string };
  readonly subscriptionId?: string;
  readonly number: number;
}

describe('burstBuffer', () => {
  const rules = { quietMs: 10, longestMs: 100, max: 3, merge: coalesceEvents };
  let number = 0;
  const about = (id: string, type = 'modified'): Event => ({ type, item: { id }, number: ++number });
  const fill = (bursts: BurstBuffer<Event>, ...ids: string[]): Event[] =>
    ids.flatMap((id) => bursts.add(about(id), 0));
  const ids = (events: readonly Event[]): string[] =>
    events.map(({ item, folder, type }) => item?.id ?? folder?.id ?? type);

  it('keeps bursts in the order of their last events', () => {
    const bursts = burstBuffer<Event>(rules);
    expect(fill(bursts, 'a', 'b', 'c', 'a')).to.deep.equal([]);
    expect(bursts.size()).to.equal(3);
    expect(ids(bursts.rest())).to.deep.equal(['b', 'c', 'a']);
    expect(bursts.size()).to.equal(0);
  });

  it('removes a burst after the quiet time', () => {
    const bursts = burstBuffer<Event>(rules);
    bursts.add(about('a'), 0);
    bursts.add(about('b'), 4);
    expect(bursts.waitMs(4)).to.equal(6);
    expect(ids(bursts.due(9))).to.deep.equal([]);
    expect(ids(bursts.due(10))).to.deep.equal(['a']);
    expect(bursts.waitMs(10)).to.equal(4);
    expect(bursts.waitMs(20)).to.equal(0);
    expect(ids(bursts.due(20))).to.deep.equal(['b']);
    expect(bursts.waitMs(20)).to.equal(10);
  });

  it('removes the quietest burst beyond max', () => {
    const bursts = burstBuffer<Event>(rules);
    expect(ids(fill(bursts, 'a', 'b', 'a', 'c', 'd', 'e'))).to.deep.equal(['b', 'a']);
    expect(bursts.size()).to.equal(3);
  });

  it('removes all bursts when one lasts too long', () => {
    const bursts = burstBuffer<Event>({ ...rules, longestMs: 20 });
    expect(bursts.add(about('a'), 0)).to.deep.equal([]);
    expect(bursts.add(about('a'), 9)).to.deep.equal([]);
    expect(bursts.add(about('b'), 15)).to.deep.equal([]);
    expect(bursts.add(about('a'), 18)).to.deep.equal([]);
    expect(ids(bursts.add(about('a'), 20))).to.deep.equal(['b', 'a']);
    expect(bursts.size()).to.equal(0);
  });

  it('removes an event that cannot be merged, and those before it', () => {
    const bursts = burstBuffer<Event>(rules);
    bursts.add(about('a'), 0);
    bursts.add(about('b', 'created'), 0);
    bursts.add(about('c'), 0);
    expect(ids(bursts.add(about('b', 'moved'), 0))).to.deep.equal(['a', 'b']);
    expect(ids(bursts.rest())).to.deep.equal(['c', 'b']);
  });

  it('removes all before an event without item and folder', () => {
    const bursts = burstBuffer<Event>(rules);
    fill(bursts, 'a', 'b');
    expect(ids(bursts.add({ type: 'gap', number: 0 }, 0))).to.deep.equal(['a', 'b', 'gap']);
    expect(bursts.size()).to.equal(0);
  });

  it('distinguishes items, folders and subscriptions', () => {
    const bursts = burstBuffer<Event>({ ...rules, max: 9 });
    const id = 'AAMk';
    bursts.add({ type: 'modified', item: { id }, number: 1 }, 0);
    bursts.add({ type: 'modified', folder: { id }, number: 2 }, 0);
    bursts.add({ type: 'modified', item: { id }, subscriptionId: 'one', number: 3 }, 0);
    bursts.add({ type: 'modified', item: { id }, subscriptionId: 'two', number: 4 }, 0);
    expect(bursts.rest().map((event) => event.number)).to.deep.equal([1, 2, 3, 4]);
  });

  it('does not wait after the clock was set back', () => {
    const bursts = burstBuffer<Event>(rules);
    bursts.add(about('a'), 3_600_000);
    expect(bursts.waitMs(0)).to.equal(10);
    expect(ids(bursts.due(10))).to.deep.equal(['a']);
  });

  it('loses nothing and keeps the order for random events', () => {
    const types = ['created', 'newMail', 'modified', 'moved', 'deleted', 'gap', 'status'];
    const step = fc.record({
      type: fc.constantFrom(...types),
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      afterMs: fc.nat(15),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const standsFor = new Map<Event, Event>();
        const last = new Map<Event, number>();
        const merge = (earlier: Event, later: Event): Event | undefined => {
          const both = coalesceEvents(earlier, later);
          if (both === undefined) return undefined;
          standsFor.set(both === earlier ? later : earlier, both);
          last.set(both, later.number);
          return both;
        };
        const bursts = burstBuffer<Event>({ ...rules, merge });
        const sent: Event[] = [];
        const recorded: Event[] = [];
        let now = 0;
        for (const [index, { type, id, afterMs }] of steps.entries()) {
          now += afterMs;
          const isItem = type !== 'gap' && type !== 'status';
          const event = { type, number: index, ...(isItem ? { item: { id } } : {}) };
          sent.push(event);
          recorded.push(...bursts.due(now), ...bursts.add(event, now));
          expect(bursts.size()).to.be.at.most(rules.max);
        }
        recorded.push(...bursts.rest());

        expect(new Set(recorded).size).to.equal(recorded.length);
        for (const event of sent) {
          let standing = event;
          for (let next = standsFor.get(event); next !== undefined; next = standsFor.get(next))
            standing = next;
          expect(recorded).to.include(standing);
          expect(standing.item?.id).to.equal(event.item?.id);
        }
        // Compares the last event that each item represents: no event crosses a gap, and
        // none comes after a newer one.
        const order = recorded.map((event) => last.get(event) ?? event.number);
        expect(order).to.deep.equal(order.toSorted((one, other) => one - other));
      }),
      { numRuns: 1000 },
    );
  });
});
