import { filter, map, Subject } from 'rxjs';
import type { ChannelMessage, Port } from '../../../lib/tabs/messages.ts';

/** Returns a function that opens a BroadcastChannel in one thread, with synchronous copies of messages. */
export function fakeChannel(): () => Port<ChannelMessage, ChannelMessage> {
  const all$ = new Subject<{ readonly from: object; readonly message: ChannelMessage }>();
  return () => {
    const from = {};
    return {
      messages$: all$.pipe(
        filter((sent) => sent.from !== from),
        map(({ message }) => structuredClone(message)),
      ),
      post: (message) => all$.next({ from, message }),
    };
  };
}
