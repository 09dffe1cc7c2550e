import type { Member } from './connectionMember.ts';
import type { GapReason } from './events.ts';

/** One of the connections that the streaming subscriptions of a service share. */
export interface Connection {
  readonly size: number;
  /** How many requests hang: two while it changes over from one to the next. */
  readonly hanging: number;
  /** @param gap What the member has to be told when the next request stands. */
  join(member: Member, gap?: GapReason): void;
  leave(member: Member): void;
  /** Changes over to a new request, if the members are others by now and it is possible. */
  regroup(): void;
  /** Hands its members over, with what they have to be told, and is over. */
  handOver(join: (member: Member, gap?: GapReason) => void): void;
}

/** What a connection has to know of the others of its service. */
export interface ConnectionSlots {
  /** Whether one more request may hang beside those that do. */
  hasRoom(): boolean;
  /** Whether another connection is changing over, and lets a request go soon. */
  isOtherMoving(connection: Connection): boolean;
  /** A request has ended, so that there may be room. */
  freed(): void;
  /** The server does not allow as many requests as there are. */
  refused(): void;
  /** Hands the members of a connection that has no request to another one, if there is room for all. */
  adopt(connection: Connection): boolean;
  /** The last member has left. */
  emptied(connection: Connection): void;
}
