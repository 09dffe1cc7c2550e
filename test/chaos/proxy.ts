import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Random } from '../support/random/random.ts';
import { corrupted } from './corrupted.ts';

/** The faults of a connection. */
export const FAULT_KINDS = [
  'delay',
  'cut',
  'halfClose',
  'truncate',
  'corrupt',
  'throttle',
  'silence',
] as const;

/** See {@link FAULT_KINDS}. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** The frequency and the length of faults. */
export interface Weather {
  /** One chunk of this many has a fault. */
  readonly oneIn: number;
  /** The longest delay of a chunk, in milliseconds. */
  readonly delayMs: number;
  /** The longest silence before a connection breaks, in milliseconds. */
  readonly silenceMs: number;
}

/** A network between a client and a server, with random faults. */
export interface ChaosProxy {
  /** The origin of the proxy, such as `http://127.0.0.1:49152`. */
  readonly origin: string;
  /** The number of faults by kind. */
  readonly injected: ReadonlyMap<FaultKind, number>;
  /** Stops the faults. */
  calm(): void;
  /** Stops listening, and resolves after both sides have ended their connections. */
  close(): Promise<void>;
}

/** The bytes of a throttled chunk that are sent one by one. */
const MOST_SINGLE_BYTES = 500;

/** Starts a {@link ChaosProxy} in front of a port of this machine. */
export function chaosProxy(port: number, random: Random, weather: Weather): Promise<ChaosProxy> {
  const injected = new Map<FaultKind, number>(FAULT_KINDS.map((kind) => [kind, 0]));
  const open = new Set<Socket>();
  let isCalm = false;

  const fault = (): FaultKind | undefined =>
    !isCalm && random.oneIn(weather.oneIn) ? random.pick(FAULT_KINDS) : undefined;

  const relay = (from: Socket, to: Socket, isAnswer: boolean): void => {
    let isOver = false;
    const end = (): void => {
      isOver = true;
      to.end();
    };
    const breakOff = (): void => {
      isOver = true;
      from.destroy();
      to.destroy();
    };
    const pass = (piece: Uint8Array): void => {
      if (!isOver && !to.destroyed) to.write(piece);
    };
    const hold = (ms: number, then: () => void): void => {
      from.pause();
      const goOn = (): void => {
        then();
        from.resume();
      };
      setTimeout(goOn, random.next() * ms);
    };

    const happens: Readonly<Record<FaultKind, (piece: Buffer) => boolean>> = {
      delay: (piece) => {
        hold(weather.delayMs, () => pass(piece));
        return true;
      },
      cut: (piece) => {
        // Sometimes the other side has received it, and only the response is lost.
        if (random.oneIn(2)) pass(piece);
        // Nothing is forwarded after a loss, because no network drops only the middle.
        isOver = true;
        if (random.oneIn(2)) breakOff();
        else setImmediate(breakOff);
        return true;
      },
      halfClose: (piece) => {
        if (random.oneIn(2)) pass(piece);
        end();
        return true;
      },
      truncate: (piece) => {
        pass(piece.subarray(0, random.below(piece.length)));
        end();
        from.end();
        return true;
      },
      corrupt: (piece) => {
        const other = isAnswer ? corrupted(piece) : undefined;
        if (other !== undefined) pass(other);
        return other !== undefined;
      },
      throttle: (piece) => {
        const single = Math.min(piece.length, MOST_SINGLE_BYTES);
        from.pause();
        const dripFrom = (at: number): void => {
          if (at === single || to.destroyed) {
            pass(piece.subarray(single));
            from.resume();
            return;
          }
          pass(piece.subarray(at, at + 1));
          setImmediate(() => dripFrom(at + 1));
        };
        dripFrom(0);
        return true;
      },
      silence: () => {
        hold(weather.silenceMs, breakOff);
        return true;
      },
    };

    from.setNoDelay(true);
    from.on('data', (piece) => {
      if (isOver) return;
      const kind = fault();
      if (kind !== undefined && happens[kind](piece)) injected.set(kind, (injected.get(kind) ?? 0) + 1);
      else pass(piece);
    });
    from.on('end', end);
    // The error of a broken socket has no further information.
    from.on('error', () => to.destroy());
    from.on('close', (isError) => (isError ? to.destroy() : to.end()));
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    }
    relay(client, upstream, false);
    relay(upstream, client, true);
  });

  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      resolve({
        origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        injected,
        calm: () => {
          isCalm = true;
        },
        close: async () => {
          server.close();
          await Promise.all([...open].map((socket) => new Promise((ended) => socket.once('close', ended))));
        },
      });
    });
  });
}
