import { type StatusTracker, statusTracker, type WaitingReason } from '../../core/connectionStatus.ts';
import { EwsError, SoapFault } from '../protocol/errors.ts';

/** The reasons that only a response code shows. */
const REASONS: ReadonlyMap<string, WaitingReason> = new Map([
  ['ErrorServerBusy', 'throttled'],
  ['ErrorExceededConnectionCount', 'starved'],
]);

/** Returns the reason for waiting that an error of EWS has; undefined for other errors. */
function ewsWaitingReason(error: unknown): WaitingReason | undefined {
  // An AutodiscoverError without a network: instanceof would bundle the class in each program.
  if ((error as { readonly isUnreachable?: unknown } | undefined)?.isUnreachable === true) return 'network';
  return error instanceof EwsError || error instanceof SoapFault ? REASONS.get(error.code) : undefined;
}

/** The tracker of one connection, which knows the reasons of EWS. */
export interface EwsStatus extends StatusTracker {
  /** Returns whether a stream of the connection has been current at any time. */
  readonly hasBeenCurrent: () => boolean;
}

/** Creates the tracker of one connection. */
export function ewsStatus(): EwsStatus {
  const { record, begin, status$ } = statusTracker();
  let hasBeenCurrent = false;
  return {
    status$,
    hasBeenCurrent: () => hasBeenCurrent,
    begin: () => {
      const report = begin();
      return (condition) => {
        if (condition === 'current') hasBeenCurrent = true;
        report(condition);
      };
    },
    record: (input) =>
      record(
        input.type === 'failed' ? { ...input, reason: ewsWaitingReason(input.error) ?? input.reason } : input,
      ),
  };
}
