import { type EwsDialect, EwsErrorResponse, isGrommunio } from './dialect.ts';
import type { Mailbox, EwsMailboxes } from './mailbox.ts';
import type { ImpersonatedUser } from './requests/readRequest.ts';
import type { SubscribeRequest } from './requests/subscribe.ts';

/** The lifetime of a streaming subscription without a stream. */
const STREAMING_MINUTES = { exchange: 30, grommunio: 5, 'grommunio-3.9': 5 };

/** Returns the address of the mailbox that a Subscribe watches; undefined for that of the account. */
export function watchedAddress(
  { folders = [] }: SubscribeRequest,
  impersonated: ImpersonatedUser | undefined,
  mailboxes: EwsMailboxes,
): string | undefined {
  const user = impersonated?.name;
  const folder = folders.find(({ mailbox }) => mailbox !== undefined) ?? folders[0];
  return folder === undefined ? user : mailboxes.addressOf(folder, user);
}

/** Returns the ids of the folders that a Subscribe watches; undefined for all. */
export function watchedFolders(
  { folders, allFolders }: SubscribeRequest,
  mailbox: Mailbox,
  dialect: EwsDialect,
): readonly string[] | undefined {
  const isExchange = !isGrommunio(dialect);
  if (isExchange && allFolders === (folders !== undefined)) {
    throw new EwsErrorResponse(
      'error',
      'ErrorInvalidSubscriptionRequest',
      'The subscription request is not valid.',
    );
  }
  if (allFolders) return undefined;
  return folders?.map(({ id, distinguished }) => {
    const folder = mailbox.resolveFolder(id, distinguished);
    if (folder !== undefined) return folder;
    throw isExchange
      ? new EwsErrorResponse('error', 'ErrorFolderNotFound', 'The specified folder could not be found.')
      : new EwsErrorResponse('fault', 'ErrorInvalidId', 'The folder id is invalid.');
  });
}

/** Returns the lifetime of a subscription without a request. */
export function timeoutMinutesOf(
  { type, timeoutMinutes = 0, callback }: SubscribeRequest,
  dialect: EwsDialect,
): number {
  if (type === 'pull') return timeoutMinutes;
  if (type === 'streaming') return STREAMING_MINUTES[dialect];
  return isGrommunio(dialect) ? (callback?.statusFrequencyMinutes ?? 0) : Infinity;
}
