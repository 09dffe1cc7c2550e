import { asyncScheduler } from 'rxjs';
import { connection, type Connection, type PoolContext } from './connection.ts';
import { type Member, MAX_SUBSCRIPTIONS } from './member.ts';
import { ConnectionsFullError } from '../protocol/errors.ts';
import type { Endpoint } from '../discovery/affinityGroups.ts';
import type { ServerSession } from '../session/session.ts';

/** The connections that the streaming subscriptions of an affinity group share. */
interface ConnectionPool {
  /** Gives a subscription its place; the returned function takes it away. */
  join(member: Member): () => void;
}

/** For how long a server is taken at its word that it does not allow so many connections. */
const REFUSED_FOR_MS = 600_000;

const BY_SITE = new WeakMap<Endpoint, ConnectionPool>();

/** The connections of an affinity group, in the name of whom of it asks for them first. */
export function connectionPool(internals: ServerSession): ConnectionPool {
  const known = BY_SITE.get(internals.endpoint);
  if (known !== undefined) return known;
  const made = connections(internals);
  BY_SITE.set(internals.endpoint, made);
  return made;
}

function connections(internals: ServerSession): ConnectionPool {
  const { maxConnections } = internals;
  const all = new Set<Connection>();
  const places = new Map<Member, Connection>();
  let allowed = maxConnections;
  let allowedUntil = 0;

  const limit = (): number => (asyncScheduler.now() < allowedUntil ? allowed : maxConnections);
  const hanging = (): number => [...all].reduce((sum, each) => sum + each.openRequests, 0);

  /** The fullest that has room: the fewer connections, the better. */
  const withRoomFor = (count: number, except?: Connection): Connection | undefined =>
    [...all]
      .filter((each) => each !== except && each.size + count <= MAX_SUBSCRIPTIONS)
      .reduce<Connection | undefined>(
        (best, each) => (each.size > (best?.size ?? -1) ? each : best),
        undefined,
      );

  const slots: PoolContext = {
    hasRoom: () => hanging() < limit(),
    isOtherMoving: (connection) => [...all].some((each) => each !== connection && each.openRequests > 1),
    freed: () => {
      for (const each of [...all]) each.reopen();
    },
    refused: () => {
      allowed = Math.max(1, hanging());
      allowedUntil = asyncScheduler.now() + REFUSED_FOR_MS;
    },
    adopt: (orphaned) => {
      const target = withRoomFor(orphaned.size, orphaned);
      if (target === undefined) return false;
      orphaned.moveMembers((member, gap) => {
        places.set(member, target);
        target.join(member, gap);
      });
      return true;
    },
    emptied: (connection) => {
      if (all.delete(connection)) slots.freed();
    },
  };

  const placeFor = (): Connection | undefined => {
    const existing = withRoomFor(1);
    if (existing !== undefined || all.size >= maxConnections) return existing;
    const made = connection(internals, slots);
    all.add(made);
    return made;
  };

  return {
    join: (member) => {
      const place = placeFor();
      if (place === undefined) {
        member.fail(new ConnectionsFullError(internals.url, maxConnections, MAX_SUBSCRIPTIONS));
        return () => undefined;
      }
      places.set(member, place);
      place.join(member);
      return () => {
        places.get(member)?.leave(member);
        places.delete(member);
      };
    },
  };
}
