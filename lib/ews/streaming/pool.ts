import { asyncScheduler } from 'rxjs';
import { ConnectionsFullError } from '../protocol/errors.ts';
import type { ServerSession } from '../session/session.ts';
import { connection, type Connection, type PoolContext } from './connection.ts';
import { lostRequests } from './request.ts';
import { failMember, MAX_SUBSCRIPTIONS, type Member } from './member.ts';

/** The connections that the streaming subscriptions of an affinity group share. */
interface ConnectionPool {
  /**
   * Assigns a member to a connection. It fails with a {@link ConnectionsFullError} if all connections are
   * full.
   */
  join(member: Member): void;
  leave(member: Member): void;
}

/** How long a limit that the server has enforced is respected. */
const LIMIT_MS = 600_000;

/** Creates the connections of an affinity group; their requests act as its first user. */
export function connectionPool(server: ServerSession): ConnectionPool {
  const { maxConnections } = server;
  const connections = new Set<Connection>();
  const connectionOf = new Map<Member, Connection>();
  let enforced = maxConnections;
  let enforcedUntil = 0;

  const limit = (): number => (asyncScheduler.now() < enforcedUntil ? enforced : maxConnections);
  const openRequests = (): number => [...connections].reduce((sum, each) => sum + each.openRequests, 0);

  const context: PoolContext = {
    lostRequests: lostRequests(server.limits.headersSeconds),
    hasRoom: () => openRequests() < limit(),
    isOtherHandingOver: (asking) => [...connections].some((each) => each !== asking && each.openRequests > 1),
  };

  /** Returns the fullest connection with room: the fewer connections, the better. */
  const withRoomFor = (count: number, except?: Connection): Connection | undefined =>
    [...connections]
      .filter((each) => each !== except && each.size + count <= MAX_SUBSCRIPTIONS)
      .reduce<Connection | undefined>(
        (best, each) => (each.size > (best?.size ?? -1) ? each : best),
        undefined,
      );

  const reopenAll = (): void => {
    for (const each of [...connections]) each.reopen();
  };

  /** Moves the members of a connection without a request to another one, if they fit there. */
  const merge = (disconnected: Connection): void => {
    const target = withRoomFor(disconnected.size, disconnected);
    if (target === undefined) return;
    disconnected.moveMembers((member, gap) => {
      connectionOf.set(member, target);
      target.join(member, gap);
    });
  };

  const open = (): Connection => {
    const opened = connection(server, context);
    connections.add(opened);
    opened.changes$.subscribe((change) => {
      switch (change) {
        case 'roomFreed':
          reopenAll();
          break;
        case 'limitReached':
          enforced = Math.max(1, openRequests());
          enforcedUntil = asyncScheduler.now() + LIMIT_MS;
          break;
        case 'disconnected':
          merge(opened);
          break;
        case 'emptied':
          if (connections.delete(opened)) reopenAll();
          break;
      }
    });
    return opened;
  };

  const acquire = (): Connection | undefined =>
    withRoomFor(1) ?? (connections.size < maxConnections ? open() : undefined);

  return {
    join: (member) => {
      const acquired = acquire();
      if (acquired === undefined) {
        failMember(member, new ConnectionsFullError(server.url, maxConnections, MAX_SUBSCRIPTIONS));
        return;
      }
      connectionOf.set(member, acquired);
      acquired.join(member);
    },
    leave: (member) => {
      connectionOf.get(member)?.leave(member);
      connectionOf.delete(member);
      context.lostRequests.remove(member);
    },
  };
}
