import type { Agent } from 'node:http';
import type { Socket } from 'node:net';

/** A connection whose answer is being read. */
export interface HeldConnection {
  /** Nothing is sent on it any more: it is closed when its answer has ended. */
  readonly discard: () => void;
  /** The answer was read: the connection is free for other requests, unless it was discarded. */
  readonly release: () => void;
  /** Whether the answer has ended on the wire, or the connection with it. */
  readonly isOver: () => boolean;
}

interface Hold {
  /** Called when the answer has ended on the wire, with what frees the connection. */
  readonly ended: (free: () => void) => void;
}

const HOLDS = new WeakMap<Socket, Hold>();

/**
 * Lets an agent wait for {@link HeldConnection.release} before it uses a connection again.
 *
 * By itself it takes a connection back when the answer has ended on the wire, which is before anybody could
 * read what the answer says, and send the next request on it.
 */
export function holdingAgent<Kind extends Agent>(agent: Kind): Kind {
  const onFree = agent.listeners('free');
  agent.removeAllListeners('free');
  agent.on('free', (socket: Socket, options: unknown) => {
    const free = (): void => {
      for (const listener of onFree) listener.call(agent, socket, options);
    };
    const hold = HOLDS.get(socket);
    if (hold === undefined) free();
    else hold.ended(free);
  });
  return agent;
}

/** Holds the connection of an agent by {@link holdingAgent} back, from the head of its answer on. */
export function holdBack(socket: Socket): HeldConnection {
  let isReleased = false;
  let isDiscarded = false;
  let isOver = false;
  let free: (() => void) | undefined;
  // Between the end of the answer and its release neither the request nor the agent listens.
  const ignore = (): void => undefined;
  socket.on('error', ignore);
  const settle = (): void => {
    if (!isReleased || free === undefined) return;
    const freeOnce = free;
    free = undefined;
    HOLDS.delete(socket);
    socket.off('error', ignore);
    if (isDiscarded) socket.destroy();
    else freeOnce();
  };
  HOLDS.set(socket, {
    ended: (freeSocket) => {
      isOver = true;
      free = freeSocket;
      settle();
    },
  });
  return {
    isOver: () => isOver || socket.destroyed,
    discard: () => {
      isDiscarded = true;
    },
    release: () => {
      isReleased = true;
      settle();
    },
  };
}
