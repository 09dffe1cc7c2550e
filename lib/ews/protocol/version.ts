import type { Impersonation, SubscribeRequest } from './envelope.ts';

/** The schema versions of requests. @inline */
export type ExchangeVersion =
  | 'Exchange2007'
  | 'Exchange2007_SP1'
  | 'Exchange2010'
  | 'Exchange2010_SP1'
  | 'Exchange2010_SP2'
  | 'Exchange2013'
  | 'Exchange2013_SP1'
  | 'Exchange2016';

/** All versions, from the oldest to the newest. */
export const VERSIONS: readonly ExchangeVersion[] = [
  'Exchange2007',
  'Exchange2007_SP1',
  'Exchange2010',
  'Exchange2010_SP1',
  'Exchange2010_SP2',
  'Exchange2013',
  'Exchange2013_SP1',
  'Exchange2016',
];

/**
 * Checks that a schema version has everything that a subscription needs.
 *
 * @throws TypeError that names the option or the function, and the version that it needs.
 */
export function checkSubscription(
  version: ExchangeVersion,
  { type, folders, events }: SubscribeRequest,
): void {
  if (type === 'streaming') atLeast(version, 'Exchange2010_SP1', 'streamingNotifications');
  if (events.includes('freeBusyChanged')) atLeast(version, 'Exchange2010_SP1', 'the event freeBusyChanged');
  if (folders === undefined) atLeast(version, 'Exchange2010', 'allFolders');
}

/** Checks the same for an impersonation. */
export function checkConnectingSid(version: ExchangeVersion, impersonate: Impersonation): void {
  atLeast(version, 'Exchange2007_SP1', 'impersonate');
  if ('smtpAddress' in impersonate) atLeast(version, 'Exchange2010', 'impersonate.smtpAddress');
}

function atLeast(version: ExchangeVersion, least: ExchangeVersion, what: string): void {
  if (VERSIONS.indexOf(version) >= VERSIONS.indexOf(least)) return;
  throw new TypeError(
    `${what} needs the version ${least} or a later one, but connectExchange() has the version ${version}`,
  );
}
