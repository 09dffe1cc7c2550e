import { Observable } from 'rxjs';
import type { Lock } from '../../../lib/tabs/platform.ts';

/** Web Locks in one thread, which are granted synchronously. */
export interface FakeLocks {
  readonly lock: Lock;
  /** The names of the locks that are held. */
  readonly held: () => readonly string[];
}

interface Request {
  readonly grant: () => void;
  readonly steal: () => void;
}

export function fakeLocks(): FakeLocks {
  const holders = new Map<string, Request>();
  const queues = new Map<string, Set<Request>>();

  const next = (name: string): void => {
    const [first] = queues.get(name) ?? [];
    if (first === undefined || holders.has(name)) return;
    queues.get(name)?.delete(first);
    holders.set(name, first);
    first.grant();
  };

  const lock: Lock = (name, { steal = false } = {}) =>
    new Observable((subscriber) => {
      const request: Request = {
        grant: () => subscriber.next(undefined),
        steal: () => subscriber.error(new DOMException('the lock was stolen', 'AbortError')),
      };
      const queue = queues.get(name) ?? new Set<Request>();
      queues.set(name, queue);
      subscriber.add(() => {
        queue.delete(request);
        if (holders.get(name) === request) holders.delete(name);
        next(name);
      });
      if (steal) {
        const holder = holders.get(name);
        holders.set(name, request);
        holder?.steal();
        request.grant();
      } else {
        queue.add(request);
        next(name);
      }
    });

  return { lock, held: () => [...holders.keys()] };
}
