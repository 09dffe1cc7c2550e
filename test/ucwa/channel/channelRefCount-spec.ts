import { expect } from 'chai';
import { NEVER, Observable, Subject, throwError } from 'rxjs';
import { channelRefCount } from '../../../lib/ucwa/channel/channelRefCount.ts';

/** A channel, and how often it was opened and closed. */
function counted(source: Observable<unknown>): {
  readonly channel$: Observable<unknown>;
  readonly opened: string[];
} {
  const opened: string[] = [];
  const channel$ = new Observable((subscriber) => {
    opened.push('open');
    source.subscribe(subscriber);
    return () => opened.push('close');
  });
  return { channel$, opened };
}

describe('channelRefCount', () => {
  it('opens the channel once, and closes it with the last user', () => {
    const { channel$, opened } = counted(NEVER);
    const { acquire: begin, release: end } = channelRefCount(channel$);
    const listeners = Array.from({ length: 1000 }, () => (): void => expect.fail('nothing failed'));
    listeners.forEach(begin);
    expect(opened).to.deep.equal(['open']);
    listeners.slice(1).forEach(end);
    expect(opened).to.deep.equal(['open']);
    end(listeners[0]!);
    expect(opened).to.deep.equal(['open', 'close']);
  });

  it('opens the channel again for a later user', () => {
    const { channel$, opened } = counted(NEVER);
    const { acquire: begin, release: end } = channelRefCount(channel$);
    const failed = (): void => undefined;
    begin(failed);
    end(failed);
    begin(failed);
    expect(opened).to.deep.equal(['open', 'close', 'open']);
  });

  it('reports the error of the channel once to each current user', () => {
    const channel = new Subject();
    const { acquire: begin, release: end } = channelRefCount(channel);
    const recorded: string[] = [];
    const one = (error: unknown): unknown => recorded.push(`one ${String(error)}`);
    const other = (error: unknown): unknown => recorded.push(`other ${String(error)}`);
    const gone = (): void => expect.fail('it has left');
    [one, gone, other].forEach(begin);
    end(gone);
    channel.error('broken');
    end(one);
    expect(recorded).to.deep.equal(['one broken', 'other broken']);
  });

  it('reports an immediate error to the first user', () => {
    const recorded: unknown[] = [];
    channelRefCount(throwError(() => 'broken')).acquire((error) => recorded.push(error));
    expect(recorded).to.deep.equal(['broken']);
  });

  it('opens the channel again for a user that its error causes', () => {
    const sources = [new Subject(), NEVER];
    const { channel$, opened } = counted(
      new Observable((subscriber) => sources[opened.length === 1 ? 0 : 1]?.subscribe(subscriber)),
    );
    const { acquire: begin, release: end } = channelRefCount(channel$);
    const again = (): void => expect.fail('nothing failed again');
    begin(() => begin(again));
    (sources[0] as Subject<unknown>).error('broken');
    expect(opened).to.deep.equal(['open', 'open', 'close']);
    end(again);
    expect(opened).to.deep.equal(['open', 'open', 'close', 'close']);
  });
});
