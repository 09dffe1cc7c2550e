import { expect } from 'chai';
import { type EventListener, eventRouter } from '../../../lib/ucwa/channel/eventRouter.ts';
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
const keys = (...all: readonly string[]): ReadonlySet<string> => new Set(all);

describe('eventRouter', () => {
  it('delivers an event to the listeners of its key only', () => {
    const router = eventRouter();
    const delivered: string[] = [];
    const listener =
      (name: string): EventListener =>
      ({ event }) =>
        delivered.push(`${name} ${event.link.href}`);
    router.route(listener('one'), keys('/a', '/b'));
    router.route(listener('two'), keys('/b'));
    router.route(listener('nobody'), keys());
    router.publish(batch(updated('/a'), updated('https://pool.contoso.com/B'), updated('/c')));
    const b = 'https://pool.contoso.com/B';
    expect(delivered).to.deep.equal(['one /a', `one ${b}`, `two ${b}`]);
  });

  it('delivers an event once to a listener of several of its keys', () => {
    const router = eventRouter();
    let delivered = 0;
    router.route(() => (delivered += 1), keys('/people/sara@contoso.com', 'sip:sara@contoso.com'));
    router.publish(
      batch({
        ...updated('/people/sara@contoso.com'),
        link: { rel: 'contact', href: '/people/sara@contoso.com' },
      }),
    );
    expect(delivered).to.equal(1);
  });

  it('delivers a gap to every listener', () => {
    const router = eventRouter();
    let delivered = 0;
    router.route(() => (delivered += 1), keys('/a'));
    router.route(() => (delivered += 1), keys());
    router.publish(batch(gapEvent('resync', '/events?ack=9', '/events')));
    expect(delivered).to.equal(2);
  });

  it('delivers nothing under a key that was replaced', () => {
    const router = eventRouter();
    const delivered: string[] = [];
    const listener: EventListener = ({ event }) => delivered.push(event.link.href);
    router.route(listener, keys('/a', '/b'));
    router.route(listener, keys('/b', '/c'));
    router.publish(batch(updated('/a'), updated('/b'), updated('/c')));
    expect(delivered).to.deep.equal(['/b', '/c']);
  });

  it('delivers nothing to a listener that has left', () => {
    const router = eventRouter();
    const delivered: string[] = [];
    const listener: EventListener = ({ event }) => delivered.push(event.link.href);
    router.route(listener, keys('/a', '/b'));
    router.unregister(listener);
    router.unregister(listener);
    router.publish(batch(updated('/a'), updated('/b'), gapEvent('resync', '/events', '/events')));
    expect(delivered).to.deep.equal([]);
  });

  it('skips a listener that another one unregisters during delivery', () => {
    const router = eventRouter();
    const delivered: string[] = [];
    const second: EventListener = () => delivered.push('second');
    const first: EventListener = () => {
      delivered.push('first');
      router.unregister(second);
    };
    router.route(first, keys('/a'));
    router.route(second, keys('/a'));
    router.publish(batch(updated('/a')));
    expect(delivered).to.deep.equal(['first']);
  });

  it('starts a listener that registers during delivery with the next event', () => {
    const router = eventRouter();
    const delivered: string[] = [];
    const late: EventListener = ({ event }) => delivered.push(`late ${event.link.href}`);
    const early: EventListener = () => router.route(late, keys('/a', '/b'));
    router.route(early, keys('/a'));
    router.route(() => undefined, keys('/a'));
    router.publish(batch(updated('/a'), updated('/b')));
    expect(delivered).to.deep.equal(['late /b']);
  });

  it('reports whether the channel is open', () => {
    const router = eventRouter();
    let closed = 0;
    router.closed$.subscribe(() => (closed += 1));
    expect(router.isOpen).to.equal(false);
    router.open();
    expect(router.isOpen).to.equal(true);
    router.close();
    expect([router.isOpen, closed]).to.deep.equal([false, 1]);
  });
});
