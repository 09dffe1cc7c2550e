import { defer, map, type MonoTypeOperatorFunction } from 'rxjs';
import { defined } from '../core/defined.ts';
import { shownPath } from '../core/transport/requestLog.ts';
import type { Finding } from './findings.ts';
import type { ConnectionRecord } from './records.ts';

/** The resources of EWS that Unsubscribe removes: a push subscription ends with the response to a post. */
const UNSUBSCRIBED: ReadonlySet<string> = new Set(['PullSubscription', 'StreamingSubscription']);

/**
 * Returns an operator that adds to each release what the server responded: the status of the DELETE of UCWA,
 * the response code of EWS. It is unknown if the removal was one of a batch.
 */
export function withResponses(protocol: ConnectionRecord['protocol']): MonoTypeOperatorFunction<Finding> {
  return (findings$) =>
    defer(() => {
      /** The status of the last DELETE of each path. */
      const deletions = new Map<string, number>();
      return findings$.pipe(
        map((finding) => {
          if (finding.type === 'request' && finding.method === 'DELETE' && finding.status !== undefined)
            deletions.set(finding.path, finding.status);
          if (finding.type !== 'release' || finding.state === 'pending') return finding;
          if (protocol === 'EWS')
            return finding.state === 'Released' && UNSUBSCRIBED.has(finding.resource)
              ? { ...finding, response: 'NoError' }
              : finding;
          const path = shownPath(finding.id ?? '');
          const status = deletions.get(path);
          deletions.delete(path);
          return { ...finding, ...defined({ response: status?.toString() }) };
        }),
      );
    });
}
