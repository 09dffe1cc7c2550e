import { expect } from 'chai';
import { eventRouter } from '../../../lib/ucwa/channel/eventRouter.ts';
import { gapEvent, type UcwaEvent } from '../../../lib/ucwa/protocol/events.ts';

const updated = (href: string): UcwaEvent => ({
  type: 'updated',
  link: { rel: 'thing', href },
  sender: { rel: 'people', href: '/people' },
});
const batch = (
  ...events: readonly UcwaEvent[]
): { readonly next: string; readonly events: readonly UcwaEvent[] } => ({
  next: '/events?ack=2',
  events,
});

describe('dispatch', () => {
  it('should give an event to those who asked for its key, and to nobody else', () => {
    const desk = eventRouter();
    const given: string[] = [];
    const one = desk.register(({ event }) => given.push(`one ${event.link.href}`));
    const two = desk.register(({ event }) => given.push(`two ${event.link.href}`));
    desk.register(({ event }) => given.push(`nobody ${event.link.href}`));
    one.add('/a', '/b');
    two.add('/b');
    desk.publish(batch(updated('/a'), updated('https://pool.contoso.com/B'), updated('/c')));
    const b = 'https://pool.contoso.com/B';
    expect(given).to.deep.equal(['one /a', `one ${b}`, `two ${b}`]);
  });

  it('should give an event once to who asked for several of its keys', () => {
    const desk = eventRouter();
    let given = 0;
    desk.register(() => (given += 1)).add('/people/sara@contoso.com', 'sip:sara@contoso.com');
    desk.publish(
      batch({
        ...updated('/people/sara@contoso.com'),
        link: { rel: 'contact', href: '/people/sara@contoso.com' },
      }),
    );
    expect(given).to.equal(1);
  });

  it('should give a gap to all', () => {
    const desk = eventRouter();
    let given = 0;
    desk.register(() => (given += 1)).add('/a');
    desk.register(() => (given += 1));
    desk.publish(batch(gapEvent('resync', '/events?ack=9', '/events')));
    expect(given).to.equal(2);
  });

  it('should give nothing under a key that was dropped, nor to who has left', () => {
    const desk = eventRouter();
    const given: string[] = [];
    const place = desk.register(({ event }) => given.push(event.link.href));
    place.add('/a', '/b');
    place.drop('/a');
    desk.publish(batch(updated('/a'), updated('/b')));
    place.unregister();
    desk.publish(batch(updated('/a'), updated('/b')));
    desk.publish(batch(gapEvent('resync', '/events', '/events')));
    place.drop('/unknown');
    expect(given).to.deep.equal(['/b']);
  });

  it('should not give an event to who left because of it', () => {
    const desk = eventRouter();
    const given: string[] = [];
    const first = desk.register(() => {
      given.push('first');
      second.unregister();
    });
    const second = desk.register(() => given.push('second'));
    first.add('/a');
    second.add('/a');
    desk.publish(batch(updated('/a')));
    expect(given).to.deep.equal(['first']);
  });

  it('should tell whether events come in', () => {
    const desk = eventRouter();
    let closed = 0;
    desk.closed$.subscribe(() => (closed += 1));
    expect(desk.isOpen).to.equal(false);
    desk.open();
    expect(desk.isOpen).to.equal(true);
    desk.close();
    expect([desk.isOpen, closed]).to.deep.equal([false, 1]);
  });
});
