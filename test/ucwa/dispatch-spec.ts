import { expect } from 'chai';
import { dispatch } from '../../lib/ucwa/dispatch.ts';
import type { UcwaEvent } from '../../lib/ucwa/events.ts';

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
    const desk = dispatch();
    const given: string[] = [];
    const one = desk.enter(({ event }) => given.push(`one ${event.link.href}`));
    const two = desk.enter(({ event }) => given.push(`two ${event.link.href}`));
    desk.enter(({ event }) => given.push(`nobody ${event.link.href}`));
    one.add('/a', '/b');
    two.add('/b');
    desk.give(batch(updated('/a'), updated('https://pool.contoso.com/B'), updated('/c')));
    const b = 'https://pool.contoso.com/B';
    expect(given).to.deep.equal(['one /a', `one ${b}`, `two ${b}`]);
  });

  it('should give an event once to who asked for several of its keys', () => {
    const desk = dispatch();
    let given = 0;
    desk.enter(() => (given += 1)).add('/people/sara@contoso.com', 'sip:sara@contoso.com');
    desk.give(
      batch({
        ...updated('/people/sara@contoso.com'),
        link: { rel: 'contact', href: '/people/sara@contoso.com' },
      }),
    );
    expect(given).to.equal(1);
  });

  it('should give a reset to all', () => {
    const desk = dispatch();
    let given = 0;
    desk.enter(() => (given += 1)).add('/a');
    desk.enter(() => (given += 1));
    desk.give(batch({ ...updated('/events?ack=9'), type: 'reset' }));
    expect(given).to.equal(2);
  });

  it('should give nothing under a key that was dropped, nor to who has left', () => {
    const desk = dispatch();
    const given: string[] = [];
    const place = desk.enter(({ event }) => given.push(event.link.href));
    place.add('/a', '/b');
    place.drop('/a');
    desk.give(batch(updated('/a'), updated('/b')));
    place.leave();
    desk.give(batch(updated('/a'), updated('/b')));
    desk.give(batch({ ...updated('/events'), type: 'reset' }));
    place.drop('/unknown');
    expect(given).to.deep.equal(['/b']);
  });

  it('should not give an event to who left because of it', () => {
    const desk = dispatch();
    const given: string[] = [];
    const first = desk.enter(() => {
      given.push('first');
      second.leave();
    });
    const second = desk.enter(() => given.push('second'));
    first.add('/a');
    second.add('/a');
    desk.give(batch(updated('/a')));
    expect(given).to.deep.equal(['first']);
  });

  it('should tell whether events come in', () => {
    const desk = dispatch();
    let closed = 0;
    desk.closed$.subscribe(() => (closed += 1));
    expect(desk.isOpen).to.equal(false);
    desk.open();
    expect(desk.isOpen).to.equal(true);
    desk.close();
    expect([desk.isOpen, closed]).to.deep.equal([false, 1]);
  });
});
